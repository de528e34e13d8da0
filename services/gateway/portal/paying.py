"""The amounts of a pay form: what was shown, what was entered, and what is still true when it comes back."""

import asyncio
import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.gateway.portal import owing
from services.gateway.web import problems
from services.gateway.web.forms import Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import money_text
from services.gateway.web.page import Page
from tallyport.common.v1.money_pb2 import Money as MoneyMessage
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest, Invoice
from tallyport.payments.v1.payments_pb2 import CreatePaymentRequest, HostedPage, Payment, PaymentPart

PAYMENT_ID_PLACE = "%7Bpayment_id%7D"
"""Where payments puts the id into the return address; percent-encoded, since braces are not allowed there."""
_REFUSALS = (Kind.FAILED_PRECONDITION, Kind.ABORTED, Kind.INVALID_ARGUMENT, Kind.NOT_FOUND, Kind.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice on the form. `amount` is None where what was entered is not an amount."""

    invoice: Invoice
    entered: str
    amount: Money | None
    payable: Money
    error: str = ""

    @property
    def field(self) -> str:
        return f"amount_{self.invoice.invoice_id}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """All lines. Only a good one is paid."""

    lines: Sequence[Line]
    changed: bool = False
    """Something on the form is not true any more: show it again instead of paying."""

    @property
    def good(self) -> bool:
        return bool(self.lines) and not self.changed and not any(line.error for line in self.lines)

    @property
    def currency(self) -> str:
        return self.lines[0].invoice.total.currency

    @property
    def total(self) -> Money:
        amounts = (line.amount for line in self.lines if line.amount is not None)
        return sum(amounts, Money.zero(self.currency))


async def find(page: Page, invoice_ids: Iterable[str]) -> list[Invoice]:
    """The invoices, each once, in the order asked for."""
    wanted = list(dict.fromkeys(invoice_ids))[: owing.MOST_AT_ONCE]
    asked = (page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=one)) for one in wanted)
    return list(await asyncio.gather(*asked))


def fresh(invoices: Iterable[Invoice], payable: owing.Payable) -> Sheet:
    """A form that proposes to pay everything that can be paid."""
    return Sheet(
        [
            Line(invoice, str(most.to_decimal()), most, most)
            for invoice in invoices
            if not (most := payable(invoice)).is_zero
        ]
    )


def submitted(form: Form, invoices: Iterable[Invoice], payable: owing.Payable) -> Sheet:
    """The form as it came back, checked against the invoices as they are now."""
    lines, changed = [], False
    for invoice in invoices:
        most = payable(invoice)
        if most.is_zero or form.text(f"version_{invoice.invoice_id}") != str(invoice.version):
            changed = True
        if not most.is_zero:
            lines.append(_line(invoice, form.text(f"amount_{invoice.invoice_id}"), most))
    return Sheet(lines, changed)


def _line(invoice: Invoice, entered: str, payable: Money) -> Line:
    try:
        amount = Money.parse(_plain(entered), payable.currency)
    except ValueError:
        return Line(
            invoice,
            entered,
            None,
            payable,
            _("Please enter an amount like %(example)s.") % {"example": payable.to_decimal()},
        )
    if amount.is_zero or amount.is_negative:
        return Line(
            invoice,
            entered,
            amount,
            payable,
            _("Please enter more than zero, or take the invoice off the list."),
        )
    if amount > payable:
        most = _("At most %(amount)s can be paid.") % {"amount": money_text(payable)}
        return Line(invoice, entered, amount, payable, most)
    return Line(invoice, entered, amount, payable)


def _plain(entered: str) -> str:
    """Digits of any script; one comma or point is the decimal sign. Anything else stays wrong."""
    digits = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in entered)
    return (
        digits.replace("٫", ".").replace(",", ".") if digits.count(",") + digits.count("٫") == 1 else digits
    )


async def create(page: Page, sheet: Sheet, *, key: str, return_path: str) -> Payment:
    """Starts the payment. The key is the form's and its content's: the same form sent twice pays once."""
    parts = [
        PaymentPart(
            invoice_id=line.invoice.invoice_id,
            amount=MoneyMessage(minor_units=line.amount.minor_units, currency=line.amount.currency),
        )
        for line in sheet.lines
        if line.amount is not None
    ]
    content = hashlib.sha256(
        b"".join(part.SerializeToString(deterministic=True) for part in parts)
    ).hexdigest()
    return_url = f"{page.site.settings.public_url.rstrip('/')}{return_path}/{PAYMENT_ID_PLACE}"
    request = CreatePaymentRequest(parts=parts, hosted_page=HostedPage(return_url=return_url))
    return await page.call(
        page.to.payments.CreatePayment, request, idempotency_key=f"{key[:64]}.{content[:16]}"
    )


def refusal(error: ServiceError) -> str:
    """The sentence for a refusal that the pay page shows itself. Raises what it should not swallow."""
    if error.kind not in _REFUSALS:
        raise error
    return problems.sentence(error)
