"""A customer pays: three invoices at once, a part by a pay link, with a card that is declined, with a challenge."""

import io
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from pypdf import PdfReader

from tests.journeys.card_page import ASKS_THE_BANK, INSUFFICIENT_FUNDS, pay_by_card
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

THROUGH = {"gateway", "payments", "payments-work", "invoicing-work", "notifications-work"}


def new_invoice(stack: RunningStack, customer_id: str, dollars: int) -> dict[str, Any]:
    """Staff issue an invoice through the API."""
    with stack.api("Owner") as api:
        line = {"description": "Crane hours", "unit_price": {"minor_units": dollars * 100, "currency": "USD"}}
        made = api.post(
            "/v1/invoices",
            json={"customer_id": customer_id, "lines": [line]},
            headers={"Idempotency-Key": f"journey-{customer_id}-{dollars}"},
        ).raise_for_status()
        final = api.post(
            f"/v1/invoices/{made.json()['invoice_id']}:finalize",
            json={},
            headers={"Idempotency-Key": f"journey-final-{customer_id}-{dollars}"},
        ).raise_for_status()
        found: dict[str, Any] = final.json()
        return found


def customer_of(stack: RunningStack, login: dict[str, str]) -> str:
    with stack.api(login["email"]) as api:
        found: str = api.get("/v1/me").raise_for_status().json()["customer_id"]
        return found


def mails_to(stack: RunningStack, address: str, **query: Any) -> list[dict[str, Any]]:
    query = {"to": address, **query}
    found: list[dict[str, Any]] = httpx.get(f"{stack.tool('mailbox')}/api/messages", params=query).json()[
        "messages"
    ]
    return found


async def amount_in(page: Page, selector: str) -> Decimal:
    text = await page.locator(selector).first.inner_text()
    return Decimal(re.sub(r"[^0-9.]", "", text))


async def test_three_invoices_with_one_card_payment(
    stack: RunningStack, page: Page, browser: Browser, sign_in: Callable[..., Any]
) -> None:
    login = stack.customer_logins()[0]
    await sign_in(page, login["email"])
    rows = page.locator("form[data-select] tbody tr", has=page.locator("input[name=invoice]"))
    numbers = [await rows.nth(index).locator("th a").inner_text() for index in range(3)]
    for index in range(3):
        await rows.nth(index).locator("input[name=invoice]").check()
    await page.get_by_role("button", name="Pay what is chosen").click()
    total = await amount_in(page, "[data-sum]")
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page)
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()
    payment_id = page.url.rsplit("/", 1)[1]

    with stack.api(login["email"]) as api:
        payment = api.get(f"/v1/payments/{payment_id}").json()
        assert payment["status"] == "succeeded"
        assert Decimal(payment["amount"]["minor_units"]) == total * 100
        assert sorted(part["invoice_number"] for part in payment["parts"]) == sorted(numbers)
        ids = [part["invoice_id"] for part in payment["parts"]]
        await until(
            lambda: all(api.get(f"/v1/invoices/{i}").json()["status"] == "paid" for i in ids),
            timeout_seconds=2,
        )
    receipt_is_mailed_with_its_pdf(stack, payment, numbers)
    await staff_see_it(stack, browser, payment, sign_in)
    the_trace_goes_through_everything(stack, payment_id)


def receipt_is_mailed_with_its_pdf(stack: RunningStack, payment: dict[str, Any], numbers: list[str]) -> None:
    with stack.api("Owner") as api:
        address = api.get(f"/v1/customers/{payment['customer_id']}").json()["email"]
    found = mails_to(stack, address, q=payment["receipt_number"], wait_seconds=10)
    assert len(found) == 1
    mailbox = stack.tool("mailbox")
    mail = httpx.get(f"{mailbox}/api/messages/{found[0]['id']}").json()
    assert mail["deliveries"] == 1
    assert all(number in mail["text"] for number in numbers)
    pdf = httpx.get(f"{mailbox}/api/messages/{found[0]['id']}/attachments/1").content
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert payment["receipt_number"] in text
    assert all(number in text for number in numbers)


async def staff_see_it(
    stack: RunningStack, browser: Browser, payment: dict[str, Any], sign_in: Callable[..., Any]
) -> None:
    context = await browser.new_context(locale="en-US")
    staff = await context.new_page()
    await sign_in(staff, stack.login("Owner")["email"], path="/console/login")
    await staff.goto(f"{stack.url}/console/payments")
    await expect(staff.get_by_text(payment["receipt_number"]).first).to_be_visible()
    await staff.goto(f"{stack.url}/console/payments/{payment['payment_id']}")
    await expect(staff.get_by_text("Visa 4242").first).to_be_visible()
    await context.close()


