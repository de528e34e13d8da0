"""Giving money back: how much, where to, what becomes of the invoices; a look at it before it is done."""

import asyncio
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.gateway.console.allowed import require
from services.gateway.console.amounts import amount_words
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import read_amount, to_message
from tallyport.payments.v1.payments_pb2 import GetPaymentRequest, Payment, PaymentMethodType, PaymentStatus
from tallyport.payments.v1.refunds_pb2 import (
    CreateRefundRequest,
    InvoiceEffect,
    ListRefundsRequest,
    Refund,
    RefundDestination,
    RefundPart,
    RefundStatus,
)

REFUNDABLE = (PaymentStatus.PAYMENT_STATUS_SUCCEEDED, PaymentStatus.PAYMENT_STATUS_PARTLY_REFUNDED)
_BY_PROVIDER = (
    PaymentMethodType.PAYMENT_METHOD_TYPE_CARD,
    PaymentMethodType.PAYMENT_METHOD_TYPE_BANK_DEBIT,
    PaymentMethodType.PAYMENT_METHOD_TYPE_WALLET,
    PaymentMethodType.PAYMENT_METHOD_TYPE_REDIRECT,
    PaymentMethodType.PAYMENT_METHOD_TYPE_STABLECOIN,
)
_DESTINATIONS = {
    "method": RefundDestination.REFUND_DESTINATION_METHOD,
    "credit": RefundDestination.REFUND_DESTINATION_CREDIT,
    "manual": RefundDestination.REFUND_DESTINATION_MANUAL,
}
_EFFECTS = {
    "forgive": InvoiceEffect.INVOICE_EFFECT_FORGIVE,
    "reopen": InvoiceEffect.INVOICE_EFFECT_REOPEN,
}
_PART = "part_"


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
class Sheet:
    """The form as it was filled in. `left` leaves the surcharge out, as what is typed does."""

    payment: Payment
    left: Money
    surcharge_left: Money
    shares: tuple[Share, ...]
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
    def amount(self) -> Money | None:
        """What goes back without surcharge; None while that cannot be read."""
        if self.what == "all":
            return self.left
        if self.what == "parts":
            return sum((amount for _share, amount in self.parts), Money.zero(self.left.currency))
        return read_amount(self.entered, self.left.currency)

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
                wrong[share.field] = amount_words()
            elif amount is not None and amount > share.left:
                wrong[share.field] = _("This is more than the payment paid of it.")
        typed = self.what != "amount" and self.entered
        if typed or (self.what != "parts" and any(share.entered for share in self.shares)):
            wrong["what"] = _("You have written an amount that this choice does not use.")
        where = "amount" if self.what == "amount" else "what"
        if self.what == "amount" and self.amount is None:
            wrong["amount"] = amount_words()
        elif self.amount is not None and self.amount.is_zero and not wrong:
            wrong[where] = _("Please say how much.")
        elif self.amount is not None and self.amount > self.left:
            wrong[where] = _("This is more than can still be given back.")
        if not self.reason:
            wrong["reason"] = _("Please say why; the audit log keeps it.")
        return wrong


async def _open(page: Page, payment_id: str) -> tuple[Payment, list[Refund]]:
    require(page, "payments.refund")
    payment, refunds = await asyncio.gather(
        page.call(page.to.payments.GetPayment, GetPaymentRequest(payment_id=payment_id)),
        page.call(page.to.refunds.ListRefunds, ListRefundsRequest(payment_id=payment_id, page_size=100)),
    )
    if payment.status not in REFUNDABLE:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "PAYMENT_NOT_REFUNDABLE",
            _("Nothing of this payment can be given back."),
        )
    return payment, [one for one in refunds.refunds if one.status != RefundStatus.REFUND_STATUS_FAILED]


def _sheet(payment: Payment, refunds: list[Refund], form: Form) -> Sheet:
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
        what=what if what in ("all", "amount", "parts") else "all",
        entered=form.text("amount"),
        destination=destination if destination in _DESTINATIONS else usual,
        effect=effect if effect in _EFFECTS else "forgive",
        reason=form.text("reason")[:500],
    )


def _form(
    page: Page, sheet: Sheet, *, key: str = "", errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    return page.render(
        "console_refund.html",
        status=422 if errors or refused else 200,
        sheet=sheet,
        payment=sheet.payment,
        errors=errors or FieldErrors(),
        refused=refused,
        key=key or page.new_key(),
    )


@get("/payments/{payment_id:str}/refund", name="console.refund")
async def show(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """All of it, back the way it came, is proposed."""
    payment, refunds = await _open(page, payment_id)
    return _form(page, _sheet(payment, refunds, Form()))


@post("/payments/{payment_id:str}/refund", name="console.refund.submit")
async def submit(page: Page, payment_id: FromPath[str]) -> Response[str]:
    """review: say what will happen; change: back to the form; refund: do it."""
    payment, refunds = await _open(page, payment_id)
    sheet = _sheet(payment, refunds, page.form)
    action, key = page.form.text("action"), page.form.text("key")
    if action == "change":
        return _form(page, sheet, key=key)
    if wrong := sheet.mistakes():
        return _form(page, sheet, key=key, errors=wrong)
    if action == "refund":
        return await _refund(page, sheet, key)
    return page.render("console_refund_review.html", sheet=sheet, payment=payment, key=key)


async def _refund(page: Page, sheet: Sheet, key: str) -> Response[str]:
    amount = sheet.amount
    assert amount is not None  # looked at before
    request = CreateRefundRequest(
        payment_id=sheet.payment.payment_id,
        amount=to_message(amount),
        parts=[
            RefundPart(invoice_id=share.invoice_id, amount=to_message(part)) for share, part in sheet.parts
        ],
        destination=_DESTINATIONS[sheet.destination],
        invoice_effect=_EFFECTS[sheet.effect],
        reason=sheet.reason,
    )
    try:
        refund = await page.call(page.to.refunds.CreateRefund, request, idempotency_key=key)
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return _form(page, sheet, errors=FieldErrors.of(error), refused=problems.sentence(error))
    page.flash(*_outcome(refund))
    return page.redirect(f"/console/payments/{refund.payment_id}")


def _outcome(refund: Refund) -> tuple[str, str]:
    if refund.status == RefundStatus.REFUND_STATUS_FAILED:
        return "bad", _("The provider could not send the refund. The payment is as before.")
    if refund.status == RefundStatus.REFUND_STATUS_SUCCEEDED:
        return "good", _("The money is given back.")
    if refund.status == RefundStatus.REFUND_STATUS_UNKNOWN:
        return "info", _(
            "The provider did not answer in time. It is asked until it is certain; do not refund again."
        )
    return "good", _("The refund is on its way.")
