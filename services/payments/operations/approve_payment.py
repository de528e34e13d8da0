"""People of a paying company approve, or decline, what a colleague started."""

from dataclasses import dataclass

from chassis import audit, idempotency
from chassis.caller import current_call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, not_found
from services.payments.desk import Desk
from services.payments.domain.case import Case
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payer_rules import PayerRuleSet, check_people, check_rules
from services.payments.domain.payment import Payment
from services.payments.operations.set_autopay import own_payment
from services.payments.operations.start_payment import end_waiting, start_waiting_payment
from services.payments.operations.whose_customer import customer_asked_for
from services.payments.store import cases, payer_rules
from services.payments.store.payer_rules import ApprovalRequest
from tallyport.payments.v1 import payments_pb2

DECLINED = "declined_by_approver"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A payment that waits, and what is known of its approval."""

    payment: Payment
    request: ApprovalRequest


async def get_rules(desk: Desk, customer_id: str) -> PayerRuleSet:
    """A customer's rules; customers see their own."""
    async with desk.db.read(current_call().organization_id) as tx:
        return await payer_rules.rules_of(tx, await customer_asked_for(tx, customer_id))


async def set_rules(desk: Desk, rules: PayerRuleSet) -> PayerRuleSet:
    """Replace a company's rules. Payments that wait already keep waiting for as many as before."""
    customer_id = current_call().caller.customer_id
    if customer_id is None:
        raise not_found("customer")
    check_rules(rules)
    colleagues = None
    if rules.person_limits:
        named = [limit.person_id for limit in rules.person_limits]
        colleagues = await desk.find_colleagues(current_call().organization_id, customer_id, named)

    async def write(tx: WriteTx) -> PayerRuleSet:
        before = await payer_rules.rules_of(tx, customer_id)
        if colleagues is not None:
            check_people(rules, colleagues, before)
        after = PayerRuleSet(
            customer_id=customer_id,
            approval_above=rules.approval_above,
            approvals_needed=rules.approvals_needed,
            person_limits=rules.person_limits,
            version=before.version + 1,
        )
        await payer_rules.replace_rules(tx, after)
        audit.record(tx, "payer_rules.set", customer_id)
        return after

    return await desk.db.run_write(current_call().organization_id, write)


async def approve_payment(desk: Desk, payment_id: str) -> Payment:
    """Agree to a payment; the last one needed starts it. OWN_PAYMENT, NOT_WAITING_FOR_APPROVAL.

    If starting it fails, the same request, or any approver's next one, starts it again.
    """
    call = current_call()

    async def write(tx: WriteTx) -> tuple[Case, bool]:
        earlier = await idempotency.claim(tx, object_id=payment_id)
        case, request = await _waiting(tx, payment_id)
        if isinstance(earlier, idempotency.Replay):
            idempotency.mark_replayed()
            return case, False
        if case.payment.status is not Status.AWAITING_APPROVAL:
            if earlier is not None:
                return case, False
            raise _not_waiting()
        person_id = call.caller.subject_id or ""
        if person_id == request.requested_by_id:
            raise own_payment()
        await payer_rules.insert_approval(
            tx, payment_id, person_id=person_id, person_name=call.caller.subject_name or ""
        )
        audit.record(tx, "payment.approved", payment_id)
        _, after = await _waiting(tx, payment_id)
        return case, after.is_approved

    case, is_last = await desk.db.run_write(call.organization_id, write)
    if is_last:
        case = await desk.to_the_end(start_waiting_payment(desk, payment_id, call.organization_id))
    await _finish(desk, payment_id, close=is_last)
    return case.payment


async def decline_payment(desk: Desk, payment_id: str, reason: str) -> Payment:
    """Cancel a payment that waits for approval; also whoever started it may."""
    call = current_call()

    async def write(tx: WriteTx) -> Case:
        earlier = await idempotency.claim(tx, object_id=payment_id)
        case, _ = await _waiting(tx, payment_id)
        if case.payment.status is not Status.AWAITING_APPROVAL:
            if earlier is not None:
                idempotency.mark_replayed()
                return case
            raise _not_waiting()
        audit.record(tx, "payment.declined", payment_id, reason=reason)
        return case

    case = await desk.db.run_write(call.organization_id, write)
    if case.payment.status is Status.AWAITING_APPROVAL:
        outcome = Outcome(status=Status.CANCELED, failure_code=DECLINED)
        said = ": ".join(part for part in (call.caller.subject_name, reason) if part)
        ended = await end_waiting(desk, case, outcome, note=said)
        if ended is None:
            raise _not_waiting()
        case = ended
    await _finish(desk, payment_id, close=True)
    return case.payment


async def list_approvals(desk: Desk) -> list[Waiting]:
    """What waits at the caller's company, the oldest first."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        requests = await payer_rules.open_requests(tx, call.caller.customer_id or "")
        return [Waiting((await cases.load(tx, request.payment_id)).payment, request) for request in requests]


async def _waiting(tx: WriteTx, payment_id: str) -> tuple[Case, ApprovalRequest]:
    request = await payer_rules.lock_request(tx, payment_id)
    case = await cases.load(tx, payment_id)
    if current_call().caller.customer_id != case.payment.customer_id:
        raise not_found("payment")
    if request is None:
        raise _not_waiting()
    return case, request


async def _finish(desk: Desk, payment_id: str, *, close: bool) -> None:
    async def write(tx: WriteTx) -> None:
        if close:
            await payer_rules.close_request(tx, payment_id)
        await idempotency.finish(tx, payments_pb2.Payment())

    await desk.db.run_write(current_call().organization_id, write)


def _not_waiting() -> ServiceError:
    return ServiceError(
        Kind.FAILED_PRECONDITION, "NOT_WAITING_FOR_APPROVAL", "This payment does not wait for approval."
    )
