"""The receipt of a succeeded payment as a PDF: numbered, naming every invoice it paid and what went back since."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.caller import current_call
from chassis.database import ReadTx
from chassis.errors import Kind, ServiceError
from services.payments.desk import Desk
from services.payments.domain.case import Case
from services.payments.domain.refund import Refund
from services.payments.formats.receipt_pdf import number_of, receipt_pdf
from services.payments.operations.get_payment import check_visible
from services.payments.store import cases, copies, refunds
from services.payments.store.copies import Payer


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be saved or attached."""

    file_name: str
    content: bytes


async def get_receipt(desk: Desk, payment_id: str) -> Document:
    """For the caller, who must be allowed to see the payment."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        case = await cases.load(tx, payment_id)
        check_visible(call, case.payment)
        payer, given_back = await _payer(tx, case), await _given_back(tx, case)
    return await render_receipt(case, payer, given_back)


async def get_receipt_delivery(desk: Desk, organization_id: str, payment_id: str) -> Document:
    """For the mail that another service sends."""
    async with desk.db.read(organization_id) as tx:
        case = await cases.load(tx, payment_id)
        payer, given_back = await _payer(tx, case), await _given_back(tx, case)
    return await render_receipt(case, payer, given_back)


async def render_receipt(case: Case, payer: Payer | None, given_back: Sequence[Refund]) -> Document:
    """The same bytes each time until money goes back. RECEIPT_NOT_READY until the money is there.

    Reversed once a bank debit came back; `given_back` are the refunds that hold.
    """
    payment = case.payment
    if payment.receipt_no is None or payment.finished_at is None:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "RECEIPT_NOT_READY",
            "There is no receipt: this payment has not succeeded.",
        )
    at = payment.returned_at or max((payment.finished_at, *(one.created_at for one in given_back)))
    name, locale = (payer.name, payer.locale) if payer else ("", "")
    content = await receipt_pdf(case, name, locale, given_back, at=at)
    return Document(f"receipt-{number_of(payment)}.pdf", content)


async def _given_back(tx: ReadTx, case: Case) -> list[Refund]:
    if not case.payment.refunded_minor_units:
        return []
    return [one for one in await refunds.of_payment(tx, case.payment.payment_id) if one.holds]


async def _payer(tx: ReadTx, case: Case) -> Payer | None:
    return await copies.payer(tx, case.payment.customer_id)
