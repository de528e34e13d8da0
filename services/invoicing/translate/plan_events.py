"""The events of instalment plans and promises. Each counts its aggregate's event version on."""

from dataclasses import replace

from google.protobuf.message import Message

from chassis import outbox
from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.instalment_plan import Instalment, InstalmentPlan, PlanState
from services.invoicing.domain.payment_promise import Promise, PromiseState
from services.invoicing.translate.values import to_proto_money
from tallyport.invoicing.v1 import events_pb2 as pb


def plan_requested(tx: WriteTx, plan: InstalmentPlan, customer: Customer) -> InstalmentPlan:
    """Staff are to decide."""
    message = pb.InstalmentPlanRequested(plan=_news(plan, customer), hardship=plan.hardship)
    return _append(tx, plan, message)


def plan_offered(tx: WriteTx, plan: InstalmentPlan, customer: Customer, *, notify: bool) -> InstalmentPlan:
    """The customer is to say yes."""
    first = plan.schedule.instalments[0]
    message = pb.InstalmentPlanOffered(
        plan=_news(plan, customer),
        first_amount=to_proto_money(first.amount),
        first_due_on=first.due_on.isoformat(),
        offered_until=plan.offered_until.isoformat() if plan.offered_until else "",
        hardship_discount=None if plan.discount.is_zero else to_proto_money(plan.discount),
        note=plan.note,
        notify=notify,
    )
    return _append(tx, plan, message)


def plan_activated(tx: WriteTx, plan: InstalmentPlan, customer: Customer) -> InstalmentPlan:
    """It began."""
    assert plan.agreement is not None
    first, last = plan.schedule.instalments[0], plan.schedule.instalments[-1]
    message = pb.InstalmentPlanActivated(
        plan=_news(plan, customer),
        first_amount=to_proto_money(first.amount),
        first_due_on=first.due_on.isoformat(),
        last_due_on=last.due_on.isoformat(),
        terms_text=plan.agreement.text,
    )
    return _append(tx, plan, message)


def instalment_due(
    tx: WriteTx, plan: InstalmentPlan, customer: Customer, one: Instalment, amount: Money
) -> InstalmentPlan:
    """An instalment comes due."""
    message = pb.InstalmentDue(
        plan=_news(plan, customer),
        number=one.number,
        due_on=one.due_on.isoformat(),
        amount=to_proto_money(amount),
    )
    return _append(tx, plan, message)


def plan_broken(tx: WriteTx, plan: InstalmentPlan, customer: Customer, missed: Money) -> InstalmentPlan:
    """All is due again."""
    message = pb.InstalmentPlanBroken(plan=_news(plan, customer), missed=to_proto_money(missed))
    return _append(tx, plan, message)


def plan_completed(tx: WriteTx, plan: InstalmentPlan, customer: Customer) -> InstalmentPlan:
    """All is paid."""
    return _append(tx, plan, pb.InstalmentPlanCompleted(plan=_news(plan, customer)))


def plan_reopened(tx: WriteTx, plan: InstalmentPlan, customer: Customer, due_now: Money) -> InstalmentPlan:
    """A payment of it went back."""
    message = pb.InstalmentPlanReopened(plan=_news(plan, customer), due_now=to_proto_money(due_now))
    return _append(tx, plan, message)


def plan_ended(tx: WriteTx, plan: InstalmentPlan, customer: Customer) -> InstalmentPlan:
    """It was turned down or given up, or ended with its debt."""
    outcome = "rejected" if plan.state is PlanState.REJECTED else "canceled"
    message = pb.InstalmentPlanEnded(plan=_news(plan, customer), outcome=outcome, reason=plan.note)
    return _append(tx, plan, message)


def promise_made(tx: WriteTx, promise: Promise, customer: Customer) -> None:
    """The first event of a promise."""
    message = pb.PaymentPromiseMade(
        promise_id=promise.promise_id,
        contact=_contact(customer),
        amount=to_proto_money(promise.amount),
        promised_on=promise.promised_on.isoformat(),
    )
    _append_promise(tx, promise, message)


def promise_ended(tx: WriteTx, promise: Promise, customer: Customer) -> Promise:
    """Kept, broken or not needed any more; nothing is said of one that was taken back."""
    message: Message
    if promise.state is PromiseState.KEPT:
        message = pb.PaymentPromiseKept(
            promise_id=promise.promise_id,
            contact=_contact(customer),
            amount=to_proto_money(promise.amount),
        )
    elif promise.state is PromiseState.RELEASED:
        message = pb.PaymentPromiseReleased(
            promise_id=promise.promise_id,
            contact=_contact(customer),
            amount=to_proto_money(promise.amount),
        )
    else:
        message = pb.PaymentPromiseBroken(
            promise_id=promise.promise_id,
            contact=_contact(customer),
            amount=to_proto_money(promise.amount),
            received=to_proto_money(promise.received),
        )
    counted = replace(promise, event_version=promise.event_version + 1)
    _append_promise(tx, counted, message)
    return counted


def _append(tx: WriteTx, plan: InstalmentPlan, message: Message) -> InstalmentPlan:
    counted = replace(plan, event_version=plan.event_version + 1)
    outbox.append(
        tx, message, aggregate_type="instalment_plan", aggregate_id=plan.plan_id,
        aggregate_version=counted.event_version,
    )  # fmt: skip
    return counted


def _append_promise(tx: WriteTx, promise: Promise, message: Message) -> None:
    outbox.append(
        tx, message, aggregate_type="payment_promise", aggregate_id=promise.promise_id,
        aggregate_version=promise.event_version,
    )  # fmt: skip


def _news(plan: InstalmentPlan, customer: Customer) -> pb.InstalmentNews:
    return pb.InstalmentNews(
        plan_id=plan.plan_id,
        contact=_contact(customer),
        total=to_proto_money(plan.schedule.total),
        open=to_proto_money(plan.open if plan.agreement else plan.schedule.total),
        instalments=len(plan.schedule.instalments),
        invoice_numbers=[one.number for one in plan.invoices],
        invoice_ids=[one.invoice_id for one in plan.invoices],
    )


def _contact(customer: Customer) -> pb.Contact:
    return pb.Contact(
        customer_id=customer.customer_id, name=customer.name, email=customer.email, locale=customer.locale
    )
