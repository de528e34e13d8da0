"""Holds people of a paying company to the rules that it set: spending limits, and approval by others."""

from dataclasses import replace

from chassis import outbox
from chassis.caller import Audience, current_call
from chassis.database import WriteTx
from services.payments.domain.case import Organization
from services.payments.domain.outcome import Status
from services.payments.domain.payer_rules import PayerRuleSet, check_limit
from services.payments.domain.payment import Payment
from services.payments.store import cases, payer_rules
from services.payments.store.payer_rules import ApprovalRequest
from services.payments.translate.payments import to_proto_money
from tallyport.payments.v1 import events_pb2

AGGREGATE = "payment"


async def apply_payer_rules(tx: WriteTx, payment: Payment) -> Payment:
    """The payment as its starter's company wants it: the same, or AWAITING_APPROVAL with its request and news.

    In the transaction that writes the new payment, before it is written. Raises SPENDING_LIMIT_EXCEEDED. Bound are
    people of the customer, and staff who pay for one who called: others must agree then too, though nobody knows whose
    limits count. Pay links and our own clock have their own rules.
    """
    caller = current_call().caller
    if caller.audience not in (Audience.CUSTOMER, Audience.STAFF) or caller.subject_id is None:
        return payment
    is_staff = caller.audience is Audience.STAFF
    rules = await payer_rules.rules_of(tx, payment.customer_id, person_id=caller.subject_id)
    if rules.version == 0:
        return payment
    if not is_staff:
        await _spend(tx, rules, payment, await cases.organization(tx), person_id=caller.subject_id)
    needed = rules.approvals_for(payment.amount)
    if needed == 0:
        return payment
    waiting = replace(
        payment, status=Status.AWAITING_APPROVAL, version=payment.version, events=payment.events + 1
    )
    name = payment.on_behalf_of if is_staff else caller.subject_name or ""
    await _request(tx, waiting, needed=needed, person_id=caller.subject_id, person_name=name)
    return waiting


async def _spend(
    tx: WriteTx, rules: PayerRuleSet, payment: Payment, organization: Organization, *, person_id: str
) -> None:
    month = f"{organization.day_of(tx.now()):%Y-%m}"
    limit = rules.limit_of(person_id)
    if limit is not None:
        before = (
            []
            if limit.per_month is None
            else await payer_rules.spent(
                tx, customer_id=payment.customer_id, person_id=person_id, month=month
            )
        )
        check_limit(limit, payment.amount, before)
    await payer_rules.note_spending(
        tx,
        payment.payment_id,
        customer_id=payment.customer_id,
        person_id=person_id,
        amount=payment.amount,
        month=month,
    )


async def _request(tx: WriteTx, payment: Payment, *, needed: int, person_id: str, person_name: str) -> None:
    await payer_rules.insert_request(
        tx,
        ApprovalRequest(
            payment_id=payment.payment_id,
            customer_id=payment.customer_id,
            requested_by=person_name,
            requested_by_id=person_id,
            approvals_needed=needed,
            is_open=True,
            created_at=tx.now(),
        ),
    )
    outbox.append(
        tx,
        events_pb2.PaymentApprovalRequested(
            payment_id=payment.payment_id,
            customer_id=payment.customer_id,
            amount=to_proto_money(payment.amount),
            requested_by=person_name,
        ),
        aggregate_type=AGGREGATE,
        aggregate_id=payment.payment_id,
        aggregate_version=payment.events,
    )
