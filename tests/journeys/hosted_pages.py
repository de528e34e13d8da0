"""The provider's pages for everything but paying by card, as a payer fills them."""

from playwright.async_api import Page

from tests.journeys.card_page import GOOD

ROUTING_NUMBER = "110000000"
SETTLES = "000123456789"
BACK_EARLY = "000222222227"
BACK_TWO_DAYS_LATER = "000111222202"
BACK_FORTY_DAYS_LATER = "000111222240"
SETTLES_IBAN = "DE89 3704 0044 0532 0130 00"


async def pay_by_bank(page: Page, account: str = SETTLES) -> None:
    """Fills the account form, accepts the mandate and sends it; an IBAN where the page asks for one."""
    await page.wait_for_url("**/checkout/**")
    await _fill_account(page, account)
    await page.locator("form.card").get_by_role("button", name="Pay").click()


async def save_bank_account(page: Page, account: str = SETTLES) -> None:
    """The same on the page that saves an account."""
    await page.wait_for_url("**/setup/**")
    await _fill_account(page, account)
    await page.get_by_role("button", name="Save", exact=True).click()


async def save_card(page: Page, number: str = GOOD) -> None:
    """Fills the card form of the page that saves a card."""
    await page.wait_for_url("**/setup/**")
    await page.get_by_label("Card number").fill(number)
    await page.get_by_label("Expiry date").fill("12/34")
    await page.get_by_label("Security code").fill("123")
    await page.get_by_label("Name on the card").fill("Pat Payer")
    await page.get_by_role("button", name="Save", exact=True).click()


async def confirm_at_the_bank(page: Page) -> None:
    """Says yes to the question of the card holder's bank."""
    await page.wait_for_url("**/challenge")
    await page.get_by_role("button", name="Yes, approve").click()


async def approve_redirect(page: Page, switch: str = "as usual") -> None:
    """Approves at the redirect wallet, with one of the words of its test switch."""
    await page.wait_for_url("**/checkout/**")
    await page.get_by_text("Test switch").click()
    await page.get_by_label(switch, exact=False).check()
    await page.get_by_role("button", name="Approve and pay").click()


async def pay_by_wallet(page: Page, wallet: str = "Apple Pay") -> None:
    """Touches the button of a wallet."""
    await page.wait_for_url("**/checkout/**")
    await page.get_by_role("button", name=f"Pay with {wallet}").click()


async def send_coins(page: Page, how_many: str = "Send exactly that") -> None:
    """Sends coins from the test wallet: `Send exactly that`, `Send a tenth less`, `Send a tenth more`."""
    await page.wait_for_url("**/checkout/**")
    await page.get_by_role("button", name=how_many).click()


async def _fill_account(page: Page, account: str) -> None:
    await page.get_by_label("Account holder").fill("Pat Payer")
    if account[:2].isalpha():
        await page.get_by_label("IBAN").fill(account)
    else:
        await page.get_by_label("Routing number").fill(ROUTING_NUMBER)
        await page.get_by_label("Account number").fill(account)
    await page.get_by_label("I accept this mandate").check()
