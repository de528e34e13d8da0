"""Time on demand: what is due happens in order, each at its own moment, and is told."""

import contextlib
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devstack.simulator.store import Store
from tests.service.simulator.conftest import Provider, Receiver, Start, charge_order

DAY_SECONDS = 86_400
RETURNED_6_DAYS_LATER = {
    "routing": "110000000", "account": "000111222206", "holder": "Ann Lee", "mandate": "accepted",
}  # fmt: skip


async def advance(provider: Provider, **by: Any) -> dict[str, Any]:
    answer = await provider.post("/v1/clock", by)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_forty_days_pass_at_once_and_everything_has_its_own_moment(
    provider: Provider, receiver: Receiver
) -> None:
    checkout = await provider.checkout(kind="bank_debit")
    await provider.http.post(f"/checkout/{checkout['id']}", data=RETURNED_6_DAYS_LATER)
    passed = await advance(provider, advance_seconds=40 * DAY_SECONDS)
    assert passed["webhooks_sent"]
    charge = (await provider.get(f"/v1/checkouts/{checkout['id']}"))["charge"]
    assert moment(charge["returned_at"]) - moment(charge["settled_at"]) == timedelta(days=6)
    assert charge["settled_at"].startswith(charge["expected_on"])
    assert charge["return_code"] == "R10"
    told = [body for body in receiver.bodies if body["data"]["metadata"].get("attempt_id") == "att_1"]
    assert [body["type"] for body in told] == ["checkout.processing", "checkout.completed", "charge.returned"]
    assert told[1]["timestamp"] == charge["settled_at"]


async def test_a_debit_settles_on_a_working_day(provider: Provider) -> None:
    for number in range(7):
        charge = {"metadata": {"attempt_id": f"att_{number}"}}
        checkout = await provider.checkout(f"k{number}", kind="bank_debit", **charge)
        await provider.http.post(f"/checkout/{checkout['id']}", data=RETURNED_6_DAYS_LATER)
        expected = (await provider.get(f"/v1/checkouts/{checkout['id']}"))["charge"]["expected_on"]
        assert datetime.fromisoformat(expected).weekday() < 5
        await advance(provider, advance_seconds=DAY_SECONDS)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance_seconds": 0},
        {"now": "2020-01-01T00:00:00Z"},
        {"now": "soon"},
        {"now": "2999-01-01T00:00:00"},
    ],
)
async def test_time_goes_forward_only(provider: Provider, body: dict[str, Any]) -> None:
    before = await provider.get("/v1/clock")
    assert (await provider.post("/v1/clock", body)).status_code == 400
    assert (await provider.get("/v1/clock"))["ahead_seconds"] == before["ahead_seconds"] == 0


async def test_the_clock_stays_ahead_after_a_restart(start: Start) -> None:
    async with start() as provider:
        later = moment((await provider.get("/v1/clock"))["now"]) + timedelta(days=3)
        await advance(provider, now=later.isoformat())
    async with start() as provider:
        assert moment((await provider.get("/v1/clock"))["now"]) >= later


async def test_each_midnight_pays_out_what_came_in(provider: Provider, receiver: Receiver) -> None:
    await provider.post("/v1/charges", charge_order(), "p1")
    await advance(provider, advance_seconds=2 * DAY_SECONDS)
    (payout,) = (await provider.get("/v1/payouts"))["payouts"]
    assert payout["net_minor_units"] == 5_000 - 175
    assert payout["lines"][0]["fee_minor_units"] == 175
    assert (await provider.get("/v1/payouts", since="2999-01-01"))["payouts"] == []
    assert [body["type"] for body in receiver.bodies] == ["charge.succeeded", "payout.paid"]


async def test_money_owed_to_the_provider_waits_for_more(provider: Provider) -> None:
    charge = (await provider.post("/v1/charges", charge_order(), "p1")).json()
    await provider.post("/v1/payouts", {})
    await provider.post(f"/v1/charges/{charge['id']}/disputes", {})
    assert (await provider.post("/v1/payouts", {})).json() == {"payouts": []}
    await provider.post("/v1/charges", charge_order(amount_minor_units=100_000), "p2")
    (payout,) = (await provider.post("/v1/payouts", {})).json()["payouts"]
    assert [line["kind"] for line in payout["lines"]] == ["chargeback", "charge"]
    assert payout["net_minor_units"] == -5_000 - 1_500 + 100_000 - 2_930


