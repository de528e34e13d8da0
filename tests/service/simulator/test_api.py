"""The provider's API, as the payments service uses it."""

import asyncio
import signal

import pytest

from tests.service.simulator.conftest import Provider, Start, charge_order, checkout_order


async def test_the_api_refuses_a_wrong_key(provider: Provider) -> None:
    answer = await provider.http.get("/v1/ledger", headers={"authorization": "Bearer wrong"})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthenticated"


async def test_the_same_key_and_body_give_the_same_checkout_and_another_body_is_refused(
    provider: Provider,
) -> None:
    first = await provider.post("/v1/checkouts", checkout_order(), "k1")
    again = await provider.post("/v1/checkouts", checkout_order(), "k1")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = await provider.post("/v1/checkouts", checkout_order(amount_minor_units=1), "k1")
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert (await provider.post("/v1/checkouts", checkout_order())).status_code == 400


async def test_fifty_requests_with_one_key_charge_once(provider: Provider) -> None:
    answers = await asyncio.gather(*(provider.post("/v1/charges", charge_order(), "one") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await provider.get("/v1/ledger"))["charges"]) == 1


@pytest.mark.parametrize(
    ("token", "decline_code"),
    [
        ("tok_visa", None),
        ("tok_mastercard", None),
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_expired", "expired_card"),
        ("tok_bad_cvc", "incorrect_cvc"),
        ("tok_processing_error", "processing_error"),
        ("tok_charge_fails", "card_declined"),
        ("tok_3ds", "authentication_required"),
    ],
)
async def test_each_token_has_its_fate(provider: Provider, token: str, decline_code: str | None) -> None:
    charge = (await provider.post("/v1/charges", charge_order(token), token)).json()
    assert charge["status"] == ("failed" if decline_code else "succeeded")
    assert charge["decline_code"] == decline_code
    assert bool(charge["decline_message"]) == bool(decline_code)
    assert charge["fee_minor_units"] == (0 if decline_code else 175)
    assert await provider.get(f"/v1/charges/{charge['id']}") == charge


async def test_objects_are_found_by_attempt(provider: Provider) -> None:
    checkout = await provider.checkout()
    charge = (await provider.post("/v1/charges", charge_order(), "k2")).json()
    assert (await provider.get("/v1/checkouts", attempt_id="att_1"))["checkouts"] == [checkout]
    assert (await provider.get("/v1/charges", attempt_id="att_2"))["charges"] == [charge]
    assert (await provider.get("/v1/charges", attempt_id="att_none"))["charges"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_minor_units": 0}, "amount_minor_units"),
        ({"amount_minor_units": "12"}, "amount_minor_units"),
        ({"currency": "usd"}, "currency"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"metadata": {"attempt_id": 1}}, "metadata"),
        ({"line_items": [{"description": "x"}]}, "amount_minor_units"),
    ],
)
async def test_a_malformed_checkout_is_refused_by_field(
    provider: Provider, changes: dict[str, object], field: str
) -> None:
    answer = await provider.post("/v1/checkouts", checkout_order(**changes), "k1")
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


async def test_an_open_checkout_can_be_canceled_and_a_paid_one_cannot(provider: Provider) -> None:
    checkout = await provider.checkout()
    for _ in range(2):
        canceled = await provider.post(f"/v1/checkouts/{checkout['id']}/cancel", {})
        assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    paid = await provider.checkout("k2")
    await provider.type_card(paid, "4242424242424242")
    refused = await provider.post(f"/v1/checkouts/{paid['id']}/cancel", {})
    assert (refused.status_code, refused.json()["status"]) == (409, "completed")
    assert refused.json()["charge"]["status"] == "succeeded"


async def test_the_ledger_is_paged_and_holds_only_successes(provider: Provider) -> None:
    for number in range(5):
        await provider.post("/v1/charges", charge_order(), f"k{number}")
    await provider.post("/v1/charges", charge_order("tok_declined"), "declined")
    ids, token = [], ""
    for _ in range(3):
        page = await provider.get("/v1/ledger", page_size=2, page_token=token, payment_id="pay_2")
        ids += [charge["id"] for charge in page["charges"]]
        token = page["next_page_token"]
    assert len(set(ids)) == 5
    assert token == ""


async def test_what_was_answered_survives_a_killed_process(start: Start) -> None:
    async with start() as provider:
        charge = (await provider.post("/v1/charges", charge_order(), "k1")).json()
        await provider.program.stop(signal.SIGKILL)
    async with start() as provider:
        again = await provider.post("/v1/charges", charge_order(), "k1")
        assert again.json() == charge
        assert len((await provider.get("/v1/ledger"))["charges"]) == 1


async def test_it_stops_at_once_when_told(provider: Provider) -> None:
    assert await provider.program.stop() == 0


async def test_memory_stays_small(provider: Provider) -> None:
    for number in range(200):
        await provider.post("/v1/charges", charge_order(), f"k{number}")
    await provider.http.get("/")
    with open(f"/proc/{provider.program.process.pid}/status") as status:
        kilobytes = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    assert kilobytes < 45 * 1024
