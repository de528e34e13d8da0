"""Faults on demand: each breaks what it says, as often as told, and nothing else."""

import asyncio
import time

import httpx
import pytest

from tests.service.simulator.conftest import Provider, Start, charge_order


async def charges(provider: Provider) -> int:
    return len((await provider.get("/v1/ledger"))["charges"])


async def test_an_error_before_charging_does_nothing_and_the_retry_charges(provider: Provider) -> None:
    await provider.fault("error_500")
    assert (await provider.post("/v1/charges", charge_order(), "k1")).status_code == 500
    assert await charges(provider) == 0
    assert (await provider.post("/v1/charges", charge_order(), "k1")).status_code == 200
    assert await charges(provider) == 1


async def test_an_error_after_charging_has_charged_once(provider: Provider) -> None:
    await provider.fault("error_500_after_charging", times=2)
    assert [(await provider.post("/v1/charges", charge_order(), "k1")).status_code for _ in range(3)] == [
        500,
        500,
        200,
    ]
    assert await charges(provider) == 1


async def test_a_hanging_provider_has_charged_and_can_be_asked(provider: Provider) -> None:
    await provider.fault("hang_after_charging")
    hanging = asyncio.create_task(provider.post("/v1/charges", charge_order(), "k1"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hanging, 0.3)
    found = (await provider.get("/v1/charges", attempt_id="att_2"))["charges"]
    assert [charge["status"] for charge in found] == ["succeeded"]
    assert await provider.program.stop() == 0


async def test_a_slow_provider_answers_late(provider: Provider) -> None:
    await provider.fault("slow", seconds=0.3)
    started = time.monotonic()
    assert (await provider.post("/v1/charges", charge_order(), "k1")).status_code == 200
    assert time.monotonic() - started >= 0.3


async def test_a_truncated_answer_breaks_off_after_the_charge(provider: Provider) -> None:
    await provider.fault("truncated_body")
    with pytest.raises(httpx.RemoteProtocolError):
        await provider.post("/v1/charges", charge_order(), "k1")
    assert (await provider.post("/v1/charges", charge_order(), "k1")).status_code == 200
    assert await charges(provider) == 1


async def test_a_declining_provider_declines_every_card(provider: Provider) -> None:
    await provider.fault("decline", times=2)
    charge = (await provider.post("/v1/charges", charge_order(), "k1")).json()
    assert charge["decline_code"] == "card_declined"
    checkout = await provider.checkout("k2")
    await provider.type_card(checkout, "4242424242424242")
    assert (await provider.get(f"/v1/checkouts/{checkout['id']}"))["decline_code"] == "card_declined"
    await provider.type_card(checkout, "4242424242424242", tries=1)
    assert (await provider.get(f"/v1/checkouts/{checkout['id']}"))["status"] == "completed"


async def test_a_fault_meets_only_what_it_is_meant_for(provider: Provider) -> None:
    await provider.fault("error_500", match={"attempt_id": "att_other"})
    assert (await provider.post("/v1/charges", charge_order(), "k1")).status_code == 200
    other = charge_order(metadata={"attempt_id": "att_other"})
    assert (await provider.post("/v1/charges", other, "k2")).status_code == 500
    await provider.fault("error_500", match={"operation": "read"})
    assert (await provider.post("/v1/charges", other, "k2")).status_code == 200
    with pytest.raises(AssertionError):
        await provider.get("/v1/charges", attempt_id="att_other")


async def test_trouble_on_the_card_page_leads_to_the_truth(provider: Provider) -> None:
    checkout = await provider.checkout()
    await provider.fault("error_500_after_charging")
    trouble = await provider.type_card(checkout, "4242424242424242")
    assert trouble.status_code == 500
    assert f'href="/checkout/{checkout["id"]}"' in trouble.text
    assert "This is paid" in (await provider.http.get(f"/checkout/{checkout['id']}")).text


async def test_faults_are_listed_removed_and_outlive_a_restart(start: Start) -> None:
    async with start() as provider:
        await provider.fault("slow", times=2)
    async with start() as provider:
        listed = (await provider.http.get("/faults")).json()["faults"]
        assert [(fault["fault"], fault["times_left"]) for fault in listed] == [("slow", 2)]
        assert (await provider.http.delete("/faults")).json() == {"faults": []}
        assert (await provider.http.get("/faults")).json() == {"faults": []}


@pytest.mark.parametrize(
    "body",
    [{"fault": "earthquake"}, {"fault": "slow", "times": 0}, {"fault": "slow", "match": {"operation": "x"}}],
)
async def test_a_malformed_fault_is_refused(provider: Provider, body: dict[str, object]) -> None:
    assert (await provider.http.post("/faults", json=body)).status_code == 400


async def test_the_dashboard_arms_and_disarms(provider: Provider) -> None:
    form = {"fault": "slow", "times": "3", "seconds": "0.5", "operation": "", "reference": "pay_9"}
    assert (await provider.http.post("/dashboard/faults", data=form)).status_code == 303
    assert "reference pay_9" in (await provider.http.get("/")).text
    assert (await provider.http.post("/dashboard/faults/clear")).status_code == 303
    assert (await provider.http.get("/faults")).json() == {"faults": []}
