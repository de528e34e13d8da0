"""Staff give money back, answer a chargeback, pay for who calls, and keep the books."""

import re
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.journeys.test_pages import look_at
from tests.support.stack import PASSWORD, RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

CARD = {"number": "4242424242424242", "expiry": "04/39", "cvc": "123", "name": "Dana Payer"}


def _day(ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(days=ahead)).date().isoformat()


@dataclass(frozen=True, slots=True)
class Payer:
    """A customer of our own with a person who pays by the API."""

    stack: RunningStack
    owner: httpx.Client
    customer_id: str
    api: httpx.Client

    def post(self, path: str, body: dict[str, Any], *, by: httpx.Client | None = None) -> dict[str, Any]:
        """As the payer, unless somebody else is named."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        answer = (by or self.api).post(path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def invoice(self, cents: int) -> dict[str, Any]:
        """An open invoice."""
        line = {"description": "Berth", "unit_price": {"minor_units": cents, "currency": "USD"}}
        body = {"customer_id": self.customer_id, "lines": [line]}
        draft = self.post("/v1/invoices", body, by=self.owner)
        return self.post(f"/v1/invoices/{draft['invoice_id']}:finalize", {}, by=self.owner)

    def pay(self, *invoices: dict[str, Any], token: str = "tok_visa") -> dict[str, Any]:
        """Pay in full by card."""
        parts = [{"invoice_id": one["invoice_id"], "amount": one["total"]} for one in invoices]
        return self.post("/v1/payments", {"parts": parts, "card_token": {"token": token}})

    def status(self, invoice: dict[str, Any]) -> str:
        """Of an invoice, now."""
        answer = self.owner.get(f"/v1/invoices/{invoice['invoice_id']}").raise_for_status()
        return str(answer.json()["status"])

    def save_card(self) -> None:
        """On the provider's page."""
        body = {"type": "card", "return_url": f"{self.stack.url}/methods/return/%7Bsetup_id%7D"}
        setup = self.post("/v1/payment_methods:setup", body)
        assert httpx.post(setup["redirect_url"], data=CARD).status_code == 303
        done = self.post(f"/v1/payment_methods/setups/{setup['setup_id']}:complete", {})
        assert done["status"] == "succeeded", done


@pytest_asyncio.fixture
async def payer(stack: RunningStack) -> AsyncIterator[Payer]:
    mark = uuid.uuid4().hex[:8]
    with stack.api("Owner") as owner:
        person = {"name": "Dana Payer", "email": f"dana-{mark}@back.example", "password": PASSWORD}
        made = Payer(stack, owner, "", owner)
        body = {"name": f"Backwater {mark}", "email": f"office-{mark}@back.example"}
        customer_id = made.post("/v1/customers", body)["customer_id"]
        made.post("/v1/people", {**person, "role": "payer", "customer_id": customer_id})
        with stack.api(person["email"]) as api:
            yield Payer(stack, owner, customer_id, api)


@pytest_asyncio.fixture
async def desk(stack: RunningStack, page: Page, sign_in: Callable[..., Any]) -> Page:
    """The owner at the console."""
    await sign_in(page, stack.login("Owner")["email"], path="/console/login")
    return page


async def test_a_part_of_a_payment_is_given_back_after_a_look_at_it(payer: Payer, desk: Page) -> None:
    first, second = payer.invoice(5_000), payer.invoice(3_000)
    payment = payer.pay(first, second)
    await until(lambda: payer.status(second) == "paid", 20)
    address = f"{payer.stack.url}/console/payments/{payment['payment_id']}"
    await desk.goto(address)
    await desk.get_by_role("link", name="Give money back").click()
    await desk.get_by_label("Of single invoices").check()
    await desk.get_by_label(f"Give back of {second['number']}").fill("40")
    await desk.get_by_role("button", name="Review").last.click()
    await expect(desk.locator("main")).to_contain_text("more than the payment paid of it")
    await expect(desk.locator("main")).to_contain_text("Please say why")
    await look_at(desk, f"{address}/refund")
    await desk.get_by_label("Of single invoices").check()
    await desk.get_by_label(f"Give back of {second['number']}").fill("10.00")
    await desk.get_by_label("They are to be paid again").check()
    await desk.get_by_label("Why", exact=True).fill("One berth too many")
    await desk.get_by_role("button", name="Review").last.click()
    await expect(desk.get_by_role("heading", name="Is this right?")).to_be_visible()
    await expect(desk.locator("main")).to_contain_text("$70.00")  # what is left of the payment
    await expect(desk.locator("main")).to_contain_text("open again")
    await desk.get_by_role("button", name="Give it back").click()
    await desk.wait_for_url(address)
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("Partly refunded")
    await expect(desk.locator("main")).to_contain_text("One berth too many")
    await until(lambda: payer.status(second) == "partly_paid", 20)
    assert payer.status(first) == "paid"
    await look_at(desk, address)


