"""Tells what a payment would do before it is made: by invoicing's plan and the organization's policy."""

from dataclasses import dataclass, replace

from google.protobuf.json_format import MessageToJson

from chassis.caller import Audience, Call, current_call
from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.payment import Method, Payment
from services.payments.domain.preview import Plan, Preview, preview_of
from services.payments.domain.wish import Wish
from services.payments.invoicing import PlanQuery
from services.payments.store import cases, policies
from services.payments.translate.previews import to_proto_preview

LONGEST_PREVIEW_CHARACTERS = 5_000
"""What fits into the metadata of an answer; a longer preview is left out and has to be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What would be paid: these invoices or all, so much or all that is due."""

    customer_id: str
    invoice_ids: tuple[str, ...] = ()
    amount: Money | None = None
    method: Method | None = None
    keep_credit: bool = False
    currency: str = ""


async def preview_payment(desk: Desk, question: Question) -> Preview:
    """The preview for the caller. NOT_FOUND for others' customers and invoices."""
    return await make_preview(desk, current_call(), _own(question))


async def make_preview(desk: Desk, call: Call, question: Question) -> Preview:
    """The preview of a question that is known to be allowed."""
    organization_id = call.organization_id
    async with desk.db.read(organization_id) as tx:
        terms = await policies.terms(tx, question.customer_id)
    if terms.find(Method.CREDIT) is None:
        question = replace(question, keep_credit=True)
    query = PlanQuery(
        organization_id=organization_id,
        customer_id=question.customer_id,
        invoice_ids=question.invoice_ids,
        amount=question.amount,
        keep_credit=question.keep_credit,
        currency=question.currency,
    )
    return preview_of(await _plan(desk, query), terms, question.method)


async def _plan(desk: Desk, query: PlanQuery) -> Plan:
    """Invoicing's plan. Payments that only wait at the page do not stand in the way: a new one replaces them."""
    plan = await desk.reservations.plan(query)
    touched = {part.invoice_id for part in plan.parts}
    touched |= {one.invoice_id for one in plan.skipped if one.reason == "being_paid"}
    async with desk.db.read(query.organization_id) as tx:
        waiting = await cases.waiting_at_page(tx, query.customer_id, sorted(touched))
    return await desk.reservations.plan(replace(query, replaced_payment_ids=waiting)) if waiting else plan


async def dues_of(desk: Desk, organization_id: str, customer_id: str, wish: Wish) -> dict[str, Money]:
    """What is due on each invoice of a wish; what is not payable at all is left to invoicing's own refusal."""
    query = PlanQuery(
        organization_id=organization_id,
        customer_id=customer_id,
        invoice_ids=tuple(part.invoice_id for part in wish.parts),
    )
    plan = await _plan(desk, query)
    return {part.invoice_id: plan.dues.get(part.invoice_id, part.amount) for part in wish.parts}


async def changed_error(desk: Desk, call: Call, payment: Payment) -> ServiceError:
    """PREVIEW_CHANGED with what is true now of what a payment was meant for."""
    error = ServiceError(
        Kind.ABORTED,
        "PREVIEW_CHANGED",
        "What was shown has changed meanwhile. Nothing was charged; please look at it again.",
    )
    invoice_ids = tuple(part.invoice_id for part in payment.parts)
    question = Question(
        customer_id=payment.customer_id,
        invoice_ids=invoice_ids,
        method=payment.method,
        keep_credit=payment.credit_used.is_zero,
        currency=payment.amount.currency,
    )
    try:
        preview = await _as_meant(desk, call, question, payment)
    except ServiceError:  # the reason stands; the preview can be asked for
        return error
    document = MessageToJson(to_proto_preview(preview), preserving_proto_field_name=True, indent=None)
    if len(document) <= LONGEST_PREVIEW_CHARACTERS:
        error.metadata["preview"] = document
    return error


async def _as_meant(desk: Desk, call: Call, question: Question, payment: Payment) -> Preview:
    """As much of the invoices as was meant, or all that is still due of them, and what was meant in advance."""
    if not payment.parts:
        return await make_preview(desk, call, replace(question, amount=payment.prepayment))
    query = PlanQuery(
        organization_id=call.organization_id,
        customer_id=question.customer_id,
        invoice_ids=question.invoice_ids,
    )
    plan = await _plan(desk, query)
    meant = sum((part.amount for part in payment.parts), start=Money.zero(payment.amount.currency))
    if meant.currency != plan.payable.currency:
        return await make_preview(desk, call, question)
    amount = min(meant, plan.payable) + payment.prepayment
    return await make_preview(desk, call, replace(question, amount=amount))


def _own(question: Question) -> Question:
    """Whose it is, and what the holder of a pay link may ask: about that very invoice, and of nobody's credit."""
    caller = current_call().caller
    if caller.audience is Audience.STAFF:
        if not question.customer_id:
            raise invalid("customer_id", "required", "Say whose invoices are to be paid.")
        return question
    if caller.customer_id is None or question.customer_id not in ("", caller.customer_id):
        raise not_found("customer")
    question = replace(question, customer_id=caller.customer_id)
    if caller.audience is not Audience.PAY_LINK:
        return question
    if caller.invoice_id is None or any(one != caller.invoice_id for one in question.invoice_ids):
        raise not_found("invoice")
    return replace(question, invoice_ids=(caller.invoice_id,), keep_credit=True)
