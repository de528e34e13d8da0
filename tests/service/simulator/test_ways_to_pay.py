"""Hosted pages for everything but cards: debits, redirects, wallets, coins, and saving methods."""

from typing import Any

import pytest

from tests.service.simulator.conftest import Provider, Receiver, checkout_order
from tests.support.wait import until

HOME = "http://merchant.example/result?payment=pay_1&"
DEBIT = {"routing": "110000000", "account": "000123456789", "holder": "Ann Lee", "mandate": "accepted"}
SEPA = {"iban": "DE89 3704 0044 0532 0130 00", "holder": "Ann Lee", "mandate": "accepted"}


async def page(provider: Provider, path: str) -> str:
    answer = await provider.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def state(provider: Provider, checkout: dict[str, Any]) -> dict[str, Any]:
    return await provider.get(f"/v1/checkouts/{checkout['id']}")


async def setup_of(provider: Provider, kind: str = "card") -> dict[str, Any]:
    body = {"kind": kind, "return_url": "http://merchant.example/saved", "merchant_name": "Harbor"}
    answer = await provider.post("/v1/setups", body | {"metadata": {"setup_id": "set_1"}}, "s1")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


@pytest.mark.parametrize(
    ("currency", "form", "label"), [("USD", DEBIT, "Test Bank 6789"), ("EUR", SEPA, "Testbank 3000")]
)
async def test_an_account_is_debited_after_its_holder_accepted_the_mandate(
    provider: Provider, currency: str, form: dict[str, str], label: str
) -> None:
    checkout = await provider.checkout(kind="bank_debit", currency=currency)
    shown = await page(provider, f"/checkout/{checkout['id']}")
    assert "I accept this mandate" in shown
    assert "Harbor Freight Services" in shown
    refused = await provider.http.post(f"/checkout/{checkout['id']}", data=form | {"mandate": ""})
    assert refused.status_code == 422
    assert "Please accept the mandate" in refused.text
    paid = await provider.http.post(f"/checkout/{checkout['id']}", data=form)
    assert paid.headers["location"] == f"{HOME}checkout={checkout['id']}"
    charge = (await state(provider, checkout))["charge"]
    assert (charge["status"], charge["label"]) == ("processing", label)
    mandate = charge["method"]["mandate"]
    assert mandate["accepted_from"]["holder"] == "Ann Lee"
    assert mandate["accepted_from"]["ip"] == "127.0.0.1"
    assert "on its way" in await page(provider, f"/checkout/{checkout['id']}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"routing": "123"}, "nine digits"),
        ({"routing": "110000001"}, "check each digit"),
        ({"account": "000123456780"}, "only the test accounts"),
        ({"holder": ""}, "name of the account holder"),
    ],
)
async def test_a_wrong_account_is_refused_field_by_field(
    provider: Provider, changes: dict[str, str], words: str
) -> None:
    checkout = await provider.checkout(kind="bank_debit")
    answer = await provider.http.post(f"/checkout/{checkout['id']}", data=DEBIT | changes)
    assert answer.status_code == 422
    assert words in answer.text


async def test_debits_are_in_dollars_or_euros(provider: Provider) -> None:
    answer = await provider.post("/v1/checkouts", checkout_order(kind="bank_debit", currency="JPY"), "k9")
    assert answer.json()["error"]["code"] == "currency_not_supported"


async def test_a_debit_form_sent_twice_debits_once(provider: Provider) -> None:
    checkout = await provider.checkout(kind="bank_debit")
    for _ in range(2):
        await provider.http.post(f"/checkout/{checkout['id']}", data=DEBIT)
    charges = (await provider.get("/v1/charges", attempt_id="att_1"))["charges"]
    assert len(charges) == 1


async def test_a_redirect_comes_back_after_its_webhook(provider: Provider, receiver: Receiver) -> None:
    checkout = await provider.checkout(kind="redirect")
    address = f"/checkout/{checkout['id']}"
    assert "Approve and pay" in await page(provider, address)
    answer = await provider.http.post(address, data={"behaviour": "webhook_before_return"})
    assert answer.headers["location"] == f"{HOME}checkout={checkout['id']}"
    assert [body["type"] for body in receiver.bodies] == ["checkout.completed"]


async def test_a_redirect_comes_back_before_its_webhook(provider: Provider, receiver: Receiver) -> None:
    checkout = await provider.checkout(kind="redirect")
    address = f"/checkout/{checkout['id']}"
    answer = await provider.http.post(address, data={"behaviour": "return_before_webhook"})
    assert answer.status_code == 303
    assert (await state(provider, checkout))["status"] == "completed"
    assert receiver.bodies == []
    await until(lambda: receiver.bodies, timeout_seconds=10)


async def test_a_payer_who_never_comes_back_has_paid(provider: Provider, receiver: Receiver) -> None:
    checkout = await provider.checkout(kind="redirect")
    address = f"/checkout/{checkout['id']}"
    answer = await provider.http.post(address, data={"behaviour": "never_returns"})
    assert answer.status_code == 200
    assert "You have paid" in answer.text
    assert "merchant.example" not in answer.text
    await receiver.got(1)


async def test_a_declined_redirect_can_be_tried_again(provider: Provider) -> None:
    checkout = await provider.checkout(kind="redirect")
    address = f"/checkout/{checkout['id']}"
    await provider.http.post(address, data={"behaviour": "declined"})
    assert "was declined" in await page(provider, address)
    await provider.http.post(address, data={"behaviour": "as_usual"})
    assert (await state(provider, checkout))["status"] == "completed"