async def test_all_of_a_payment_is_given_back_and_its_receipt_stays(payer: Payer, desk: Page) -> None:
    invoice = payer.invoice(4_500)
    payment = payer.pay(invoice)
    address = f"{payer.stack.url}/console/payments/{payment['payment_id']}"
    await desk.goto(f"{address}/refund")
    await desk.get_by_label("Why", exact=True).fill("The boat was sold")
    await desk.get_by_role("button", name="Review").last.click()
    await desk.get_by_role("button", name="Give it back").click()
    await desk.wait_for_url(address)
    await expect(desk.get_by_role("heading", level=1)).to_contain_text("Refunded")
    await expect(desk.get_by_role("link", name="Give money back")).to_have_count(0)
    await expect(desk.get_by_role("link", name="Receipt")).to_be_visible()
    again = await desk.goto(f"{address}/refund")
    assert again is not None
    assert again.status == 409


async def test_a_chargeback_is_answered(payer: Payer, desk: Page) -> None:
    payment = payer.pay(payer.invoice(2_500), token="tok_disputed")
    path = f"/v1/payments/{payment['payment_id']}"
    await until(lambda: payer.owner.get(path).json()["status"] == "disputed", 30)
    await desk.goto(f"{payer.stack.url}{path.replace('/v1', '/console')}")
    await desk.get_by_role("link", name=re.compile("The payer")).click()
    await desk.wait_for_url("**/console/chargebacks/cbk_*")
    address = desk.url
    await look_at(desk, address)
    await desk.get_by_role("button", name="Send the evidence").click()
    await expect(desk.locator("main")).to_contain_text("Please write what the bank should know")
    await desk.get_by_label("What the bank should know").fill("Signed for on the pier.")
    await desk.get_by_role("button", name="Send the evidence").click()
    await expect(desk.get_by_text("The evidence is sent")).to_be_visible()
    await expect(desk.locator("main")).to_contain_text("Signed for on the pier.")
    await look_at(desk, f"{payer.stack.url}/console/chargebacks?show=all")


async def test_staff_pay_for_who_calls_with_a_saved_card(payer: Payer, desk: Page) -> None:
    invoice, other = payer.invoice(6_000), payer.invoice(1_000)
    payer.save_card()
    customer = f"{payer.stack.url}/console/customers/{payer.customer_id}"
    await desk.goto(customer)
    await expect(desk.locator("main")).to_contain_text("Visa 4242")
    await desk.get_by_role("link", name="Pay on the phone").click()
    await desk.get_by_label(re.compile(other["number"])).uncheck()
    await desk.get_by_role("button", name="Review").last.click()
    await expect(desk.locator("main")).to_contain_text("Please write who called")
    await desk.get_by_label("Who called").fill("Dana at the counter")
    await desk.get_by_role("button", name="Review").last.click()
    await expect(desk.get_by_role("heading", name="Is this right?")).to_be_visible()
    await desk.get_by_role("button", name="Pay $60.00 now").click()
    await desk.wait_for_url("**/console/payments/pay_*")
    await until(lambda: payer.status(invoice) == "paid", 20)
    assert payer.status(other) == "open"
    await look_at(desk, f"{customer}/pay")


async def test_a_scheduled_payment_is_seen_and_canceled_from_the_customers_page(
    payer: Payer, desk: Page
) -> None:
    invoice = payer.invoice(2_000)
    payer.save_card()
    (saved,) = payer.api.get("/v1/payment_methods").json()["payment_methods"]
    part = {"invoice_id": invoice["invoice_id"], "amount": invoice["total"]}
    later = _day(5)
    method = {"payment_method_id": saved["payment_method_id"]}
    payment = payer.post("/v1/payments", {"parts": [part], "saved_method": method, "scheduled_for": later})
    customer = f"{payer.stack.url}/console/customers/{payer.customer_id}"
    await desk.goto(customer)
    await look_at(desk, customer)
    await desk.get_by_role("button", name="Cancel it").click()
    await desk.wait_for_url("**/console/payments/pay_*")
    path = f"/v1/payments/{payment['payment_id']}"
    assert payer.owner.get(path).json()["status"] == "canceled"


async def test_the_books_are_checked_and_a_future_day_is_not_locked(stack: RunningStack, desk: Page) -> None:
    await desk.goto(f"{stack.url}/console/books")
    await expect(desk.locator("main")).to_contain_text("Balanced")
    await desk.get_by_role("button", name="Check now").click()
    await expect(desk.get_by_text("everything is right")).to_be_visible()
    await desk.get_by_label("Lock up to the end of").fill(_day(30))
    await desk.get_by_role("button", name="Lock these days").click()
    await expect(desk.locator("main")).to_contain_text("Only days that are over can be locked")
    await look_at(desk, f"{stack.url}/console/books")
