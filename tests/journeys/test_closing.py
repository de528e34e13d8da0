"""Staff close a period, the cash ledger with it, and open it again."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.support.stack import RunningStack

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]
LONG_AGO = "2001-01-31"
"""Before everything in the demo, so that nobody else's work falls into the period."""


async def test_a_period_is_closed_in_both_ledgers_and_opened_again(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    await sign_in(page, stack.login("Accountant")["email"], path="/console/login")
    await page.goto(f"{stack.url}/console/books/close?until={LONG_AGO}")
    for asked in ("Money received that nobody has matched", "Receivables and the cash ledger agree"):
        row = page.get_by_role("row", name=asked)
        await expect(row.get_by_text("Done")).to_be_visible()
    await page.get_by_role("button", name="Close up to the end of").click()
    await expect(page.get_by_text("The period is closed.")).to_be_visible()
    with stack.api(stack.login("Accountant")["email"]) as api:
        lock = api.get("/v1/books").raise_for_status().json()["period_lock"]
        assert lock["until"] == LONG_AGO

        await page.get_by_role("button", name="Open up to the end of").click()
        await expect(page.get_by_text("Please say why")).to_be_visible()
        await page.get_by_label("Why it is opened again").fill("It was the wrong day")
        await page.get_by_role("button", name="Open up to the end of").click()
        await expect(page.get_by_text("The period is open again.")).to_be_visible()
        assert not api.get("/v1/books").raise_for_status().json()["period_lock"].get("until")
