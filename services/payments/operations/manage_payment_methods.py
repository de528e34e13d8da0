"""Lists saved methods, chooses the default, removes, and tells of cards that expire."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from chassis import audit, outbox
from chassis.caller import call_scope, current_call, service_call
from chassis.database import ReadTx, WriteTx
from chassis.errors import Kind, ServiceError, not_found
from services.payments.desk import Desk
from services.payments.domain.outcome import MethodView
from services.payments.domain.saved_method import EXPIRES_SOON_DAYS, SavedMethod, State
from services.payments.operations.whose_customer import customer_asked_for
from services.payments.providers import ProviderSilentError
from services.payments.store import autopay, cases, payment_methods
from tallyport.payments.v1 import events_pb2

AGGREGATE = "payment_method"
BATCH = 50
_log = structlog.get_logger("payments.methods")


@dataclass(frozen=True, slots=True)
class Shown:
    """Methods, and the moment and day at which their states are to be judged."""

    methods: list[SavedMethod]
    now: datetime
    today: date

    @property
    def suggested(self) -> SavedMethod | None:
        """The one to offer first: used last if it can be used, else the default, else any that can."""
        usable = [one for one in self.methods if one.may_be_charged(self.now, self.today, automatic=False)]
        used = [one for one in usable if one.last_used_at is not None]
        if used:
            return max(used, key=lambda one: one.last_used_at or one.created_at)
        return usable[0] if usable else None


async def list_methods(desk: Desk, customer_id: str) -> Shown:
    """A customer's methods; customers see their own."""
    async with desk.db.read(current_call().organization_id) as tx:
        methods = await payment_methods.of_customer(tx, await customer_asked_for(tx, customer_id))
        return Shown(methods, tx.now(), await _today(tx))


async def set_default_method(desk: Desk, payment_method_id: str) -> Shown:
    """Make a method the default. Raises PAYMENT_METHOD_NOT_FOUND, PAYMENT_METHOD_NOT_USABLE."""

    async def write(tx: WriteTx) -> Shown:
        method = await _own(tx, payment_method_id)
        today = await _today(tx)
        if not method.may_be_charged(tx.now(), today, automatic=False):
            raise _not_usable(method.state_at(tx.now(), today))
        await payment_methods.set_default(tx, payment_method_id, customer_id=method.customer_id)
        audit.record(tx, "payment_method.made_default", payment_method_id)
        after = await payment_methods.find(tx, payment_method_id)
        return Shown([after] if after is not None else [], tx.now(), today)

    return await desk.db.run_write(current_call().organization_id, write)


async def remove_method(desk: Desk, payment_method_id: str, replacement_id: str) -> None:
    """Forget a method here and at the provider, which revokes its mandate.

    Raises PAYMENT_METHOD_IN_USE while autopay pays with it and no other one is named, and PROVIDER_UNAVAILABLE
    when the provider cannot be told now: then it is still there.
    """
    organization_id = current_call().organization_id
    async with desk.db.read(organization_id) as reading:
        method = await _own(reading, payment_method_id)
        await _check_replacement(reading, method, replacement_id)
    provider = desk.providers.get(method.provider)
    if provider is not None and method.stored_state is State.ACTIVE:
        try:
            await provider.detach(method.view.method_token, timeout_seconds=desk.provider_seconds())
        except ProviderSilentError as error:
            raise ServiceError(
                Kind.UNAVAILABLE, "PROVIDER_UNAVAILABLE",
                "The card provider cannot be reached. Please try again later.",
            ) from error  # fmt: skip

    async def write(tx: WriteTx) -> None:
        locked = await payment_methods.find(tx, payment_method_id, for_update=True)
        if locked is None or locked.stored_state is State.REMOVED:
            return
        if locked.used_by_autopay and replacement_id:
            await autopay.repoint(tx, locked.customer_id, replacement_id)
            audit.record(tx, "autopay.method_changed", locked.customer_id)
        await payment_methods.mark_removed(tx, locked)
        audit.record(tx, "payment_method.removed", payment_method_id)

    await desk.db.run_write(organization_id, write)


