"""Organizations on test clocks: each lives by its own, nobody disturbs another, and a walk has one outcome."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.database import Database
from devstack.simulator import accounts
from tests.support.armed_fixtures import OpenShop
from tests.support.armed_stack import ArmedStack, database_url
from tests.support.shop import AMOUNT, Shop
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = pytest.mark.xdist_group("mesh")

LONG_AGO = datetime(2020, 2, 26, 9, tzinfo=UTC)
TO_COME = datetime(2026, 12, 30, 9, tzinfo=UTC)
SETTLED_AFTER = timedelta(days=7)
SCHEDULED_AFTER = timedelta(days=10)
WALKED = timedelta(days=12)


class Clock:
    """A shop's test clock, by the public API."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.id = ""

    async def begin(self, at: datetime) -> None:
        made = await self.shop.staff(
            "POST", "/v1/test_clocks", json={"frozen_time": at.isoformat(), "name": "w"}
        )
        self.id = made["test_clock_id"]
        await self._ready(at)

    async def advance(self, to: datetime) -> dict[str, Any]:
        path = f"/v1/test_clocks/{self.id}:advance"
        await self.shop.staff("POST", path, json={"frozen_time": to.isoformat()})
        return await self._ready(to)

    async def remove(self) -> None:
        gone = await self.shop.staff("DELETE", f"/v1/test_clocks/{self.id}")
        assert gone["status"] == "deleted"

    async def _ready(self, at: datetime) -> dict[str, Any]:
        clock: dict[str, Any] = {}

        async def stands() -> bool:
            clock.update(await self.shop.staff("GET", f"/v1/test_clocks/{self.id}"))
            assert clock["status"] in ("ready", "advancing"), clock
            return bool(clock["status"] == "ready")

        await until(stands, timeout_seconds=90)
        assert moment(clock["frozen_time"]) == at
        return clock


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


async def order(shop: Shop, invoice_id: str, **how: Any) -> dict[str, Any]:
    """A payment of an invoice as the customer asks for it."""
    part = {"invoice_id": invoice_id, "amount": {"minor_units": AMOUNT, "currency": "USD"}}
    headers = shop.headers(key=uuid.uuid4().hex)
    answer = await shop.http.post("/v1/payments", json={"parts": [part], **how}, headers=headers)
    assert answer.is_success, answer.text
    payment: dict[str, Any] = answer.json()
    return payment


async def walk(shop: Shop, begin: datetime) -> list[Any]:
    """Twelve days with a card, a bank debit and a scheduled payment; what is in the books by days since `begin`."""
    clock = Clock(shop)
    await clock.begin(begin)
    home = {"return_url": f"{shop.stack.url}/payments/%7Bpayment_id%7D"}
    by_card = await order(shop, shop.invoices[0], hosted_page={**home, "save": True})
    await shop.type_card(by_card["redirect_url"])
    await shop.until_status(by_card["payment_id"], "succeeded")
    by_card = await shop.payment(by_card["payment_id"])
    assert moment(by_card["created_at"]) == moment(by_card["finished_at"]) == begin
    debit = await order(shop, shop.invoices[1], hosted_page={**home, "method": "bank_debit"})
    account = accounts.of_scheme("ach")[0]
    form = {
        "holder": "Pat",
        "routing": accounts.ROUTING_NUMBER,
        "account": account.number,
        "mandate": "accepted",
    }
    assert (await shop.http.post(debit["redirect_url"], data=form)).status_code < 400
    await shop.until_status(debit["payment_id"], "processing")
    day = (begin + SCHEDULED_AFTER).date()
    later = await order(
        shop,
        shop.invoices[2],
        saved_method={"payment_method_id": by_card["saved_payment_method_id"]},
        scheduled_for=day.isoformat(),
    )
    abandoned = await order(shop, shop.invoices[3], hosted_page=home)

    await clock.advance(begin + timedelta(minutes=29))
    assert (await shop.payment(abandoned["payment_id"]))["status"] == "requires_action"
    await clock.advance(begin + timedelta(minutes=31))
    assert (await shop.payment(abandoned["payment_id"]))["status"] == "canceled"
    await clock.advance(begin + timedelta(days=1))
    assert (await shop.payment(debit["payment_id"]))["status"] == "processing"
    await clock.advance(begin + SETTLED_AFTER)
    settled = await shop.payment(debit["payment_id"])
    assert settled["status"] == "succeeded"
    assert begin + timedelta(days=1) < moment(settled["finished_at"]) < begin + SETTLED_AFTER
    assert (await shop.payment(later["payment_id"]))["status"] == "scheduled"
    stands = await clock.advance(begin + WALKED)
    paid = await shop.payment(later["payment_id"])
    assert paid["status"] == "succeeded"
    assert moment(paid["finished_at"]) == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert stands["steps"] >= 2
    told = await books(shop, begin)
    await clock.remove()
    return told


