"""The hosted card page, as a browser without scripts sees it."""

import asyncio
from typing import Any

import pytest

from tests.service.simulator.conftest import Provider
from tests.support.wait import until

HOME = "http://merchant.example/result?payment=pay_1&checkout="


async def state(provider: Provider, checkout: dict[str, Any]) -> dict[str, Any]:
    return await provider.get(f"/v1/checkouts/{checkout['id']}")


async def page(provider: Provider, checkout: dict[str, Any], path: str = "") -> str:
    answer = await provider.http.get(f"/checkout/{checkout['id']}{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_good_card_pays_and_leads_home_with_the_id_only(provider: Provider) -> None:
    checkout = await provider.checkout()
    shown = await page(provider, checkout)
    for words in ("$1,250.50", "Harbor Freight Services", "Invoice HF-00017", 'autocomplete="cc-number"'):
        assert words in shown
    paid = await provider.type_card(checkout, "4242 4242 4242 4242")
    assert (paid.status_code, paid.headers["location"]) == (303, HOME + checkout["id"])
    now = await state(provider, checkout)
    assert now["status"] == "completed"
    assert now["charge"]["card"] == {"brand": "visa", "last4": "4242", "exp": "04/2039"}
    assert "This is paid" in await page(provider, checkout)


async def test_a_form_sent_twice_pays_once(provider: Provider) -> None:
    checkout = await provider.checkout()
    answers = await asyncio.gather(*(provider.type_card(checkout, "4242424242424242") for _ in range(10)))
    assert {answer.headers["location"] for answer in answers} == {HOME + checkout["id"]}
    assert len((await provider.get("/v1/ledger"))["charges"]) == 1


async def test_a_declined_form_sent_twice_counts_as_one_try(provider: Provider) -> None:
    checkout = await provider.checkout()
    await asyncio.gather(*(provider.type_card(checkout, "4000000000000002") for _ in range(10)))
    assert (await state(provider, checkout))["tries"] == 1


async def test_a_declined_card_says_why_and_another_card_pays(provider: Provider) -> None:
    checkout = await provider.checkout()
    declined = await provider.type_card(checkout, "4000000000009995")
    assert declined.headers["location"] == f"/checkout/{checkout['id']}"
    shown = await page(provider, checkout)
    assert "not enough money" in shown
    assert "4 more times" in shown
    now = await state(provider, checkout)
    assert (now["status"], now["decline_code"]) == ("open", "insufficient_funds")
    await provider.type_card(checkout, "4242424242424242", tries=1)
    now = await state(provider, checkout)
    assert (now["status"], now["decline_code"]) == ("completed", None)


async def test_five_declined_cards_end_the_checkout(provider: Provider) -> None:
    checkout = await provider.checkout()
    for tries in range(5):
        await provider.type_card(checkout, "4000000000000002", tries)
    assert (await state(provider, checkout))["status"] == "failed"
    shown = await page(provider, checkout)
    assert "did not go through" in shown
    assert "Back to Harbor Freight Services" in shown
    await provider.type_card(checkout, "4242424242424242", 5)
    assert (await provider.get("/v1/ledger"))["charges"] == []


@pytest.mark.parametrize(("number", "status"), [("", "canceled"), ("4000000000000002", "failed")])
async def test_going_back_ends_the_checkout(provider: Provider, number: str, status: str) -> None:
    checkout = await provider.checkout()
    if number:
        await provider.type_card(checkout, number)
    left = await provider.http.post(f"/checkout/{checkout['id']}/leave")
    assert left.headers["location"] == HOME + checkout["id"]
    assert (await state(provider, checkout))["status"] == status


@pytest.mark.parametrize(
    ("number", "answer", "status", "decline_code"),
    [
        ("4000000000003220", "approve", "completed", None),
        ("4000002760003184", "approve", "completed", None),
        ("4000002500003155", "approve", "completed", None),
        ("4000008400001629", "approve", "open", "card_declined"),
        ("4000008260003178", "approve", "open", "insufficient_funds"),
        ("4000000000003220", "refuse", "open", "authentication_failed"),
    ],
)
async def test_three_d_secure_asks_before_anything_is_charged(
    provider: Provider, number: str, answer: str, status: str, decline_code: str | None
) -> None:
    checkout = await provider.checkout()
    asked = await provider.type_card(checkout, number)
    assert asked.headers["location"].endswith("/challenge")
    assert (await state(provider, checkout))["tries"] == 0
    assert "Is it you who is paying?" in await page(provider, checkout, "/challenge")
    await provider.http.post(f"/checkout/{checkout['id']}/challenge", data={"answer": answer})
    now = await state(provider, checkout)
    assert (now["status"], now["decline_code"]) == (status, decline_code)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number": "4242424242424241"}, "This card number is not right"),
        ({"number": "4111111111111111"}, "This is a test page"),
        ({"number": "12"}, "A card number has 12"),
        ({"number": ""}, "Enter the card number"),
        ({"expiry": "01/20"}, "This card has expired"),
        ({"expiry": "13/39"}, "Enter month and year"),
        ({"cvc": "1"}, "Enter the 3 digits"),
        ({"name": " "}, "Enter the name"),
    ],
)
async def test_a_mistake_is_told_beside_its_field(
    provider: Provider, changes: dict[str, str], message: str
) -> None:
    checkout = await provider.checkout()
    fields = {"number": "4242424242424242", "expiry": "04/39", "cvc": "123", "name": "Ann", "tries": "0"}
    answer = await provider.http.post(f"/checkout/{checkout['id']}", data=fields | changes)
    assert answer.status_code == 422
    name = next(iter(changes))
    assert f'id="{name}-error">{message}' in answer.text
    assert "4242424242424242" not in answer.text


async def test_an_expired_checkout_says_so_and_leads_back(provider: Provider) -> None:
    checkout = await provider.checkout(expires_in_seconds=1)

    async def ended() -> bool:
        return bool((await state(provider, checkout))["status"] == "canceled")

    await until(ended)
    assert (await state(provider, checkout))["cancel_reason"] == "expired"
    shown = await page(provider, checkout)
    assert "has expired" in shown
    assert checkout["id"] in shown
    await provider.type_card(checkout, "4242424242424242")
    assert (await provider.get("/v1/ledger"))["charges"] == []


async def test_the_card_number_is_in_no_file_and_no_log(provider: Provider) -> None:
    checkout = await provider.checkout()
    await provider.fault("error_500", match={"operation": "pay_checkout"})
    for tries, number in enumerate(("4242424242424242", "4000000000000002", "4000000000003220")):
        await provider.type_card(checkout, number, tries)
    for path in [*provider.data_file.parent.glob("*")]:
        content = path.read_bytes()
        assert b"4242424242424242" not in content
        assert b"4000000000000002" not in content
        assert b"4000000000003220" not in content


async def test_the_page_allows_no_script_and_forms_only_home(provider: Provider) -> None:
    checkout = await provider.checkout()
    answer = await provider.http.get(f"/checkout/{checkout['id']}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://merchant.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert (await provider.http.get("/checkout/co_none")).status_code == 404
