"""The form that records money: the sum, and how much of it goes to each open invoice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.money import Money
from services.gateway.web.forms import Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import amount_field, amount_words, read_amount, read_day, to_message
from tallyport.invoicing.v1.invoices_pb2 import Invoice
from tallyport.payments.v1.payments_pb2 import PaymentPart

METHODS = ("4", "2", "3", "5")
"""Numbers of PaymentMethodType: transfer, cash, cheque, elsewhere."""
_PART = "part_"


def open_part(invoice: Invoice) -> Money:
    """What money can still be put to: due less what is on its way."""
    due = money_of(invoice.amount_due)
    held = invoice.amount_processing.minor_units
    return Money(max(0, due.minor_units - held), due.currency)


@dataclass(frozen=True, slots=True)
class Share:
    """An open invoice and what was typed beside it."""

    invoice: Invoice
    entered: str

    @property
    def field(self) -> str:
        return f"{_PART}{self.invoice.invoice_id}"

    @property
    def open(self) -> Money:
        return open_part(self.invoice)

    @property
    def amount(self) -> Money | None:
        """Nothing for an empty field; None for what is no amount."""
        if not self.entered:
            return Money.zero(self.open.currency)
        return read_amount(self.entered, self.open.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The whole form as typed."""

    currency: str
    entered: str = ""
    method: str = METHODS[0]
    received_on: str = ""
    note: str = ""
    shares: Sequence[Share] = ()

    @property
    def amount(self) -> Money | None:
        return read_amount(self.entered, self.currency)

    @property
    def used(self) -> list[tuple[Invoice, Money]]:
        """Invoices that get something of it."""
        shares = ((share.invoice, share.amount) for share in self.shares)
        return [(invoice, amount) for invoice, amount in shares if amount is not None and not amount.is_zero]

    @property
    def applied(self) -> Money:
        return sum((amount for _invoice, amount in self.used), Money.zero(self.currency))

    @property
    def rest(self) -> Money:
        """What is left for the customer's credit; negative when too much is given away."""
        return (self.amount or Money.zero(self.currency)) - self.applied


def confirmed_parts(form: Form, currency: str) -> list[PaymentPart]:
    """The parts as they were confirmed, whatever is open now: a form that is sent twice must say the same twice."""
    named = {name: form.text(name) for name in form.values if name.startswith(_PART)}
    amounts = {name: read_amount(text, currency) for name, text in named.items()}
    return [
        PaymentPart(invoice_id=name.removeprefix(_PART), amount=to_message(amount))
        for name, amount in amounts.items()
        if amount is not None and not amount.is_zero
    ]


def from_form(form: Form, currency: str, invoices: Iterable[Invoice]) -> Record:
    """What was sent."""
    method = form.text("method")
    return Record(
        currency=currency,
        entered=form.text("amount"),
        method=method if method in METHODS else METHODS[0],
        received_on=form.text("received_on"),
        note=form.text("note")[:500],
        shares=[Share(invoice, form.text(f"{_PART}{invoice.invoice_id}")) for invoice in invoices],
    )


def spread(amount: Money, invoices: Iterable[Invoice]) -> list[Share]:
    """The sum over the invoices in their order, each filled before the next gets any."""
    shares = []
    for invoice in invoices:
        part = min(amount, open_part(invoice))
        amount = amount - part
        shares.append(Share(invoice, "" if part.is_zero else amount_field(part)))
    return shares


def mistakes(record: Record) -> dict[str, str]:
    """Field of the form to what is wrong with it."""
    wrong: dict[str, str] = {}
    if record.amount is None or record.amount.is_zero:
        wrong["amount"] = amount_words(record.entered, record.currency)
    if record.received_on and read_day(record.received_on) is None:
        wrong["received_on"] = _("Please choose a day.")
    for share in record.shares:
        if share.amount is None:
            wrong[share.field] = amount_words(share.entered, share.open.currency)
        elif share.amount > share.open:
            wrong[share.field] = _("This is more than what is open.")
    if not wrong and record.rest.is_negative:
        wrong["amount"] = _("The parts add up to more than was received.")
    return wrong