async def books(shop: Shop, begin: datetime) -> list[Any]:
    """Everything that has a time, without the ids, with times since `begin`."""
    mails = (await shop.staff("GET", "/v1/messages", params={"page_size": 100}))["messages"]
    found: Counter[Any] = Counter()
    for mail in mails:
        assert mail["state"] == "sent", mail
        sent = tuple(moment(mail[name]) - begin for name in ("created_at", "sent_at"))
        found[("mail", mail["kind"], sent)] += 1
    for service, question in QUESTIONS:
        for row in await rows(shop.stack, service, shop.organization_id, question):
            times = tuple(one - begin for one in row if isinstance(one, datetime))
            found[(question, *(one for one in row if not isinstance(one, datetime)), times)] += 1
    for *_, times in found:
        assert all(timedelta() <= one <= WALKED for one in times), found
    return sorted((repr(what), count) for what, count in found.items())


async def rows(stack: RunningStack, service: str, organization_id: str, question: str) -> Sequence[Any]:
    url = database_url(stack.environment, service, role=f"{service}_app")
    db = Database(url, pool_size=1, name=f"walk-{service}", clock=SystemClock())
    await db.open()
    try:
        async with db.read(organization_id) as tx:
            return [tuple(row) for row in (await tx.execute(text(question))).all()]
    finally:
        await db.close()


QUESTIONS = (
    (
        "payments",
        """SELECT kind, account, side, amount_minor_units, occurred_at, posted_at
        FROM ledger_entries JOIN ledger_lines USING (organization_id, entry_id)""",
    ),
    ("payments", "SELECT status, method, amount_minor_units, created_at, finished_at FROM payments"),
    ("payments", "SELECT receipt_no, issued_at FROM receipts"),
    (
        "invoicing",
        """SELECT kind, account, side, amount_minor_units, posted_at
        FROM ledger_entries JOIN ledger_lines USING (organization_id, entry_id) WHERE kind LIKE 'payment%'""",
    ),
    ("invoicing", "SELECT status, paid_minor_units, paid_at FROM invoices WHERE paid_at IS NOT NULL"),
)


async def test_organizations_on_their_clocks_walk_side_by_side_and_alike(
    mesh: ArmedStack, open_a_shop: OpenShop
) -> None:
    """Even though the mover and a worker die on the way."""
    first, again, other, bystander = [await open_a_shop(invoices=5) for _ in range(4)]
    walks = asyncio.gather(walk(first, LONG_AGO), walk(again, LONG_AGO), walk(other, TO_COME))
    now = datetime.now(UTC)
    payment = await bystander.pay(bystander.invoices[0])
    assert abs(moment(payment["finished_at"]) - now) < timedelta(minutes=2)
    for process in ("identity-work", "payments-work"):
        mesh.kill(process)
    books_of_first, books_of_again, _ = await walks
    assert books_of_first == books_of_again
    assert len(books_of_first) > 10
