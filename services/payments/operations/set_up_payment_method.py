"""Saves a card or bank account on the provider's page, without paying."""

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from chassis import audit, idempotency
from chassis.caller import call_scope, current_call, service_call
from chassis.database import ReadTx, WriteTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.ids import new_id
from chassis.money import Money
from services.payments.desk import Desk, unhurried
from services.payments.domain.saved_method import SavedMethod
from services.payments.providers import (
    Provider,
    ProviderSilentError,
    ProviderUnreachableError,
    SetupOrder,
    SetupOutcome,
    SetupState,
)
from services.payments.store import cases, payment_methods, policies, setups
from services.payments.store.setups import Setup
from tallyport.payments.v1 import payment_methods_pb2

SETUP_ID_PLACES = ("{setup_id}", "%7Bsetup_id%7D", "%7bsetup_id%7d")
SETUPS_AN_HOUR = 10
"""Saving a method checks it at the bank, so it can be misused to try cards out like a payment."""
ASK_AFTER = timedelta(minutes=10)
GIVE_UP_AFTER = timedelta(hours=24)
BATCH = 50
_log = structlog.get_logger("payments.setup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A setup, its method, and what is due at this moment and could be cleared with it."""

    setup: Setup
    method: SavedMethod | None = None
    due_now: Money | None = None


async def start_setup(desk: Desk, *, kind: str, return_url: str, make_default: bool) -> Setup:
    """Open the provider's page. Raises TOO_MANY_TRIES, PROVIDER_UNAVAILABLE."""
    call = current_call()
    customer_id = call.caller.customer_id
    if customer_id is None:
        raise not_found("customer")
    if not desk.settings.allows_return_to(return_url):
        raise invalid("return_url", "not_ours", "This is not an address of the portal.")

    async def write(tx: WriteTx) -> Setup:
        setup = await _new_setup(
            tx, desk, customer_id, kind=kind, return_url=return_url, make_default=make_default
        )
        for place in SETUP_ID_PLACES:
            setup = replace(setup, return_url=setup.return_url.replace(place, setup.setup_id))
        earlier = await idempotency.claim(tx, object_id=setup.setup_id)
        if earlier is not None:
            return await setups.load(tx, earlier.object_id or "")
        await setups.insert(tx, setup)
        return setup

    setup = await desk.db.run_write(call.organization_id, write)
    if setup.redirect_url or setup.status != SetupState.REQUIRES_ACTION:
        idempotency.mark_replayed()
        return setup
    return await desk.to_the_end(_open(desk, setup))


async def complete_setup(desk: Desk, setup_id: str) -> Completed:
    """What became of a setup, as the provider says now. A silent provider leaves it as it was."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        setup = await setups.load(tx, setup_id)
    call.may_see_customer(setup.customer_id, "payment_method_setup")
    if setup.status == SetupState.REQUIRES_ACTION:
        setup = await desk.to_the_end(_ask(desk, setup))
    return await _completed(desk, call.organization_id, setup)


async def settle_setups(desk: Desk) -> int:
    """Ask about setups from which nobody came back, and give up those of yesterday; how many there were."""
    async with desk.db.sweep() as sweep:
        waiting = await setups.waiting(sweep, now=sweep.now(), older_than=ASK_AFTER, limit=BATCH)
    for organization_id, setup_id in waiting:
        with call_scope(service_call("payments", organization_id, method="settle setups")):
            async with desk.db.read(organization_id) as tx:
                setup = await setups.load(tx, setup_id)
            setup = await _ask(desk, setup)
            too_old = await desk.db.now_of(organization_id) - setup.created_at > GIVE_UP_AFTER
            if setup.status == SetupState.REQUIRES_ACTION and too_old:
                await _settle(desk, setup, SetupOutcome(state=SetupState.FAILED, failure_code="expired"))
    return len(waiting)


async def settle_setup(desk: Desk, organization_id: str, setup: Setup) -> None:
    """Ask what became of a setup, because the provider has hinted at it; a silent one is asked again by the job."""
    if setup.status == SetupState.REQUIRES_ACTION:
        with call_scope(service_call("payments", organization_id, method="settle setup")):
            await _ask(desk, setup)


async def _open(desk: Desk, setup: Setup) -> Setup:
    """The setup with its page, and the key finished; a page that could not be opened frees the key."""
    call = current_call()
    try:
        outcome = await _open_page(desk, setup)
    except ServiceError:
        await desk.db.run_write(call.organization_id, lambda tx: cases.forget_key(tx, call))
        raise
    opened = await _settle(desk, setup, outcome)
    answer = payment_methods_pb2.PaymentMethodSetup()
    await desk.db.run_write(call.organization_id, lambda tx: idempotency.finish(tx, answer))
    return opened


async def _new_setup(
    tx: WriteTx, desk: Desk, customer_id: str, *, kind: str, return_url: str, make_default: bool
) -> Setup:
    if await setups.count_since(tx, customer_id, since=tx.now() - timedelta(hours=1)) >= SETUPS_AN_HOUR:
        raise ServiceError(
            Kind.RESOURCE_EXHAUSTED,
            "TOO_MANY_TRIES",
            "Too many payment methods were added just now. Please wait a while.",
            retry_after_seconds="3600",
        )
    provider = await _provider(tx, desk)
    caller = current_call().caller
    return Setup(
        setup_id=new_id("pms"),
        customer_id=customer_id,
        provider=provider.name,
        kind=kind,
        customer_token=await payment_methods.customer_token(tx, customer_id, provider=provider.name),
        return_url=return_url,
        make_default=make_default,
        started_by=caller.subject_name or caller.actor,
        created_at=tx.now(),
    )


async def _provider(tx: ReadTx, desk: Desk) -> Provider:
    """The one that the organization's policy names, if this process is set up for it."""
    return desk.providers.get((await policies.policy(tx)).provider, desk.provider)


async def _open_page(desk: Desk, setup: Setup) -> SetupOutcome:
    organization_id = current_call().organization_id
    async with desk.db.read(organization_id) as tx:
        organization = await cases.organization(tx)
    order = SetupOrder(
        organization_id=organization_id,
        setup_id=setup.setup_id,
        kind=setup.kind,
        customer_token=setup.customer_token,
        merchant_name=organization.name,
        return_url=setup.return_url,
    )
    provider = desk.providers[setup.provider]
    try:
        return await provider.start_setup(order, timeout_seconds=desk.provider_seconds())
    except ProviderUnreachableError as error:
        raise ServiceError(
            Kind.UNAVAILABLE, "PROVIDER_UNAVAILABLE",
            "The card provider cannot be reached. Nothing was saved; please try again later.",
        ) from error  # fmt: skip


async def _ask(desk: Desk, setup: Setup) -> Setup:
    provider = desk.providers.get(setup.provider)
    if provider is None:
        return setup
    try:
        outcome = await provider.lookup_setup(setup.setup_id, timeout_seconds=desk.provider_seconds())
    except ProviderSilentError as error:
        _log.warning("provider did not answer", setup_id=setup.setup_id, error=str(error))
        return setup
    return setup if outcome is None else await _settle(desk, setup, outcome)


async def _settle(desk: Desk, setup: Setup, outcome: SetupOutcome) -> Setup:
    """Write down what the provider said; what is finished stays as it is."""
    organization_id = current_call().organization_id

    async def write(tx: WriteTx) -> Setup:
        current = await setups.load(tx, setup.setup_id, for_update=True)
        if current.status != SetupState.REQUIRES_ACTION:
            return current
        after = replace(current, redirect_url=outcome.redirect_url or current.redirect_url)
        if outcome.state is SetupState.SUCCEEDED and outcome.method is not None:
            hours = (await policies.policy(tx)).bank_change_cooling_off_hours
            payment_method_id = await payment_methods.remember(
                tx,
                outcome.method,
                customer_id=current.customer_id,
                provider=current.provider,
                accepted_by=current.started_by,
                make_default=current.make_default,
                cooling_off_hours=hours,
            )
            audit.record(tx, "payment_method.saved", payment_method_id)
            after = replace(after, status="succeeded", redirect_url="", payment_method_id=payment_method_id)
        elif outcome.state is SetupState.FAILED:
            after = replace(after, status="failed", redirect_url="", failure_code=outcome.failure_code)
        await setups.save(tx, after)
        return after

    with unhurried(organization_id):
        return await desk.db.run_write(organization_id, write)


async def _completed(desk: Desk, organization_id: str, setup: Setup) -> Completed:
    if not setup.payment_method_id:
        return Completed(setup=setup)
    async with desk.db.read(organization_id) as tx:
        method = await payment_methods.find(tx, setup.payment_method_id)
        today = (await cases.organization(tx)).day_of(tx.now())
    try:
        due = await desk.reservations.due(organization_id, [setup.customer_id], until=today)
    except ServiceError as error:  # the method is saved all the same
        _log.warning("what is due is not known now", setup_id=setup.setup_id, reason=error.reason)
        return Completed(setup=setup, method=method)
    if not due.items:
        return Completed(setup=setup, method=method)
    currency = due.items[0].amount_due.currency
    same = [item.amount_due for item in due.items if item.amount_due.currency == currency]
    rest = sum(same, Money.zero(currency)) - due.credit_of(setup.customer_id, currency)
    return Completed(setup=setup, method=method, due_now=None if rest.is_zero or rest.is_negative else rest)