async def test_a_wallet_pays_by_a_button(provider: Provider) -> None:
    checkout = await provider.checkout(kind="wallet")
    address = f"/checkout/{checkout['id']}"
    assert "Pay with Google Pay" in await page(provider, address)
    await provider.http.post(address, data={"token": "tok_google_pay"})
    charge = (await state(provider, checkout))["charge"]
    assert (charge["kind"], charge["wallet"], charge["card"]["brand"]) == (
        "wallet",
        "google_pay",
        "mastercard",
    )


async def test_a_wallets_token_is_good_for_one_attempt(provider: Provider) -> None:
    made = await provider.post("/v1/tokens", {"wallet": "apple_pay", "card": "tok_amex"})
    order = {"amount_minor_units": 500, "currency": "USD", "card_token": made.json()["token"]}
    first = order | {"metadata": {"attempt_id": "att_1"}}
    assert (await provider.post("/v1/charges", first, "w1")).json()["status"] == "succeeded"
    assert (await provider.post("/v1/charges", first, "w1")).json()["card"]["brand"] == "amex"
    second = order | {"metadata": {"attempt_id": "att_2"}}
    assert (await provider.post("/v1/charges", second, "w2")).json()["error"]["code"] == "wallet_token_used"


async def test_the_file_that_proves_a_domain_needs_no_key(provider: Provider) -> None:
    answer = await provider.http.get("/v1/wallets/apple-pay/domain-association")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text


async def test_coins_sent_in_parts_add_up(provider: Provider) -> None:
    checkout = await provider.checkout(kind="stablecoin")
    address = f"/checkout/{checkout['id']}"
    shown = await page(provider, address)
    for words in ("1250.500000 TUSD", "0xtest", "15 minutes", "Send a tenth less"):
        assert words in shown
    await provider.http.post(address, data={"amount_minor_units": "100000"})
    assert (await state(provider, checkout))["status"] == "processing"
    assert "$1,000.00 came so far" in await page(provider, address)
    await provider.http.post(address, data={"amount_minor_units": "25050"})
    now = await state(provider, checkout)
    assert (now["status"], now["charge"]["amount_minor_units"]) == ("completed", 125_050)


async def test_coins_that_come_too_late_count_all_the_same(provider: Provider) -> None:
    checkout = await provider.checkout(kind="stablecoin")
    address = f"/checkout/{checkout['id']}"
    await provider.post("/v1/clock", {"advance_seconds": 1000})
    assert (await state(provider, checkout))["status"] == "canceled"
    assert "too late" in await page(provider, address)
    await provider.post(f"/v1/checkouts/{checkout['id']}/coins", {"amount_minor_units": 125_050})
    now = await state(provider, checkout)
    assert (now["status"], now["charge"]["amount_minor_units"]) == ("completed", 125_050)


async def test_a_card_is_saved_and_the_browser_goes_home(provider: Provider) -> None:
    setup = await setup_of(provider)
    shown = await page(provider, f"/setup/{setup['id']}")
    assert "Nothing is charged now" in shown
    card = {"number": "4000002500003155", "expiry": "04/39", "cvc": "123", "name": "Ann Lee"}
    asked = await provider.http.post(f"/setup/{setup['id']}", data=card)
    assert asked.headers["location"] == f"/setup/{setup['id']}/challenge"
    assert "saving this card" in await page(provider, f"/setup/{setup['id']}/challenge")
    done = await provider.http.post(f"/setup/{setup['id']}/challenge", data={"answer": "approve"})
    assert done.headers["location"] == f"http://merchant.example/saved?setup={setup['id']}"
    method = (await provider.get(f"/v1/setups/{setup['id']}"))["method"]
    assert (method["last4"], method["exp_month"], method["exp_year"]) == ("3155", 4, 2039)
    assert "This is saved" in await page(provider, f"/setup/{setup['id']}")
    charge = {"amount_minor_units": 500, "currency": "USD", "method_id": method["id"], "off_session": True}
    assert (await provider.post("/v1/charges", charge, "m1")).json()["status"] == "succeeded"
    renewed = await provider.post(f"/v1/methods/{method['id']}/renew", {"exp": "04/2044"})
    assert renewed.json()["exp_year"] == 2044


async def test_a_declined_card_is_not_saved_but_one_that_fails_later_is(provider: Provider) -> None:
    setup = await setup_of(provider)
    card = {"number": "4000000000000002", "expiry": "04/39", "cvc": "123", "name": "Ann Lee"}
    await provider.http.post(f"/setup/{setup['id']}", data=card)
    assert "card was declined" in await page(provider, f"/setup/{setup['id']}")
    await provider.http.post(f"/setup/{setup['id']}", data=card | {"number": "4000000000000341"})
    method = (await provider.get(f"/v1/setups/{setup['id']}"))["method"]
    charge = {"amount_minor_units": 500, "currency": "USD", "method_id": method["id"], "off_session": True}
    assert (await provider.post("/v1/charges", charge, "m1")).json()["decline_code"] == "card_declined"


@pytest.mark.parametrize(("scheme", "form"), [("ach", DEBIT), ("sepa", SEPA)])
async def test_an_account_is_saved_by_either_scheme(
    provider: Provider, scheme: str, form: dict[str, str]
) -> None:
    setup = await setup_of(provider, "bank_debit")
    shown = await page(provider, f"/setup/{setup['id']}?scheme={scheme}")
    assert "IBAN" in shown
    assert "I accept this mandate" in shown
    await provider.http.post(f"/setup/{setup['id']}", data=form | {"scheme": scheme})
    method = (await provider.get("/v1/setups", setup_id="set_1"))["setups"][0]["method"]
    assert method["mandate"]["reference"]
    foreign = {"ach": "EUR", "sepa": "USD"}[scheme]
    charge = {"amount_minor_units": 500, "currency": foreign, "method_id": method["id"]}
    answer = await provider.post("/v1/charges", charge, "m1")
    assert answer.json()["decline_code"] == "currency_not_supported"
