"""The provider's card page as a payer fills it."""

import re

from playwright.async_api import Page

GOOD = "4242 4242 4242 4242"
INSUFFICIENT_FUNDS = "4000 0000 0000 9995"
ASKS_THE_BANK = "4000 0027 6000 3184"


async def pay_by_card(page: Page, number: str = GOOD) -> None:
    """Fills the card form and sends it."""
    await page.wait_for_url(re.compile("/checkout/|/stripe/c/pay/"))
    await page.get_by_label("Card number").fill(number)
    await page.get_by_label("Expiry date").fill("12/34")
    await page.get_by_label("Security code").fill("123")
    await page.get_by_label("Name on the card").fill("Pat Payer")
    await page.locator("form.card").get_by_role("button", name=re.compile(r"^Pay \D*\d")).click()
