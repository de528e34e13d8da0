"""Every way to pay, in a real browser: from what is owed to what the page says afterwards, and the invoice agrees."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.journeys.card_page import pay_by_card
from tests.journeys.hosted_pages import (
    approve_redirect,
    pay_by_bank,
    pay_by_wallet,
    send_coins,
)
from tests.journeys.payers import Payer, new_payer
from tests.journeys.test_pages import violations
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

SignIn = Callable[..., Any]
PAID = "Paid. Thank you."


async def choose(page: Page, way: str) -> None:
    await page.locator(".way", has_text=way).first.locator("input").check()


async def press_pay(page: Page) -> None:
    await page.locator("form.pay-form button[name=do][value=pay]").last.click()


async def says(page: Page, heading: str) -> None:
    await page.wait_for_url("**/payments/pay_*")
    await expect(page.get_by_role("heading", name=heading)).to_be_visible()


async def is_settled(payer: Payer, invoice: dict[str, Any], status: str = "paid") -> None:
    with payer.stack.api("Owner") as api:
        path = f"/v1/invoices/{invoice['invoice_id']}"
        await until(lambda: api.get(path).json()["status"] == status, timeout_seconds=10)


async def test_a_saved_card_pays_what_is_due_in_three_actions(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 40)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/pay?select=due")
    await page.get_by_label("Keep this card").check()
    await press_pay(page)
    await pay_by_card(page)
    await says(page, PAID)
    second = payer.owes(55)

    await page.goto(stack.url)
    actions = 0
    await page.get_by_role("link", name=re.compile(r"Pay \$55\.00")).click()
    actions += 1
    await expect(page.locator("[data-sum]")).to_have_text("$55.00", use_inner_text=True)
    await page.get_by_role("button", name=re.compile(r"Pay \$55\.00")).last.click()
    actions += 1
    await says(page, PAID)
    async with page.expect_download() as receipt:
        await page.get_by_role("link", name=re.compile("Receipt")).click()
    actions += 1
    assert (await receipt.value).suggested_filename.endswith(".pdf")
    assert actions <= 3
    await is_settled(payer, second)


async def test_a_bank_debit_is_on_its_way_settles_and_comes_back_later(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 61)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/pay?select=due")
    await choose(page, "Bank account")
    await press_pay(page)
    await page.wait_for_url("**/checkout/**")
    checkout = page.url
    await pay_by_bank(page)
    await says(page, "Your payment is on its way")
    await expect(page.locator(".result")).to_contain_text("is expected to have settled it on")

    charge = charge_of(payer, checkout)
    tell_the_bank(payer, charge, "settle")
    await says(page, PAID)  # the page watches
    await is_settled(payer, payer.invoices[0])

    tell_the_bank(payer, charge, "return", return_code="R01")
    await is_settled(payer, payer.invoices[0], "open")
    await page.reload()
    await says(page, "This payment came back")
    await expect(page.locator(".result")).to_contain_text("not enough money on the account")
    assert await violations(page) == []


@pytest.mark.parametrize("switch", ["as usual", "come back before", "come back after"])
async def test_a_redirect_wallet_pays_in_whichever_order_the_news_come(
    stack: RunningStack, page: Page, sign_in: SignIn, switch: str
) -> None:
    payer = new_payer(stack, 33)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/pay?select=due")
    await choose(page, "PayPal or the like")
    await press_pay(page)
    await approve_redirect(page, switch)
    await says(page, PAID)
    await is_settled(payer, payer.invoices[0])


async def test_a_payer_who_never_comes_back_has_paid_all_the_same(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 34)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/pay?select=due")
    await choose(page, "PayPal or the like")
    await press_pay(page)
    await approve_redirect(page, "but never come back")
    await is_settled(payer, payer.invoices[0])


async def test_a_wallet_pays_on_the_providers_page(stack: RunningStack, page: Page, sign_in: SignIn) -> None:
    payer = new_payer(stack, 35)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/pay?select=due")
    await choose(page, "Apple Pay")
    await press_pay(page)
    await pay_by_wallet(page)
    await says(page, PAID)
    await is_settled(payer, payer.invoices[0])


async def test_a_wallet_token_pays_through_the_api(stack: RunningStack) -> None:
    payer = new_payer(stack, 36)
    with payer.simulator() as provider:
        token = provider.post("/v1/tokens", json={"wallet": "apple_pay"}).raise_for_status().json()["token"]
    invoice = payer.invoices[0]
    with stack.api(payer.email) as api:
        body = {
            "parts": [{"invoice_id": invoice["invoice_id"], "amount": invoice["amount_due"]}],
            "wallet_token": {"token": token, "wallet": "apple_pay"},
        }
        paid = api.post(
            "/v1/payments", json=body, headers={"Idempotency-Key": token[-32:]}
        ).raise_for_status()
        assert paid.json()["status"] == "succeeded"
    await is_settled(payer, invoice)


async def test_coins_pay_an_invoice(stack: RunningStack, page: Page, sign_in: SignIn) -> None:
    payer = new_payer(stack, 50)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/pay?select=due")
    await choose(page, "Stablecoin")
    await press_pay(page)
    await send_coins(page)
    await says(page, PAID)
    await is_settled(payer, payer.invoices[0])


async def test_credit_alone_pays_and_nothing_is_charged(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 20)
    payer.has_credit(25)
    await sign_in(page, payer.email)
    await credit_is_there(stack, page, "$25.00")
    await page.goto(f"{stack.url}/pay?select=due")
    await expect(page.get_by_role("button", name="Pay with your credit").last).to_be_visible()
    await press_pay(page)
    await says(page, PAID)
    await expect(page.locator(".result")).to_contain_text("Nothing was charged.")
    assert payer.payment(page)["credit_used"]["minor_units"] == 2_000
    await is_settled(payer, payer.invoices[0])


async def test_many_invoices_and_part_of_one_with_credit_first_or_kept(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 10, 20, 30)
    payer.has_credit(15)
    await sign_in(page, payer.email)
    await credit_is_there(stack, page, "$15.00")
    await page.goto(f"{stack.url}/pay?select=due")
    await expect(page.locator("[data-sum]")).to_have_text("$45.00", use_inner_text=True)
    await page.get_by_label("Keep it for later").check()
    await expect(page.locator("[data-sum]")).to_have_text("$60.00", use_inner_text=True)
    await page.get_by_label("Keep it for later").uncheck()
    await expect(page.locator("[data-sum]")).to_have_text("$45.00", use_inner_text=True)
    part = payer.invoices[2]
    await page.locator(f"#amount_{part['invoice_id']}").fill("12.50")
    await expect(page.locator("[data-sum]")).to_have_text("$27.50", use_inner_text=True)
    await look_at_open(page)
    await press_pay(page)
    await pay_by_card(page)
    await says(page, PAID)
    payment = payer.payment(page)
    assert payment["amount"]["minor_units"] == 2_750
    assert payment["credit_used"]["minor_units"] == 1_500
    await is_settled(payer, payer.invoices[0])
    await is_settled(payer, part, "partly_paid")


async def test_what_changed_between_page_and_confirm_is_shown_and_not_charged(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 70)
    await sign_in(page, payer.email)
    await page.goto(f"{stack.url}/pay?select=due")
    await expect(page.locator("[data-sum]")).to_have_text("$70.00", use_inner_text=True)
    with stack.api("Owner") as api:
        invoice = payer.invoices[0]
        amount = {"minor_units": 1_000, "currency": "USD"}
        body = {
            "customer_id": payer.customer_id,
            "amount": amount,
            "method": "cheque",
            "parts": [{"invoice_id": invoice["invoice_id"], "amount": amount}],
        }
        api.post(
            "/v1/payments:record", json=body, headers={"Idempotency-Key": f"cheque-{payer.customer_id}"}
        ).raise_for_status()
    await is_settled(payer, invoice, "partly_paid")
    async with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        await press_pay(page)
    assert (await answer.value).status == 409
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was charged")
    await expect(page.locator("[data-sum]")).to_have_text("$60.00", use_inner_text=True)


async def test_any_sum_is_placed_and_what_is_over_becomes_credit(
    stack: RunningStack, page: Page, sign_in: SignIn
) -> None:
    payer = new_payer(stack, 10, 20)
    await sign_in(page, payer.email)
    await page.goto(stack.url)
    await page.get_by_role("link", name="Pay another amount").click()
    await page.get_by_label("Amount in USD").fill("37.50")
    await page.get_by_role("button", name="Place it").click()
    await expect(page.get_by_label("In advance")).to_have_value("7.50")
    await press_pay(page)
    await pay_by_card(page)
    await says(page, PAID)
    await credit_is_there(stack, page, "$7.50")


async def look_at_open(page: Page) -> None:
    """The page as it is, on a small telephone."""
    await page.set_viewport_size({"width": 320, "height": 900})
    wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide
    await page.set_viewport_size({"width": 1280, "height": 900})


async def credit_is_there(stack: RunningStack, page: Page, amount: str) -> None:
    """Credit comes with an event: the overview shows it within moments."""

    async def shown() -> bool:
        await page.goto(stack.url)
        return amount in "".join(await page.locator(".tile", has_text="Your credit").all_inner_texts())

    await until(shown, timeout_seconds=10)


def charge_of(payer: Payer, checkout: str) -> str:
    """The provider's charge of a checkout, by the address of its page."""
    found = re.search(r"co_[0-9A-Za-z_]+", checkout)
    assert found is not None
    with payer.simulator() as api:
        charge = api.get(f"/v1/checkouts/{found[0]}").raise_for_status().json()["charge"]
        return str(charge["id"])


def tell_the_bank(payer: Payer, charge: str, what: str, **body: str) -> None:
    with payer.simulator() as api:
        api.post(f"/v1/charges/{charge}/{what}", json=body).raise_for_status()