async def tell_of_expiring_cards(desk: Desk) -> int:
    """Tell payers once of each card that expires within 60 days, unless the bank has renewed it already."""
    async with desk.db.sweep() as sweep:
        until = sweep.now() + timedelta(days=EXPIRES_SOON_DAYS)
        found = await payment_methods.expiring(sweep, until=until, limit=BATCH)
    for organization_id, payment_method_id in found:
        with call_scope(service_call("payments", organization_id, method="tell of expiring cards")):
            await _tell(desk, organization_id, payment_method_id)
    return len(found)


async def _tell(desk: Desk, organization_id: str, payment_method_id: str) -> None:
    async with desk.db.read(organization_id) as reading:
        method = await payment_methods.find(reading, payment_method_id)
    if method is None:
        return
    renewed = await _renewed(desk, method)

    async def write(tx: WriteTx) -> None:
        if renewed is not None:
            await payment_methods.renew(tx, payment_method_id, renewed)
        current = await payment_methods.find(tx, payment_method_id, for_update=True)
        if current is None or current.stored_state is not State.ACTIVE:
            return
        is_news = current.expires_soon(await _today(tx))
        if not is_news and renewed is not None and current.expiry != method.expiry:
            return
        number = await payment_methods.note_expiry_told(tx, current)
        if number is None or not is_news:
            return
        outbox.append(
            tx,
            events_pb2.PaymentMethodExpiring(
                payment_method_id=payment_method_id,
                customer_id=current.customer_id,
                summary=current.summary,
                expiry_month=current.view.expiry_month,
                expiry_year=current.view.expiry_year,
                used_by_autopay=current.used_by_autopay,
            ),
            aggregate_type=AGGREGATE,
            aggregate_id=payment_method_id,
            aggregate_version=number,
        )

    await desk.db.run_write(organization_id, write)


async def _renewed(desk: Desk, method: SavedMethod) -> MethodView | None:
    """The card as the networks have it now; None if the provider does not say anything else."""
    provider = desk.providers.get(method.provider)
    if provider is None:
        return None
    try:
        view = await provider.lookup_method(method.view.method_token, timeout_seconds=desk.provider_seconds())
    except ProviderSilentError as error:
        _log.info("method could not be looked up", method=method.payment_method_id, error=str(error))
        return None
    if view is None or view.is_revoked:
        return None
    before = method.view
    is_same = (view.expiry_year, view.expiry_month, view.last_digits) == (
        before.expiry_year,
        before.expiry_month,
        before.last_digits,
    )
    return None if is_same else view


async def _own(tx: ReadTx, payment_method_id: str) -> SavedMethod:
    method = await payment_methods.find(tx, payment_method_id)
    if method is None or method.stored_state is State.REMOVED:
        raise not_found("payment_method")
    if method.customer_id != current_call().caller.customer_id:
        raise not_found("payment_method")
    return method


async def _check_replacement(tx: ReadTx, method: SavedMethod, replacement_id: str) -> None:
    if replacement_id:
        other = await _own(tx, replacement_id)
        state = other.state_at(tx.now(), await _today(tx))
        if other.payment_method_id == method.payment_method_id or state not in (
            State.ACTIVE,
            State.COOLING_OFF,
        ):
            raise _not_usable(state)
    elif method.used_by_autopay:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "PAYMENT_METHOD_IN_USE",
            "Automatic payments use this method. Choose another one for them first, or turn them off.",
        )


def _not_usable(state: State) -> ServiceError:
    return ServiceError(
        Kind.FAILED_PRECONDITION,
        "PAYMENT_METHOD_NOT_USABLE",
        "This payment method cannot be used just now. Please choose another one.",
        state=state.value,
    )


async def _today(tx: ReadTx) -> date:
    return (await cases.organization(tx)).day_of(tx.now())
