"""Whoever has no mouse reaches every control of a page, in order, and sees where they are."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page

from devstack.demo.receivables import FAMILY_LOGIN, IN_PLAN_LOGIN
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

_MOST_STEPS = 250
_CONTROLS = """() => {
  const found = document.querySelectorAll("a[href], button, input, select, textarea, summary");
  const shown = [...found].filter(one => one.type !== "hidden" && one.tabIndex >= 0 && !one.disabled
    && one.checkVisibility({visibilityProperty: true}) && !(one.type === "radio" && !one.checked));
  shown.forEach((one, at) => { one.dataset.seen = at; });
  return shown.length;
}"""
_HERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one.closest(".amount") ?? one);  // currency and number are one field
  const ring = style.outlineStyle !== "none" || style.boxShadow !== "none";
  return {at: one.dataset.seen ?? "", ring, what: one.outerHTML.slice(0, 120)};
}"""


async def walk(page: Page, url: str) -> None:
    """From the beginning of the page to its end by the tabulator alone."""
    await page.goto(url)
    controls = await page.evaluate(_CONTROLS)
    reached: set[str] = set()
    without_ring: list[str] = []
    for _ in range(_MOST_STEPS):
        await page.keyboard.press("Tab")
        here = await page.evaluate(_HERE)
        if here is None or here["at"] in reached:
            if here is None or len(reached) == controls:
                break
            continue  # a date field has several stops
        if here["at"]:
            reached.add(here["at"])
        if not here["ring"]:
            without_ring.append(here["what"])
    missed = [str(at) for at in range(controls) if str(at) not in reached]
    told = [
        await page.locator(f"[data-seen='{at}']").evaluate("one => one.outerHTML.slice(0, 120)")
        for at in missed
    ]
    assert told == [], (url, told)
    assert without_ring == [], url


async def test_pages_of_a_payer_are_walked_by_the_keyboard(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    await sign_in(page, IN_PLAN_LOGIN)
    with stack.api(IN_PLAN_LOGIN) as api:
        plan = api.get("/v1/instalment_plans").json()["plans"][0]
    invoice = plan["invoices"][0]["invoice_id"]
    for path in (
        "/", "/invoices", "/plans", f"/plans/{plan['plan_id']}", f"/invoices/{invoice}",
        f"/invoices/{invoice}/dispute", f"/transfer?invoice={invoice}", "/billing", "/statement",
    ):  # fmt: skip
        await walk(page, stack.url + path)


async def test_pages_of_a_parent_are_walked_by_the_keyboard(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    await sign_in(page, FAMILY_LOGIN)
    for path in ("/", "/invoices", "/subscriptions", "/pay?select=open"):
        await walk(page, stack.url + path)


async def test_pages_of_staff_are_walked_by_the_keyboard(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    await sign_in(page, stack.login("Owner")["email"], path="/console/login")
    with stack.api("Owner") as api:
        dispute = api.get("/v1/disputes").json()["disputes"][0]
        plan = api.get("/v1/instalment_plans").json()["plans"][0]
        schedule = api.get("/v1/schedules").json()["schedules"][0]
    for path in (
        f"disputes/{dispute['dispute_id']}", f"plans/{plan['plan_id']}",
        f"schedules/{schedule['schedule_id']}", f"customers/{schedule['customer_id']}",
        f"invoices/{dispute['invoice_id']}", f"invoices/{dispute['invoice_id']}/reminders", "triggers/new",
        "triggers/events", "settings/dunning/texts?segment=charter&level=1", "settings/taxes", "books/close",
        "exports", "import",
    ):  # fmt: skip
        await walk(page, f"{stack.url}/console/{path}")
