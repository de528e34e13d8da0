"""A real browser on the running stack: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.support.stack import PASSWORD, RunningStack

_QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is missing: apt-get install chromium")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=path, chromium_sandbox=os.geteuid() != 0, args=list(_QUIET)
        )
        yield launched
        await launched.close()


@pytest_asyncio.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor without cookies; every error in a page's console fails the test."""
    made = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    made.set_default_timeout(15_000)
    complaints: list[str] = []
    made.on("weberror", lambda error: complaints.append(str(error.error)))
    made.on(
        "console",
        lambda m: complaints.append(m.text) if m.type == "error" and "Content Security" in m.text else None,
    )
    yield made
    await made.close()
    assert complaints == []


@pytest_asyncio.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest.fixture
def sign_in(stack: RunningStack) -> Callable[..., object]:
    """Signs somebody of the demo in, as customer or, with `path`, as staff."""

    async def do(page: Page, email: str, *, path: str = "/login") -> None:
        await page.goto(f"{stack.url}{path}")
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(lambda url: "/login" not in url)

    return do
