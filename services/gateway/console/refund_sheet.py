"""The refund form as it was filled in: what of the payment goes back, and what is wrong with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from chassis.money import Money
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import amount_words, plain_number, read_amount
from tallyport.invoicing.v1.invoices_pb2 import Invoice
from tallyport.payments.v1.payments_pb2 import Payment, PaymentMethodType
from tallyport.payments.v1.refunds_pb2 import InvoiceEffect, Refund, RefundDestination

_BY_PROVIDER = (
    PaymentMethodType.PAYMENT_METHOD_TYPE_CARD,
    PaymentMethodType.PAYMENT_METHOD_TYPE_BANK_DEBIT,
    PaymentMethodType.PAYMENT_METHOD_TYPE_WALLET,
    PaymentMethodType.PAYMENT_METHOD_TYPE_REDIRECT,
    PaymentMethodType.PAYMENT_METHOD_TYPE_STABLECOIN,
)
DESTINATIONS = {
    "method": RefundDestination.REFUND_DESTINATION_METHOD,
    "credit": RefundDestination.REFUND_DESTINATION_CREDIT,
    "manual": RefundDestination.REFUND_DESTINATION_MANUAL,
}
EFFECTS = {
    "forgive": InvoiceEffect.INVOICE_EFFECT_FORGIVE,
    "reopen": InvoiceEffect.INVOICE_EFFECT_REOPEN,
}
_PART, _LINE = "part_", "line_"
_WHATS = ("all", "amount", "parts", "lines")


@dataclass(frozen=True, slots=True)
class Share:
    """An invoice that the payment paid, what of it can still be given back, and what was typed beside it."""

    invoice_id: str
    number: str
    left: Money
    entered: str

    @property
    def field(self) -> str:
        return f"{_PART}{self.invoice_id}"


@dataclass(frozen=True, slots=True)
class LineShare:
    """A line of such an invoice: how many were sold for how much with tax, and how many shall go back.

    What refunds of this payment have given back is taken off; what those of other payments have, the service knows.
    """

    invoice_id: str
    number: str
    line_no: int
    description: str
    sold: Decimal
    price: Money
    gone: Decimal
    entered: str

    @property
    def field(self) -> str:
        return f"{_LINE}{self.invoice_id}_{self.line_no}"

    @property
    def left(self) -> Decimal:
        """How many have not gone back."""
        return max(self.sold - self.gone, Decimal(0))

    @property
    def quantity(self) -> Decimal | None:
        """How many shall go back; None for what is no such number."""
        try:
            quantity = Decimal(plain_number(self.entered))
        except InvalidOperation:
            return None
        fits = quantity.is_finite() and Decimal(0) < quantity <= self.left
        return quantity if fits and quantity == quantity.quantize(Decimal("0.0001")) else None

    @property
    def amount(self) -> Money:
        """What they came to, as the service works it out."""
        return self._share(self.gone + (self.quantity or 0)) - self._share(self.gone)

    def _share(self, quantity: Decimal) -> Money:
        units = self.price.minor_units * quantity / self.sold if self.sold else Decimal(0)
        return Money(int(units.quantize(Decimal(1), rounding=ROUND_HALF_UP)), self.price.currency)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form as it was filled in. `left` leaves the surcharge out, as what is typed does."""

    payment: Payment
    left: Money
    surcharge_left: Money
    shares: tuple[Share, ...]
    lines: tuple[LineShare, ...]
    what: str
    entered: str
    destination: str
    effect: str
    reason: str

    @property
    def parts(self) -> list[tuple[Share, Money]]:
        """What was typed beside the invoices, where it is an amount."""
        if self.what != "parts":
            return []
        typed = [(share, read_amount(share.entered, self.left.currency)) for share in self.shares]
        return [(share, amount) for share, amount in typed if amount is not None and not amount.is_zero]

    @property
    def chosen_lines(self) -> list[LineShare]:
        """Lines beside which a number was typed, where it is one."""
        return [line for line in self.lines if self.what == "lines" and line.quantity is not None]

    @property
    def amount(self) -> Money | None:
        """What goes back without surcharge; None while that cannot be read."""
        if self.what == "all":
            return self.left
        if self.what == "lines":
            return sum((line.amount for line in self.chosen_lines), Money.zero(self.left.currency))
        if self.what == "parts":
            return sum((amount for _share, amount in self.parts), Money.zero(self.left.currency))
        return read_amount(self.entered, self.left.currency)

    @property
    def _has_unused(self) -> bool:
        """Whether something was typed that the choice does not use."""
        typed = {
            "amount": bool(self.entered),
            "parts": any(share.entered for share in self.shares),
            "lines": any(line.entered for line in self.lines),
        }
        return any(is_typed for what, is_typed in typed.items() if what != self.what)

    @property
    def by_provider(self) -> bool:
        """Whether it can go back the way it came."""
        return self.payment.method in _BY_PROVIDER

    @property
    def full_surcharge(self) -> bool:
        """Whether all of the surcharge goes back: known only when everything does."""
        return self.destination != "credit" and self.amount == self.left

    def mistakes(self) -> FieldErrors:
        """What must be put right before it can be looked at."""
        wrong = FieldErrors()
        for share in self.shares if self.what == "parts" else ():
            amount = read_amount(share.entered, self.left.currency) if share.entered else None
            if share.entered and amount is None:
                wrong[share.field] = amount_words(share.entered, self.left.currency)
            elif amount is not None and amount > share.left:
                wrong[share.field] = _("This is more than the payment paid of it.")
        for line in self.lines if self.what == "lines" else ():
            if line.entered and line.quantity is None:
                wrong[line.field] = _("Please write how many, at most what is left.")
        if self._has_unused:
            wrong["what"] = _("You have written an amount that this choice does not use.")
        where = "amount" if self.what == "amount" else "what"
        if self.what == "amount" and self.amount is None:
            wrong["amount"] = amount_words(self.entered, self.left.currency)
        elif self.amount is not None and self.amount.is_zero and not wrong:
            wrong[where] = _("Please say how much.")
        elif self.amount is not None and self.amount > self.left:
            wrong[where] = _("This is more than can still be given back.")
        if not self.reason:
            wrong["reason"] = _("Please say why; the audit log keeps it.")
        return wrong


