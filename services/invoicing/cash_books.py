"""What invoicing asks of payments' books when it closes a period: what is left to do there, and to close as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

import structlog

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from chassis.rpc.client import Channel, as_service
from services.invoicing.translate.values import from_proto_money
from tallyport.payments.v1 import books_pb2, books_pb2_grpc

TIMEOUT_SECONDS: Final = 2.0
MOST_NAME: Final = 200
_log = structlog.get_logger("invoicing.cash_books")


@dataclass(frozen=True, slots=True)
class CashFact:
    """How many there are, what they come to by currency, and some of them."""

    count: int = 0
    amounts: Sequence[Money] = ()
    found: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CashFacts:
    """What payments tells of a period. `customer_funds` is what it holds now; `closed_until` how far it is closed."""

    unmatched_receipts: CashFact = CashFact()
    unclear_payments: CashFact = CashFact()
    customer_funds: Sequence[Money] = ()
    closed_until: date | None = None


class CashBooks(Protocol):
    """Payments' books."""

    async def facts(self, organization_id: str, until: date) -> CashFacts | None:
        """What to look at before a close; None when payments does not answer."""
        ...

    async def close(self, organization_id: str, until: date, *, closed_by: str) -> date | None:
        """Close them up to the day too; how far they are closed then. None when payments does not answer."""
        ...

    async def reopen(self, organization_id: str, until: date, *, reopened_by: str, reason: str) -> None:
        """Open their last period if it ends with that day.

        PAYMENTS_AWAY when payments does not answer; CASH_LOCKED_FURTHER when a lock of its own keeps the day locked.
        """
        ...


class RemoteCashBooks:
    """Payments' BooksChecks over mTLS."""

    def __init__(self, channel: Channel) -> None:
        stub = books_pb2_grpc.BooksChecksStub(channel)
        self._facts = as_service(stub.GetCloseFacts, timeout_seconds=TIMEOUT_SECONDS)
        self._close = as_service(stub.FollowClose, timeout_seconds=TIMEOUT_SECONDS)
        self._reopen = as_service(stub.FollowReopening, timeout_seconds=TIMEOUT_SECONDS)

    async def facts(self, organization_id: str, until: date) -> CashFacts | None:
        request = books_pb2.GetCloseFactsRequest(organization_id=organization_id, until=until.isoformat())
        try:
            told = await self._facts(request)
        except ServiceError as error:
            _log.warning("close.payments_away", reason=error.reason)
            return None
        return CashFacts(
            _fact(told.unmatched_receipts),
            _fact(told.unclear_payments),
            [from_proto_money("customer_funds", one) for one in told.customer_funds],
            _day(told.period_lock),
        )

    async def close(self, organization_id: str, until: date, *, closed_by: str) -> date | None:
        request = books_pb2.FollowCloseRequest(
            organization_id=organization_id, until=until.isoformat(), closed_by=closed_by[:MOST_NAME]
        )
        try:
            return _day(await self._close(request))
        except ServiceError as error:
            _log.warning("close.payments_away", reason=error.reason)
            return None

    async def reopen(self, organization_id: str, until: date, *, reopened_by: str, reason: str) -> None:
        request = books_pb2.FollowReopeningRequest(
            organization_id=organization_id, until=until.isoformat(), reopened_by=reopened_by[:MOST_NAME],
            reason=reason,
        )  # fmt: skip
        try:
            left = _day(await self._reopen(request))
        except ServiceError as error:
            raise payments_away() from error
        if left is not None and left >= until:
            raise locked_further(left)


class NoCashBooks:
    """Where payments cannot be asked."""

    async def facts(self, organization_id: str, until: date) -> CashFacts | None:
        return None

    async def close(self, organization_id: str, until: date, *, closed_by: str) -> date | None:
        return None

    async def reopen(self, organization_id: str, until: date, *, reopened_by: str, reason: str) -> None:
        raise payments_away()


def payments_away() -> ServiceError:
    """PAYMENTS_AWAY."""
    return ServiceError(
        Kind.UNAVAILABLE, "PAYMENTS_AWAY",
        "The cash ledger cannot be reached just now, so nothing was opened. Please try again in a moment.",
        retry_after_seconds="5",
    )  # fmt: skip


def locked_further(until: date) -> ServiceError:
    """CASH_LOCKED_FURTHER."""
    return ServiceError(
        Kind.FAILED_PRECONDITION,
        "CASH_LOCKED_FURTHER",
        f"The cash ledger is locked up to {until.isoformat()} by itself, so nothing was opened. "
        "Close up to that day and open it again first.",
        cash_until=until.isoformat(),
    )


def _fact(fact: books_pb2.CloseFact) -> CashFact:
    return CashFact(fact.count, [from_proto_money("amounts", one) for one in fact.amounts], list(fact.found))


def _day(lock: books_pb2.PeriodLock) -> date | None:
    return date.fromisoformat(lock.until) if lock.until else None
