"""A refund counter: the operations in this process on a real database, with a scripted provider."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from chassis.caller import Audience, Call, Caller, call_scope, fingerprint, service_call
from chassis.database import Database
from chassis.ids import new_id
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.attempt import Attempt
from services.payments.domain.case import Case
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Method, Part, Payment
from services.payments.domain.refund import Destination, Refund
from services.payments.domain.refund_lines import LineName, LinePrice, LineWish
from services.payments.domain.refund_request import RefundWish
from services.payments.domain.reversal import Standing
from services.payments.operations.create_refund import create_refund
from services.payments.operations.settle_payment import settle
from services.payments.operations.verify_books import verify_books
from services.payments.operations.watch_reversals import reconcile_refunds, watch_payments
from services.payments.settings import Settings
from services.payments.store import cases, reversals
from tests.service.payments.till import ShiftedClock
from tests.support.database import DatabaseUrls
from tests.support.mesh import Mesh
from tests.support.scripted_provider import ScriptedProvider


class NoReservations:
    """The payments here are settled already and know their invoices' numbers: only lines are asked for."""

    def __init__(self) -> None:
        self.prices: dict[LineName, LinePrice] = {}

    async def price_lines(self, organization_id: str, lines: Sequence[LineName]) -> dict[LineName, LinePrice]:
        return {name: self.prices[name] for name in lines}

    async def release(self, organization_id: str, payment_id: str) -> None:
        return None


def usd(units: int) -> Money:
    return Money(units, "USD")


@dataclass
class Counter:
    """Everything a test of reversals needs; each has its own organization."""

    db: Database
    clock: ShiftedClock
    provider: ScriptedProvider
    desk: Desk
    superuser_url: str
    invoicing: NoReservations
    organization_id: str = field(default_factory=lambda: f"org_{uuid.uuid4().hex[:12]}")

    async def begun(
        self,
        parts: dict[str, int],
        *,
        extra: int = 0,
        surcharge: int = 0,
        credit_used: int = 0,
        method: Method = Method.CARD,
        method_token: str = "",
        payment_method_id: str = "",
    ) -> Case:
        """A payment of invoices that is on its way; `extra` is for none of them."""
        units = sum(parts.values()) - credit_used + extra + surcharge
        now, payment_id = self.db.clock.now(), new_id("pay")
        payment = Payment(
            payment_id=payment_id, customer_id="cus_1", status=Status.SUBMITTING, amount=usd(units),
            parts=tuple(Part(one, usd(amount), f"INV-{one}") for one, amount in parts.items()),
            method=method, initiated_by="Ada", created_at=now, surcharge_minor_units=surcharge,
            credit_used_minor_units=credit_used, prepayment_minor_units=extra,
            payment_method_id=payment_method_id,
        )  # fmt: skip
        attempt = Attempt(
            attempt_id=new_id("att"), payment_id=payment_id, provider=self.provider.name,
            state=Status.SUBMITTING, amount=usd(units), is_hosted=False, created_at=now,
            kind=method.value, method_token=method_token, next_check_at=now + timedelta(hours=1),
        )  # fmt: skip
        with call_scope(service_call("payments", self.organization_id)):
            async with self.db.write(self.organization_id) as tx:
                return await cases.begin(tx, payment, attempt)

    async def paid(self, parts: dict[str, int], **more: Any) -> Case:
        """The same, succeeded."""
        case = await self.begun(parts, **more)
        return await self.hear(case, self.provider.pay(case.at_provider.attempt_id, case.payment.amount))

    async def hear(self, case: Case, outcome: Outcome) -> Case:
        """Apply what the provider says, as it was when it was said."""
        with call_scope(service_call("payments", self.organization_id)):
            return await settle(self.desk, await self.case(case.payment.payment_id), outcome)

    async def case(self, payment_id: str) -> Case:
        async with self.db.read(self.organization_id) as tx:
            return await cases.load(tx, payment_id)

    async def standing(self, payment_id: str) -> Standing:
        async with self.db.read(self.organization_id) as tx:
            return await reversals.read(tx, (await cases.load(tx, payment_id)).payment)

    async def refund(
        self,
        payment_id: str,
        units: int | None = None,
        *,
        parts: dict[str, int] | None = None,
        destination: Destination = Destination.METHOD,
        forgives: bool = True,
        currency: str = "USD",
        key: str | None = None,
        lines: Sequence[LineWish] = (),
    ) -> Refund:
        """Refund as staff do."""
        wish = RefundWish(
            payment_id=payment_id,
            amount=None if units is None else Money(units, currency),
            parts=tuple(Part(one, Money(amount, currency)) for one, amount in (parts or {}).items()),
            destination=destination,
            forgives=forgives,
            reason="duplicate",
        )
        with call_scope(self.as_staff(key or uuid.uuid4().hex, "Refunds/CreateRefund")):
            return await create_refund(self.desk, wish, lines)

    def as_staff(self, key: str, method: str) -> Call:
        """A call of somebody of the staff."""
        caller = Caller(
            audience=Audience.STAFF, peer="gateway", organization_id=self.organization_id, subject_id="per_9",
            subject_name="Sam", customer_id=None, permissions=frozenset({"payments.refund", "payments.read"}),
        )  # fmt: skip
        path = f"/tallyport.payments.v1.{method}"
        return Call(
            caller=caller, method=path, request_id=f"test-{key}", idempotency_key=key,
            fingerprint=fingerprint(path, key.encode()),
        )  # fmt: skip

    async def later(self, **by: float) -> None:
        """Let time pass and the jobs run."""
        self.clock.advance(**by)
        await reconcile_refunds(self.desk)
        await watch_payments(self.desk)

    async def rows(self, statement: str, **params: Any) -> list[Any]:
        async with self.db.read(self.organization_id) as tx:
            return list(await tx.execute(text(statement), params))

    async def balance(self, account: str) -> int:
        """Debits less credits of an account, whoever owns it."""
        rows = await self.rows(
            "SELECT coalesce(sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END), 0) AS n"
            " FROM ledger_lines WHERE organization_id = :o AND account = :a",
            o=self.organization_id, a=account,
        )  # fmt: skip
        return int(rows[0].n)

    async def news(self, payment_id: str) -> list[str]:
        """Names of the events told about a payment, in their order."""
        rows = await self.rows(
            "SELECT type FROM outbox WHERE organization_id = :o AND aggregate_id = :p ORDER BY aggregate_version",
            o=self.organization_id, p=payment_id,
        )  # fmt: skip
        return [row.type.rpartition(".")[2] for row in rows]

    async def told(self, payment_id: str, name: str) -> list[bytes]:
        """Payloads of one kind of event."""
        rows = await self.rows(
            "SELECT payload FROM outbox WHERE organization_id = :o AND aggregate_id = :p AND type LIKE :t"
            " ORDER BY aggregate_version",
            o=self.organization_id, p=payment_id, t=f"%.{name}",
        )  # fmt: skip
        return [bytes(row.payload) for row in rows]

    async def check_books(self) -> None:
        """All invariants hold."""
        async with self.db.read(self.organization_id) as tx:
            assert await verify_books(tx) == []


@asynccontextmanager
async def open_counter(
    db: Database, urls: DatabaseUrls, clock: ShiftedClock, mesh: Mesh
) -> AsyncIterator[Counter]:
    """A counter on a database."""
    provider = ScriptedProvider()
    settings = Settings(**mesh.settings("payments"), provider_timeout_seconds=2.0)
    invoicing = NoReservations()
    desk = Desk(db, provider, invoicing, settings)  # type: ignore[arg-type]
    yield Counter(db, clock, provider, desk, urls.superuser, invoicing)
