"""Paying by transfer, payments that a company approves first, and the settings by which staff offer ways to pay."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from chassis.rpc.client import as_service
from tallyport.identity.v1 import organizations_pb2, organizations_pb2_grpc
from tests.journeys.test_pages import look_at
from tests.support.stack import PASSWORD, RunningStack

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


@dataclass(frozen=True, slots=True)
class Company:
    """A customer of its own for a test, with open invoices and a person for each role asked for."""

    customer_id: str
    invoice_ids: tuple[str, ...]
    domain: str

    @property
    def invoice_id(self) -> str:
        return self.invoice_ids[0]

    def login(self, role: str) -> str:
        return f"{role}@{self.domain}"


def company(
    stack: RunningStack, *roles: str, currency: str = "USD", units: int = 50_000, invoices: int = 1
) -> Company:
    """Staff add the customer, its people and the invoices through the API."""
    domain = f"c{uuid.uuid4().hex[:10]}.example"
    with stack.api("Owner") as api:

        def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = api.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
            found: dict[str, Any] = answer.raise_for_status().json()
            return found

        body: dict[str, Any] = {"name": f"Company {domain}", "currency": currency, "email": f"pay@{domain}"}
        customer_id = post("/v1/customers", body)["customer_id"]
        price = {"minor_units": units, "currency": currency}
        body = {"customer_id": customer_id, "lines": [{"description": "Berth", "unit_price": price}]}
        made = [post("/v1/invoices", body)["invoice_id"] for _ in range(invoices)]
        for invoice_id in made:
            post(f"/v1/invoices/{invoice_id}:finalize", {})
        for role in roles:
            body = {"name": f"{role} person", "email": f"{role}@{domain}", "password": PASSWORD}
            post("/v1/people", {**body, "role": role, "customer_id": customer_id})
    return Company(customer_id, tuple(made), domain)


def start_payment(stack: RunningStack, at: Company, invoice_id: str, units: int) -> dict[str, Any]:
    """The payer begins to pay a part of an invoice."""
    with stack.api(at.login("payer")) as api:
        part = {"invoice_id": invoice_id, "amount": {"minor_units": units, "currency": "USD"}}
        body = {"parts": [part], "hosted_page": {"return_url": f"{stack.url}/payments"}}
        answer = api.post("/v1/payments", json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


async def test_a_payer_is_told_where_to_transfer_and_says_that_it_is_done(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any], tmp_path: Path
) -> None:
    at = company(stack, "payer", currency="EUR", units=64_550)
    await sign_in(page, at.login("payer"))
    await page.goto(f"{stack.url}/invoices/{at.invoice_id}")
    await page.get_by_role("link", name="Bank transfer").click()
    await expect(page.get_by_text("Harbor Supply Co.").first).to_be_visible()
    shown = await page.locator(".grouped").all_text_contents()
    assert shown[0] == "DE89370400440532013000"
    assert shown[1].startswith("RF")
    code = page.get_by_role("img", name=re.compile("QR code"))
    assert await code.evaluate("image => image.complete && image.naturalWidth > 0")

    proof = tmp_path / "proof.png"
    proof.write_text("this is no picture")
    await page.get_by_label("Proof").set_input_files(proof)
    await page.get_by_role("button", name="I have paid").click()
    await expect(page.get_by_text("The proof must be a PDF, PNG or JPEG file.")).to_be_visible()
    proof.write_bytes(b"0" * (5 * 1024 * 1024 + 1))
    await page.get_by_label("Proof").set_input_files(proof)
    await page.get_by_role("button", name="I have paid").click()
    await expect(page.get_by_text("The file is larger than 5 MB.")).to_be_visible()
    proof.write_bytes(PNG)
    await page.get_by_label("Proof").set_input_files(proof)
    await page.get_by_label("Note").fill("from our house bank")
    await page.get_by_role("button", name="I have paid").click()
    await expect(page.get_by_text("We look out for your transfer")).to_be_visible()
    await look_at(page, page.url)

    await page.goto(f"{stack.url}/invoices/{at.invoice_id}")
    await expect(page.get_by_text("We are looking out for it")).to_be_visible()
    address = await page.get_by_role("link", name="proof.png").get_attribute("href")
    answer = await page.request.get(f"{stack.url}{address}")
    assert await answer.body() == PNG
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox"


async def test_a_currency_without_an_account_is_not_offered_by_transfer(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    at = company(stack, "payer", currency="CHF")
    await sign_in(page, at.login("payer"))
    await page.goto(f"{stack.url}/transfer?invoice={at.invoice_id}")
    await expect(page.locator("main")).to_contain_text("Bank transfers in this currency are not offered")
    await expect(page.get_by_role("button", name="I have paid")).to_have_count(0)
    await expect(page.get_by_role("link", name="Back")).to_be_visible()


async def test_the_holder_of_a_pay_link_transfers_as_well(stack: RunningStack, page: Page) -> None:
    at = company(stack)
    with stack.api("Owner") as api:
        made = api.post(
            f"/v1/invoices/{at.invoice_id}/pay_link",
            json={},
            headers={"Idempotency-Key": uuid.uuid4().hex},
        )
        token = made.raise_for_status().json()["token"]
    await page.goto(f"{stack.url}/l/{token}")
    await page.get_by_role("link", name="Bank transfer").click()
    await expect(page.locator(".grouped").first).to_have_text("004417002388")
    await page.get_by_role("button", name="I have paid").click()
    await expect(page.get_by_text("We look out for your transfer")).to_be_visible()
    await look_at(page, f"{stack.url}/l/transfer")


async def test_a_company_lets_a_second_person_approve_large_payments(
    stack: RunningStack, page: Page, browser: Browser, sign_in: Callable[..., Any]
) -> None:
    at = company(stack, "payer", "approver", "company_admin", invoices=2)
    await sign_in(page, at.login("company_admin"))
    await page.goto(f"{stack.url}/company")
    await page.get_by_label("Large payments wait").check()
    await page.get_by_label("Payments above").fill("a lot")
    await page.get_by_role("button", name="Save the rules").click()
    await expect(page.get_by_text("Please write an amount like 1250.00.")).to_be_visible()
    await page.get_by_label("Payments above").fill("100.00")
    await page.get_by_label("Most at once payer person").fill("400.00")
    await page.get_by_role("button", name="Save the rules").click()
    await expect(page.get_by_text("Payments above $100.00 wait until 1 colleague")).to_be_visible()
    await look_at(page, f"{stack.url}/company")

    first = start_payment(stack, at, at.invoice_ids[0], 20_000)
    second = start_payment(stack, at, at.invoice_ids[1], 15_000)
    assert first["status"] == second["status"] == "awaiting_approval"

    payer = await (await browser.new_context(locale="en-US")).new_page()
    await sign_in(payer, at.login("payer"))
    await payer.goto(f"{stack.url}/company")
    await expect(payer.get_by_text("You may pay at most $400.00 at once.")).to_be_visible()
    await expect(payer.get_by_role("button", name="Save the rules")).to_have_count(0)
    await payer.goto(f"{stack.url}/approvals")
    await expect(payer.get_by_text("You started this payment").first).to_be_visible()
    await expect(payer.get_by_role("button", name="Approve")).to_have_count(0)
    await payer.context.close()

    approver = await (await browser.new_context(locale="en-US")).new_page()
    await sign_in(approver, at.login("approver"))
    await approver.get_by_role("link", name="Approvals").click()
    await look_at(approver, f"{stack.url}/approvals")
    await expect(approver.get_by_role("link", name=re.compile(r"INV-\d+"))).to_have_count(2)
    await approver.get_by_role("button", name="Approve $200.00").click()
    await approver.wait_for_url(f"**/payments/{first['payment_id']}")
    await approver.goto(f"{stack.url}/approvals")
    await approver.get_by_text("Decline …").click()
    await approver.get_by_label("Why?").fill("Ordered by nobody")
    await approver.get_by_role("button", name="Decline the payment").click()
    await expect(approver.get_by_text("Nothing waits for approval")).to_be_visible()
    await approver.context.close()
    with stack.api(at.login("payer")) as api:
        assert api.get(f"/v1/payments/{first['payment_id']}").json()["status"] == "requires_action"
        assert api.get(f"/v1/payments/{second['payment_id']}").json()["status"] == "canceled"


async def own_organization(stack: RunningStack) -> tuple[str, str]:
    """An organization for settings that would bind everybody else's tests: its slug and its owner's address."""
    slug = f"settings-{uuid.uuid4().hex[:8]}"
    channel = stack.channel("identity", peer="cli")
    request = organizations_pb2.CreateOrganizationRequest(
        slug=slug,
        name="Settings Ltd.",
        currency="USD",
        time_zone="UTC",
        locale="en-US",
        contact_email=f"contact@{slug}.example",
        owner_name="Ona Owner",
        owner_email=f"ona@{slug}.example",
        owner_password=PASSWORD,
    )
    try:
        await as_service(organizations_pb2_grpc.OrganizationsStub(channel).CreateOrganization)(request)
    finally:
        await channel.close()
    return slug, f"ona@{slug}.example"


async def test_the_owner_sets_what_a_card_costs_and_sees_what_it_comes_to(
    stack: RunningStack, page: Page
) -> None:
    slug, email = await own_organization(stack)
    await page.goto(f"{stack.url}/console/login?org={slug}")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: "/login" not in url)
    settings = f"{stack.url}/console/settings/payments"
    await look_at(page, settings)

    card = page.locator("fieldset.rule").first
    await card.get_by_text("Limits and charge").click()
    await card.get_by_label("The payer pays for it").select_option("3")
    await card.get_by_label("Percent").fill("30")
    await card.get_by_label("Fixed part").fill("0.30")
    await page.get_by_role("button", name="Save the settings").click()
    await expect(card.get_by_text("Please give a percentage from 0 to 20")).to_be_visible()
    await card.get_by_label("Percent").fill("2.8")
    await page.get_by_role("button", name="Save the settings").click()
    await expect(page.get_by_text("The settings are saved")).to_be_visible()
    await expect(card).to_contain_text("an invoice of $100.00 costs $103.19, and you receive $100.00")

    await page.get_by_label("Segment", exact=True).fill("wholesale")
    await page.get_by_role("button", name="Add the rule").click()
    segment = page.get_by_role("group", name="Card for the segment “wholesale”")
    await segment.get_by_label("The payer pays for it").select_option("1")
    await page.get_by_role("button", name="Save the settings").click()
    await expect(segment).to_contain_text("an invoice of $100.00 costs $100.00")
    await expect(page.get_by_text("Version 2")).to_be_visible()
    await look_at(page, settings)
    await look_at(page, f"{stack.url}/console/settings/bank-accounts")


async def test_staff_put_a_customer_into_a_segment(
    stack: RunningStack, page: Page, sign_in: Callable[..., Any]
) -> None:
    at = company(stack)
    with stack.api("Owner") as api:
        path = f"/v1/customers/{at.customer_id}"
        await sign_in(page, stack.login("Accountant")["email"], path="/console/login")
        await page.goto(f"{stack.url}/console/customers/{at.customer_id}")
        await page.get_by_label("Segment").fill("wholesale")
        await page.get_by_role("button", name="Save the segment").click()
        await expect(page.get_by_text("The segment is saved.")).to_be_visible()
        await expect(page.get_by_label("Segment")).to_have_value("wholesale")
        assert api.get(path).json()["segments"] == ["wholesale"]
