"""Every page, for everybody: no barrier that axe can find, nothing wider than a small telephone, in each language."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import Browser, Page, expect

from devstack.demo.receivables import FAMILY_LOGIN, IN_PLAN_LOGIN
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
PORTAL = [
    "/",
    "/invoices",
    "/invoices?show=paid",
    "/payments",
    "/account",
    "/pay?select=open",
    "/methods",
    "/autopay",
    "/subscriptions",
    "/billing",
    "/statement",
    "/plans",
    "/plans/new",
    "/plans/new?step=why",
]
CONSOLE = [
    "/console",
    "/console/invoices",
    "/console/invoices/new",
    "/console/customers",
    "/console/customers/new",
    "/console/payments",
    "/console/messages",
    "/console/import",
    "/console/schedules",
    "/console/schedules/calendar",
    "/console/triggers",
    "/console/triggers/new",
    "/console/triggers/events",
    "/console/customers/proposals",
    "/console/plans",
    "/console/disputes",
    "/console/books/close",
    "/console/exports",
    "/console/items",
    "/console/items/new",
    "/console/settings/plans",
    "/console/settings/late-fees",
    "/console/settings/dunning",
    "/console/settings/dunning/texts?segment=charter&level=1",
    "/console/settings/taxes",
    "/console/settings/test-clock",
]


@cache
def axe_source() -> str:
    from importlib import resources

    return (resources.files(axe_playwright_python) / "axe.min.js").read_text()


async def violations(page: Page) -> list[str]:
    # Evaluated, not added as a script: the content security policy lets no foreign script in.
    await page.evaluate(axe_source())
    # All rules run; what passed is not told node by node, which takes longer than finding it.
    options = {"runOnly": RULES, "resultTypes": ["violations"]}
    result = await page.evaluate("options => axe.run(options)", options)
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in result["violations"]]


async def is_too_wide(page: Page) -> bool:
    wide: bool = await page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wide


async def look_at(page: Page, url: str) -> None:
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 900})
        answer = await page.goto(url)
        assert answer is not None
        assert answer.status == 200, url
        assert not await is_too_wide(page), (url, width)
    assert await violations(page) == [], url


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_portal_pages_have_no_barriers(
    stack: RunningStack, browser: Browser, sign_in: Callable[..., Any], scheme: Any
) -> None:
    context = await browser.new_context(color_scheme=scheme, locale="en-US")
    page = await context.new_page()
    await look_at(page, f"{stack.url}/login")
    await sign_in(page, stack.customer_logins()[1]["email"])
    for path in PORTAL:
        await look_at(page, stack.url + path)
    with stack.api(stack.customer_logins()[1]["email"]) as api:
        invoice = api.get("/v1/invoices").json()["invoices"][0]["invoice_id"]
        payment = api.get("/v1/payments").json()["payments"][0]["payment_id"]
    await look_at(page, f"{stack.url}/invoices/{invoice}")
    await look_at(page, f"{stack.url}/payments/{payment}")
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_console_pages_have_no_barriers(
    stack: RunningStack, browser: Browser, sign_in: Callable[..., Any], scheme: Any
) -> None:
    context = await browser.new_context(color_scheme=scheme, locale="en-US")
    page = await context.new_page()
    await look_at(page, f"{stack.url}/console/login")
    await sign_in(page, stack.login("Owner")["email"], path="/console/login")
    for path in CONSOLE:
        await look_at(page, stack.url + path)
    with stack.api("Owner") as api:
        invoice = api.get("/v1/invoices").json()["invoices"][0]
        payment = api.get("/v1/payments").json()["payments"][0]["payment_id"]
        (rejected,) = api.get("/v1/einvoices", params={"waiting": "true"}).json()["einvoices"]
    await look_at(page, f"{stack.url}/console/invoices/{rejected['document_id']}")
    await look_at(page, f"{stack.url}/console/einvoices/{rejected['document_id']}")
    await look_at(page, f"{stack.url}/console/invoices/{invoice['invoice_id']}")
    await look_at(page, f"{stack.url}/console/customers/{invoice['customer_id']}")
    await look_at(page, f"{stack.url}/console/payments/{payment}")
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_of_a_plan_and_of_a_family_have_no_barriers(
    stack: RunningStack, browser: Browser, sign_in: Callable[..., Any], scheme: Any
) -> None:
    for email in (IN_PLAN_LOGIN, FAMILY_LOGIN):
        context = await browser.new_context(color_scheme=scheme, locale="en-US")
        page = await context.new_page()
        await sign_in(page, email)
        await look_at(page, stack.url)
        await look_at(page, f"{stack.url}/subscriptions")
        with stack.api(email) as api:
            plans = api.get("/v1/instalment_plans").json()["plans"]
            notes = api.get("/v1/credit_notes").json()["credit_notes"]
            disputes = api.get("/v1/disputes").json()["disputes"]
        for plan in plans:
            await look_at(page, f"{stack.url}/plans/{plan['plan_id']}")
            for part in plan["invoices"]:
                for path in ("invoices/{}", "pay?invoice={}", "transfer?invoice={}"):
                    await look_at(page, f"{stack.url}/{path.format(part['invoice_id'])}")
        for note in notes:
            await look_at(page, f"{stack.url}/invoices/{note['invoice_id']}")
            await look_at(page, f"{stack.url}/invoices/{note['invoice_id']}/dispute")
        for dispute in disputes:
            await look_at(page, f"{stack.url}/disputes/{dispute['dispute_id']}")
        await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_of_one_plan_schedule_and_credit_note_have_no_barriers(
    stack: RunningStack, browser: Browser, sign_in: Callable[..., Any], scheme: Any
) -> None:
    with stack.api("Owner") as api:
        plans = api.get("/v1/instalment_plans").json()["plans"]
        schedule = api.get("/v1/schedules").json()["schedules"][0]
        note = api.get("/v1/credit_notes").json()["credit_notes"][0]
        dispute = api.get("/v1/disputes").json()["disputes"][0]
    customer, invoice = schedule["customer_id"], note["invoice_id"]
    by_state = {plan["state"]: plan["plan_id"] for plan in plans}
    context = await browser.new_context(color_scheme=scheme, locale="en-US")
    page = await context.new_page()
    await sign_in(page, stack.login("Owner")["email"], path="/console/login")
    for path in (
        *(f"plans/{plan_id}" for plan_id in by_state.values()),
        f"schedules/{schedule['schedule_id']}",
        f"schedules/{schedule['schedule_id']}/edit",
        f"schedules/new?customer={customer}",
        f"invoices/{invoice}",
        f"invoices/{invoice}/credit-note",
        f"invoices/{dispute['invoice_id']}/reminders",
        f"disputes/{dispute['dispute_id']}",
        f"customers/{customer}/history",
        f"customers/{customer}/statement",
        f"customers/{customer}/plan",
    ):
        await look_at(page, f"{stack.url}/console/{path}")
    await context.close()


@pytest.mark.parametrize(("language", "direction"), [("de", "ltr"), ("ar", "rtl")])
async def test_the_portal_speaks_the_visitors_language(
    stack: RunningStack, browser: Browser, sign_in: Callable[..., Any], language: str, direction: str
) -> None:
    context = await browser.new_context(locale="en-US")
    page = await context.new_page()
    await sign_in(page, stack.customer_logins()[1]["email"])
    for path in PORTAL:
        await page.goto(f"{stack.url}{path}{'&' if '?' in path else '?'}lang={language}")
        assert await page.locator("html").get_attribute("lang") == language
        assert (await page.locator("html").get_attribute("dir") or "ltr") == direction
        for width in (1280, 320):
            await page.set_viewport_size({"width": width, "height": 900})
            assert not await is_too_wide(page), (path, width)
        assert await page.get_by_role("link", name="Overview").count() == 0
    assert await violations(page) == []
    await context.close()


async def test_a_customer_pays_with_the_keyboard_alone(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    await sign_in(page, stack.customer_logins()[2]["email"])
    await page.keyboard.press("Tab")
    assert "skip" in (await page.evaluate("document.activeElement.textContent")).lower()
    await page.locator("form[data-select] input[name=invoice]").first.focus()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Pay what is chosen").focus()
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/pay?**")
    await expect(page.get_by_role("heading", name=re.compile("Pay 1 invoice"))).to_be_visible()


async def test_a_foreign_invoice_looks_like_one_that_does_not_exist(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    with stack.api(stack.customer_logins()[1]["email"]) as api:
        foreign = api.get("/v1/invoices").json()["invoices"][0]["invoice_id"]
    await sign_in(page, stack.customer_logins()[2]["email"])
    texts = []
    for invoice_id in (foreign, "inv_01jzzzzzzzzzzzzzzzzzzzzzzz"):
        answer = await page.goto(f"{stack.url}/invoices/{invoice_id}")
        assert answer is not None
        assert answer.status == 404
        texts.append(await page.locator("h1").inner_text())
    assert texts[0] == texts[1]