def the_trace_goes_through_everything(stack: RunningStack, payment_id: str) -> None:
    query: dict[str, str | int] = {"name": "PaymentSucceeded", "wait_seconds": 10}
    traces = httpx.get(f"{stack.tool('traces')}/api/traces", params=query, timeout=20).json()["traces"]
    whole = [trace for trace in traces if set(trace["services"]) >= THROUGH]
    assert whole, [trace["services"] for trace in traces]
    found = httpx.get(f"{stack.tool('traces')}/api/traces/{whole[0]['trace_id']}").json()
    names = [(span["service"], span["name"]) for span in found["spans"]]
    assert ("payments-work", "publish tallyport.payments.v1.PaymentSucceeded") in names
    assert ("invoicing-work", "consume tallyport.payments.v1.PaymentSucceeded") in names
    assert ("invoicing-work", "INSERT") in names
    assert any(service == "notifications-work" and "mail" in name for service, name in names)


async def test_a_part_by_a_pay_link_without_signing_in(stack: RunningStack, page: Page) -> None:
    customer_id = customer_of(stack, stack.customer_logins()[1])
    invoice = new_invoice(stack, customer_id, 250)
    with stack.api("Owner") as api:
        address = api.get(f"/v1/customers/{customer_id}").json()["email"]
    mail = mails_to(stack, address, q=invoice["number"], wait_seconds=10)[0]
    links = httpx.get(f"{stack.tool('mailbox')}/api/messages/{mail['id']}").json()["links"]
    link = next(link for link in links if "/l/" in link)

    # Mail scanners open links: reading changes nothing, however often.
    for _ in range(3):
        assert httpx.get(link, follow_redirects=True).status_code == 200
    await page.goto(link)
    assert "/l/invoice" in page.url, "the secret does not stay in the address"
    await expect(page.get_by_role("heading", name=invoice["number"])).to_be_visible()
    await page.get_by_label(re.compile("Amount")).fill("100.00")
    await expect(page.locator("[data-sum]")).to_have_text("$100.00", use_inner_text=True)
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page)
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()

    with stack.api("Owner") as api:
        path = f"/v1/invoices/{invoice['invoice_id']}"
        await until(lambda: api.get(path).json()["status"] == "partly_paid")
        assert api.get(path).json()["amount_due"]["minor_units"] == 15_000
    # The holder of the link sees this invoice and nothing else.
    await page.goto(f"{stack.url}/invoices")
    assert "/login" in page.url


async def test_a_declined_card_says_why_and_the_invoice_stays_payable(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    login = stack.customer_logins()[1]
    invoice = new_invoice(stack, customer_of(stack, login), 75)
    await sign_in(page, login["email"])
    await page.goto(f"{stack.url}/pay?invoice={invoice['invoice_id']}")
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page, INSUFFICIENT_FUNDS)
    await expect(page.get_by_role("alert")).to_contain_text("not enough money")
    await page.get_by_role("button", name=re.compile("Back to")).click()
    await expect(page.get_by_role("heading", name="The payment did not go through")).to_be_visible()
    await expect(page.locator(".result")).to_contain_text("money")
    await expect(page.locator(".result")).to_contain_text("Nothing was charged")
    await page.get_by_role("link", name="Try again").click()
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page)
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()


async def test_a_card_whose_bank_asks_first(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    login = stack.customer_logins()[1]
    invoice = new_invoice(stack, customer_of(stack, login), 31)
    await sign_in(page, login["email"])
    await page.goto(f"{stack.url}/pay?invoice={invoice['invoice_id']}")
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page, ASKS_THE_BANK)
    await page.get_by_role("button", name=re.compile("Yes, approve")).click()
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()


async def test_two_tabs_on_one_invoice_pay_it_once(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    login = stack.customer_logins()[1]
    invoice = new_invoice(stack, customer_of(stack, login), 64)
    await sign_in(page, login["email"])
    second = await page.context.new_page()
    for tab in (page, second):
        await tab.goto(f"{stack.url}/pay?invoice={invoice['invoice_id']}")
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page)
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()
    with stack.api("Owner") as api:
        await until(lambda: api.get(f"/v1/invoices/{invoice['invoice_id']}").json()["status"] == "paid")
    await second.get_by_role("button", name="Continue to the card page").last.click()
    await expect(second.get_by_text("Nothing is left to pay")).to_be_visible()
    assert "/checkout/" not in second.url
    ledger = httpx.get(
        f"{stack.tool('simulator')}/v1/ledger",
        headers={"Authorization": f"Bearer {stack.environment.secrets.simulator_secret}"},
        params={"payment_id": page.url.rsplit("/", 1)[1]},
    ).raise_for_status()
    assert len(ledger.json()["charges"]) == 1


async def test_everything_works_without_javascript(stack: RunningStack, browser: Browser) -> None:
    login = stack.customer_logins()[1]
    invoice = new_invoice(stack, customer_of(stack, login), 47)
    context = await browser.new_context(java_script_enabled=False, locale="en-US")
    page = await context.new_page()
    await page.goto(f"{stack.url}/login")
    await page.get_by_label("E-mail").fill(login["email"])
    await page.get_by_label("Password").fill("correct-horse-battery-demo")
    await page.get_by_role("button", name="Sign in").click()
    await page.goto(f"{stack.url}/invoices?q={invoice['number']}")
    await page.locator(f"input[name=invoice][value={invoice['invoice_id']}]").check()
    await page.get_by_role("button", name="Pay what is chosen").click()
    await page.get_by_role("button", name="Continue to the card page").last.click()
    await pay_by_card(page)
    await expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()
    await context.close()
