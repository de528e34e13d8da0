"""Signed webhooks: what is sent, again and again if need be."""

import asyncio
import signal

import httpx

from tests.service.simulator.conftest import Provider, Receiver, Start, charge_order, verify


async def test_a_webhook_is_thin_and_signed(provider: Provider, receiver: Receiver) -> None:
    checkout = await provider.checkout()
    await provider.type_card(checkout, "4242424242424242")
    await receiver.got(1)
    headers, body = receiver.received[0]
    assert verify(headers, body)
    assert not verify(headers, body + b" ")
    assert receiver.bodies[0]["type"] == "checkout.completed"
    assert receiver.bodies[0]["data"] == {
        "object_id": checkout["id"],
        "kind": "checkout",
        "version": 2,
        "metadata": checkout["metadata"],
    }


async def test_each_end_has_its_type(provider: Provider, receiver: Receiver) -> None:
    await provider.post("/v1/charges", charge_order(), "c1")
    await provider.post("/v1/charges", charge_order("tok_declined"), "c2")
    canceled = await provider.checkout("k1")
    await provider.post(f"/v1/checkouts/{canceled['id']}/cancel", {})
    failed = await provider.checkout("k2")
    await provider.type_card(failed, "4000000000000002")
    await provider.http.post(f"/checkout/{failed['id']}/leave")
    await receiver.got(4)
    assert sorted(body["type"] for body in receiver.bodies) == [
        "charge.failed",
        "charge.succeeded",
        "checkout.canceled",
        "checkout.failed",
    ]


async def test_a_replayed_request_sends_no_second_event(provider: Provider, receiver: Receiver) -> None:
    for _ in range(5):
        await provider.post("/v1/charges", charge_order(), "c1")
    await provider.post("/v1/charges", charge_order(), "c2")
    await receiver.got(2)
    assert len(set(receiver.ids)) == len(receiver.ids) == 2


async def test_a_refused_webhook_comes_again_with_the_same_id(provider: Provider, receiver: Receiver) -> None:
    receiver.statuses = [503]
    await provider.post("/v1/charges", charge_order(), "c1")
    await receiver.got(2)
    assert receiver.ids[0] == receiver.ids[1]
    assert all(verify(headers, body) for headers, body in receiver.received)


async def test_an_undelivered_webhook_outlives_a_killed_process(start: Start, receiver: Receiver) -> None:
    receiver.statuses = [500]
    async with start() as provider:
        await provider.post("/v1/charges", charge_order(), "c1")
        await receiver.got(1)
        await provider.program.stop(signal.SIGKILL)
    async with start():
        await receiver.got(2)
    assert receiver.ids[0] == receiver.ids[1]


async def test_withheld_duplicated_and_reordered_events(provider: Provider, receiver: Receiver) -> None:
    await provider.fault("no_webhooks", match={"reference": "silent"})
    await provider.fault("duplicate_webhooks", match={"reference": "thrice"})
    await provider.fault("reorder_webhooks", times=3, seconds=30, match={"reference": "backwards"})
    charges = [
        (await provider.post("/v1/charges", charge_order(reference="backwards"), f"k{number}")).json()["id"]
        for number in range(3)
    ]
    await receiver.got(3)
    assert [body["data"]["object_id"] for body in receiver.bodies] == charges[::-1]
    receiver.received.clear()
    await provider.post("/v1/charges", charge_order(reference="silent"), "silent")
    await provider.post("/v1/charges", charge_order(reference="thrice"), "thrice")
    await receiver.got(3)
    assert len(set(receiver.ids)) == 1
    assert "withheld" in (await provider.http.get("/")).text


async def test_held_events_go_out_when_their_time_is_up(provider: Provider, receiver: Receiver) -> None:
    await provider.fault("reorder_webhooks", times=5, seconds=0.3)
    await provider.post("/v1/charges", charge_order(), "k1")
    await provider.post("/v1/charges", charge_order(), "k2")
    await receiver.got(2)


async def test_a_webhook_can_come_before_the_answer(provider: Provider, receiver: Receiver) -> None:
    await provider.fault("webhook_before_return", times=2)
    charge = (await provider.post("/v1/charges", charge_order(), "k1")).json()
    assert [body["data"]["object_id"] for body in receiver.bodies] == [charge["id"]]
    checkout = await provider.checkout("k2")
    paid: httpx.Response = await asyncio.wait_for(provider.type_card(checkout, "4242424242424242"), 10)
    assert paid.status_code == 303


async def test_the_dashboard_sends_an_event_again(provider: Provider, receiver: Receiver) -> None:
    await provider.post("/v1/charges", charge_order(), "k1")
    await receiver.got(1)
    path = f"/dashboard/events/{receiver.ids[0]}/send"
    foreign = await provider.http.post(path, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    await provider.http.post(path)
    await receiver.got(2)
    assert receiver.ids[0] == receiver.ids[1]
