"""Promises to pay: recorded, taken back, listed."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from chassis import audit
from chassis.caller import Audience, current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.idempotency import once
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain.payment_promise import PREFIX, Promise, PromiseState
from services.invoicing.domain.plan_policy import PlanRules
from services.invoicing.operations.visibility import DEFAULT_PAGE_SIZE, listed_customer_id, must_see_customer
from services.invoicing.store import payment_promises as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.instalment_plans import customer_names
from services.invoicing.store.open_items import open_invoices
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.plan_policies import rules_for
from services.invoicing.translate import plan_events as events
from services.invoicing.translate.payment_promises import to_proto_promise
from tallyport.invoicing.v1 import payment_promises_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What is promised."""

    customer_id: str
    amount: Money
    promised_on: date
    note: str


async def promise_to_pay(db: Database, word: Word) -> pb.PaymentPromise:
    """The promise. CUSTOMER_NOT_FOUND, TOO_MANY_PROMISES, PROMISE_TOO_LATE, PROMISE_EXCEEDS_DEBT."""
    if word.amount.minor_units <= 0:
        raise invalid("amount", "positive", "The amount must be more than zero.")

    async def work(tx: WriteTx) -> pb.PaymentPromise:
        await must_see_customer(tx, word.customer_id)
        customer = await get_customer(tx, word.customer_id, for_update=True)
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        rules = await rules_for(tx, customer.segments, word.amount.currency)
        earlier = await store.open_promises(tx, [word.customer_id])
        _must_be_allowed(word, rules, len(earlier), today)
        invoices = await open_invoices(tx, [word.customer_id])
        nothing = Money.zero(word.amount.currency)
        debt = sum((one.due for one in invoices if one.currency == word.amount.currency), nothing)
        if word.amount > debt:
            raise _refused("PROMISE_EXCEEDS_DEBT", "This is more than is owed.")
        call = current_call()
        promise = Promise(
            promise_id=new_id(PREFIX), customer_id=word.customer_id, amount=word.amount, received=nothing,
            owed=debt,
            promised_on=word.promised_on, grace_days=rules.grace_days, state=PromiseState.OPEN,
            note=word.note, created_at=tx.now(), created_by=call.actor,
            created_by_name=call.caller.subject_name or "",
            by_staff=call.caller.audience is Audience.STAFF,
        )  # fmt: skip
        await store.insert_promise(tx, promise, wake_at=organization.start_of(promise.breaks_on))
        events.promise_made(tx, promise, customer)
        audit.record(tx, "payment_promise.made", promise.promise_id, reason=word.note)
        return to_proto_promise(promise, customer.name)

    return await once(db, pb.PaymentPromise, work)


async def withdraw_promise(db: Database, promise_id: str) -> pb.PaymentPromise:
    """Take it back. PROMISE_NOT_FOUND, PROMISE_NOT_OPEN."""

    async def work(tx: WriteTx) -> pb.PaymentPromise:
        promise = await store.lock_promise(tx, promise_id)
        try:
            await must_see_customer(tx, promise.customer_id)
        except ServiceError:
            raise not_found("promise") from None
        if promise.state is not PromiseState.OPEN:
            raise _refused("PROMISE_NOT_OPEN", "This promise is over already.")
        gone = replace(promise, state=PromiseState.WITHDRAWN, ended_at=tx.now())
        await store.update_promise(tx, gone, wake_at=None)
        audit.record(tx, "payment_promise.withdrawn", promise_id)
        return to_proto_promise(gone, (await get_customer(tx, gone.customer_id)).name)

    return await db.run_write(current_call().organization_id, work)


async def list_promises(
    db: Database, *, customer_id: str, state: PromiseState | None, page_size: int, page_token: str
) -> pb.ListPaymentPromisesResponse:
    """A page, the newest first; a customer's people get their own, or those of a customer below."""
    async with db.read(current_call().organization_id) as tx:
        customer_id = await listed_customer_id(tx, customer_id)
        found, token = await store.list_promises(
            tx, customer_id=customer_id, state=state, page_size=page_size or DEFAULT_PAGE_SIZE,
            page_token=page_token,
        )  # fmt: skip
        names = await customer_names(tx, {one.customer_id for one in found})
    return pb.ListPaymentPromisesResponse(
        promises=[to_proto_promise(one, names.get(one.customer_id, "")) for one in found],
        next_page_token=token,
    )


def _must_be_allowed(word: Word, rules: PlanRules, open_promises: int, today: date) -> None:
    if word.promised_on < today:
        raise invalid("promised_on", "range", "The day must be today or later.")
    if open_promises >= rules.max_open_promises:
        raise _refused("TOO_MANY_PROMISES", "There is a promise already. Please keep it first, or change it.")
    if word.promised_on > today + timedelta(days=rules.max_promise_days):
        raise _refused(
            "PROMISE_TOO_LATE", f"A promise can be for the next {rules.max_promise_days} days at most."
        )


def _refused(reason: str, message: str) -> ServiceError:
    return ServiceError(Kind.FAILED_PRECONDITION, reason, message)