async def test_a_returned_debit_costs_its_fee(provider: Provider) -> None:
    checkout = await provider.checkout(kind="bank_debit")
    await provider.http.post(f"/checkout/{checkout['id']}", data=RETURNED_6_DAYS_LATER)
    charge_id = (await provider.get(f"/v1/checkouts/{checkout['id']}"))["charge"]["id"]
    await provider.post(f"/v1/charges/{charge_id}/settle", {})
    returned = (await provider.post(f"/v1/charges/{charge_id}/return", {"return_code": "R07"})).json()
    assert returned["return_code"] == "R07"
    again = (await provider.post(f"/v1/charges/{charge_id}/return", {"return_code": "R01"})).json()
    assert again == returned
    enough = charge_order(amount_minor_units=900_000, metadata={"organization_id": "org_1"})
    await provider.post("/v1/charges", enough, "p2")
    (payout,) = (await provider.post("/v1/payouts", {})).json()["payouts"]
    assert [(line["kind"], line["fee_minor_units"]) for line in payout["lines"]][1] == ("return", 400)


async def test_the_dashboard_does_what_banks_do(provider: Provider) -> None:
    checkout = await provider.checkout(kind="bank_debit")
    await provider.http.post(f"/checkout/{checkout['id']}", data=RETURNED_6_DAYS_LATER)
    charge_id = (await provider.get(f"/v1/checkouts/{checkout['id']}"))["charge"]["id"]
    assert "Settle now" in (await provider.http.get("/")).text
    for action in ("settle", "dispute"):
        answer = await provider.http.post(f"/dashboard/charges/{charge_id}/{action}")
        assert answer.status_code == 303, answer.text
    (dispute,) = (await provider.get(f"/v1/charges/{charge_id}"))["disputes"]
    assert "Merchant wins" in (await provider.http.get("/")).text
    await provider.http.post(f"/dashboard/disputes/{dispute['id']}/win")
    assert (await provider.get(f"/v1/disputes/{dispute['id']}"))["status"] == "won"
    await provider.http.post("/dashboard/clock", data={"days": "2"})
    page = (await provider.http.get("/")).text
    for words in ("2.0 days ahead", "Latest payouts", "Pay out now", "Latest saved methods"):
        assert words in page
    foreign = await provider.http.post("/dashboard/payouts", headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403


def test_a_file_of_the_first_version_is_carried_over(tmp_path: Path) -> None:
    file = tmp_path / "simulator.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as old:
        old.executescript(_FIRST_VERSION)
    store = Store(file)
    charge, checkout = store.by_id("charges", "ch_1"), store.by_id("checkouts", "co_1")
    assert charge is not None
    assert checkout is not None
    assert (charge["kind"], charge["settled_at"], checkout["kind"]) == ("card", 5.0, "card")
    (line,) = store.all("SELECT * FROM balance_lines")
    assert (line["organization_id"], line["amount_minor_units"], line["fee_minor_units"]) == (
        "org_1",
        500,
        45,
    )
    (due,) = store.all("SELECT * FROM schedule")
    assert (due["action"], due["object_id"], due["due_at"]) == ("expire_checkout", "co_2", 9.0)
    store.close()
    Store(file).close()


_FIRST_VERSION = """
CREATE TABLE checkouts (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, status TEXT, amount_minor_units INTEGER,
    currency TEXT, reference TEXT, description TEXT, return_url TEXT, merchant_name TEXT, customer_name TEXT,
    line_items TEXT, metadata TEXT, attempt_id TEXT, charge_id TEXT, created_at REAL, expires_at REAL);
CREATE TABLE charges (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, checkout_id TEXT REFERENCES checkouts (id),
    status TEXT, amount_minor_units INTEGER, currency TEXT, reference TEXT, metadata TEXT, attempt_id TEXT,
    brand TEXT, last4 TEXT, exp TEXT, fee_minor_units INTEGER, created_at REAL);
CREATE INDEX charges_attempt ON charges (attempt_id);
INSERT INTO checkouts VALUES
    (1, 'co_1', 'completed', 500, 'USD', '', '', 'http://m.example', 'M', '', '[]', '{}', 'a1', 'ch_1', 5.0, 8.0),
    (2, 'co_2', 'open', 700, 'USD', '', '', 'http://m.example', 'M', '', '[]', '{}', 'a2', NULL, 6.0, 9.0);
INSERT INTO charges VALUES
    (1, 'ch_1', 'co_1', 'succeeded', 500, 'USD', '', '{"organization_id": "org_1"}', 'a1', 'visa', '4242',
     '04/2039', 45, 5.0);
"""
