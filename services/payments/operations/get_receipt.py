"""The receipt of a succeeded payment as a PDF: numbered, naming every invoice it paid and what went back since."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.caller import current_call
from chassis.database import ReadTx
from chassis.errors import Kind, ServiceError
from chassis.papers.printing import Logo
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What stands on a receipt besides the payment; `given_back` are the refunds that hold."""

    payer: Payer | None
    given_back: Sequence[Refund]
    logo: Logo | None


async def get_receipt(desk: Desk, payment_id: str) -> Document:
    """For the caller, who must be allowed to see the payment."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        case = await cases.load(tx, payment_id)
        check_visible(call, case.payment)
        known = await _known(tx, case)
    return await render_receipt(case, known)


async def get_receipt_delivery(desk: Desk, organization_id: str, payment_id: str) -> Document:
    """For the mail that another service sends."""
    async with desk.db.read(organization_id) as tx:
        case = await cases.load(tx, payment_id)
        known = await _known(tx, case)
    return await render_receipt(case, known)


async def render_receipt(case: Case, known: Known) -> Document:
    """The same bytes each time until money goes back. RECEIPT_NOT_READY until the money is there.

    Reversed once a bank debit came back.
    """
    payment = case.payment
    if payment.receipt_no is None or payment.finished_at is None:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "RECEIPT_NOT_READY",
            "There is no receipt: this payment has not succeeded.",
        )
    at = payment.returned_at or max((payment.finished_at, *(one.created_at for one in known.given_back)))
    name, locale = (known.payer.name, known.payer.locale) if known.payer else ("", "")
    content = await receipt_pdf(case, name, locale, known.given_back, at=at, logo=known.logo)
    return Document(f"receipt-{number_of(payment)}.pdf", content)


async def _given_back(tx: ReadTx, case: Case) -> list[Refund]:
    if not case.payment.refunded_minor_units:
        return []
    return [one for one in await refunds.of_payment(tx, case.payment.payment_id) if one.holds]


async def _known(tx: ReadTx, case: Case) -> Known:
    return Known(
        payer=await copies.payer(tx, case.payment.customer_id),
        given_back=await _given_back(tx, case),
        logo=await copies.logo(tx),
    )