def sheet_of(payment: Payment, refunds: list[Refund], invoices: Iterable[Invoice], form: Form) -> Sheet:
    """What the form says of a payment. `refunds` are those that have not failed."""
    amount, currency = money_of(payment.amount), payment.amount.currency
    zero = Money.zero(currency)
    surcharge = Money(payment.surcharge.minor_units, currency)
    back = sum((Money(one.surcharge.minor_units, currency) for one in refunds), zero)
    gone = Money(payment.amount_refunded.minor_units + payment.amount_disputed.minor_units, currency)
    taken: dict[str, int] = {}
    for refund in refunds:
        for part in refund.parts:
            taken[part.invoice_id] = taken.get(part.invoice_id, 0) + part.amount.minor_units
    shares = []
    for paid in payment.parts:
        left = Money(max(0, paid.amount.minor_units - taken.get(paid.invoice_id, 0)), currency)
        entered = form.text(f"{_PART}{paid.invoice_id}")
        shares.append(Share(paid.invoice_id, paid.invoice_number or paid.invoice_id, left, entered))
    usual = "method" if payment.method in _BY_PROVIDER else "manual"
    destination = form.text("destination", usual)
    what, effect = form.text("what", "all"), form.text("effect", "forgive")
    return Sheet(
        payment=payment,
        left=amount - gone - (surcharge - back),
        surcharge_left=surcharge - back,
        shares=tuple(shares),
        lines=tuple(_lines(invoices, refunds, form)),
        what=what if what in _WHATS else "all",
        entered=form.text("amount"),
        destination=destination if destination in DESTINATIONS else usual,
        effect=effect if effect in EFFECTS else "forgive",
        reason=form.text("reason")[:500],
    )


def _lines(invoices: Iterable[Invoice], refunds: list[Refund], form: Form) -> Iterable[LineShare]:
    gone: dict[tuple[str, int], Decimal] = {}
    for refund in refunds:
        for line in refund.lines:
            name = (line.invoice_id, line.line_no)
            gone[name] = gone.get(name, Decimal(0)) + Decimal(line.quantity or 0)
    for invoice in invoices:
        for line_no, sold in enumerate(invoice.lines, start=1):
            if sold.amount_with_tax.minor_units > 0:
                yield LineShare(
                    invoice_id=invoice.invoice_id,
                    number=invoice.number,
                    line_no=line_no,
                    description=sold.description,
                    sold=Decimal(sold.quantity),
                    price=money_of(sold.amount_with_tax),
                    gone=gone.get((invoice.invoice_id, line_no), Decimal(0)),
                    entered=form.text(f"{_LINE}{invoice.invoice_id}_{line_no}"),
                )
