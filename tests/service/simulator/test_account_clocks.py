"""An account with a clock of its own: its debits, pages and payouts wait for that clock, nobody else's do."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.service.simulator.conftest import SECRET, Provider, Receiver, Start

ACCOUNT = "org_slow"
BEGIN = datetime.fromisoformat("2020-02-26T09:00:00+00:00")
SETTLED = BEGIN + timedelta(days=6)
"""Four working days later."""
DEBIT = {"routing": "110000000", "account": "000123456789", "holder": "Ann Lee", "mandate": "accepted"}


async def go_to(provider: Provider, moment: datetime, account: str = ACCOUNT) -> dict[str, Any]:
    answer = await provider.post(f"/v1/clocks/{account}", {"now": moment.isoformat()})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def debit(provider: Provider, account: str, key: str) -> str:
    """A debit under way, of an account's business."""
    metadata = {"organization_id": account, "attempt_id": key}
    provider.http.headers["simulator-account"] = account
    checkout = await provider.checkout(key, kind="bank_debit", metadata=metadata)
    del provider.http.headers["simulator-account"]
    await provider.http.post(f"/checkout/{checkout['id']}", data=DEBIT)
    return str(checkout["id"])


async def charge_of(provider: Provider, checkout_id: str) -> dict[str, Any]:
    charge: dict[str, Any] = (await provider.get(f"/v1/checkouts/{checkout_id}"))["charge"]
    return charge


async def test_a_debit_settles_when_its_accounts_clock_gets_there(
    provider: Provider, receiver: Receiver
) -> None:
    await go_to(provider, BEGIN)
    mine, others = await debit(provider, ACCOUNT, "att_1"), await debit(provider, "org_other", "att_2")
    await provider.post("/v1/clock", {"advance_seconds": 40 * 86_400})
    assert (await charge_of(provider, others))["status"] == "succeeded"
    assert (await charge_of(provider, mine))["status"] == "processing"
    waiting = await provider.get(f"/v1/clocks/{ACCOUNT}")
    assert datetime.fromisoformat(waiting["next_due_at"]) <= SETTLED
    assert (await go_to(provider, SETTLED - timedelta(seconds=1)))["next_due_at"] is not None
    assert (await charge_of(provider, mine))["status"] == "processing"
    passed = await go_to(provider, SETTLED)
    assert passed["webhooks_sent"]
    charge = await charge_of(provider, mine)
    assert datetime.fromisoformat(charge["settled_at"]) == SETTLED
    assert any(body["timestamp"] == charge["settled_at"] for body in receiver.bodies)


async def test_an_account_is_paid_out_at_its_own_midnight_and_then_nothing_is_due(provider: Provider) -> None:
    await go_to(provider, BEGIN)
    await debit(provider, ACCOUNT, "att_1")
    await go_to(provider, SETTLED)
    assert (await provider.get("/v1/payouts"))["payouts"] == []
    done = await go_to(provider, SETTLED + timedelta(days=1))
    (payout,) = (await provider.get("/v1/payouts"))["payouts"]
    assert (payout["organization_id"], payout["arrives_on"]) == (ACCOUNT, "2020-03-04")
    assert done["next_due_at"] is None


async def test_an_accounts_clock_survives_a_restart_never_goes_back_and_can_be_let_go(start: Start) -> None:
    async with start() as provider:
        await go_to(provider, BEGIN)
        assert datetime.fromisoformat((await go_to(provider, BEGIN - timedelta(days=1)))["now"]) == BEGIN
    async with start() as provider:
        kept = await provider.get(f"/v1/clocks/{ACCOUNT}")
        assert datetime.fromisoformat(kept["now"]) == BEGIN
        free = (
            await provider.http.delete(f"/v1/clocks/{ACCOUNT}", headers={"authorization": f"Bearer {SECRET}"})
        ).json()
        assert datetime.fromisoformat(free["now"]) > BEGIN + timedelta(days=365)


@pytest.mark.parametrize("body", [{}, {"now": "soon"}, {"now": "2020-01-01T00:00:00"}])
async def test_a_moment_needs_a_zone(provider: Provider, body: dict[str, Any]) -> None:
    assert (await provider.post(f"/v1/clocks/{ACCOUNT}", body)).status_code == 400
