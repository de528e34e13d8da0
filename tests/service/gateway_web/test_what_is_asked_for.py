"""The portal asks for what is due now: an instalment, less for who pays early, what companies below owe."""

import re
from datetime import timedelta

from tallyport.invoicing.v1.invoices_pb2 import Invoice
from tests.support.stage.data import LINK_TOKEN, usd
from tests.support.stage.theatre import Theatre


def in_plan(house: Theatre, *, asked: int) -> Invoice:
    """The overdue first invoice, under a plan that asks for so many cents now."""
    invoice = house.stage.invoices["inv_1"]
    invoice.overdue, invoice.days_overdue = True, 20
    part = invoice.instalment
    part.plan_id, part.number, part.count = "ipl_1", 2, 4
    part.due_on = (house.stage.today + timedelta(days=30)).isoformat()
    part.asked_now.CopyFrom(usd(asked))
    part.amount.CopyFrom(usd(46_000))
    return invoice


def row_of(page: str, number: str) -> str:
    """What a list tells of an invoice."""
    rows: list[str] = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    return next(row for row in rows if number in row)


async def test_an_invoice_under_a_plan_tells_what_the_plan_asks_for(house: Theatre) -> None:
    invoice = in_plan(house, asked=46_000)
    async with house.signed_in() as browser:
        page = (await browser.get("/invoices/inv_1")).text
        assert "$460.00 of this invoice is due now by the instalment plan" in page
        assert "Pay $460.00" in page
        assert 'href="/plans/ipl_1"' in page
        assert "Overdue" not in page
        for path in ("/", "/invoices"):
            row = row_of((await browser.get(path)).text, invoice.number)
            assert "Instalment due" in row
            assert "$460.00" in row
            assert "late" not in row


async def test_an_instalment_that_is_not_due_yet_is_not_asked_for(house: Theatre) -> None:
    invoice = in_plan(house, asked=0)
    async with house.signed_in() as browser:
        page = (await browser.get("/invoices/inv_1")).text
        assert "Nothing of this invoice is due now. The next instalment of the plan is $460.00" in page
        assert "Pay ahead" in page
        row = row_of((await browser.get("/invoices")).text, invoice.number)
        assert "$0.00" in row
        assert "In instalments" in row


async def test_the_overview_tells_once_why_more_is_open_than_is_asked_for(house: Theatre) -> None:
    house.stage.invoices["inv_2"].due_date = (house.stage.today + timedelta(days=60)).isoformat()
    objected = house.stage.invoices["inv_3"]
    objected.amount_disputed.CopyFrom(objected.amount_due)
    async with house.signed_in() as browser:
        page = (await browser.get("/")).text
        hero = page.split('class="hero-main"', 1)[1].split('class="hero-actions"', 1)[0]
        assert re.search(r"Open in all <?[^:]*: .*is not due yet", hero), hero
        assert "in dispute" in hero
        assert page.count("Open in all") == 1


async def test_the_holder_of_a_pay_link_is_told_of_the_plan_too(house: Theatre) -> None:
    in_plan(house, asked=46_000)
    async with house.browser() as browser:
        await browser.get(f"/l/{LINK_TOKEN}")
        page = (await browser.get("/l/invoice")).text
        assert "$460.00 of this invoice is due now by the instalment plan" in page
        assert "/plans/" not in page


async def test_lists_ask_for_less_of_who_pays_early(house: Theatre) -> None:
    invoice = house.stage.invoices["inv_2"]
    invoice.early_payment.CopyFrom(usd(42_000))
    invoice.early_discount_until = house.stage.today.isoformat()
    async with house.signed_in() as browser:
        row = row_of((await browser.get("/invoices")).text, invoice.number)
        assert "$420.00" in row
        assert "instead of $424.00" in row


async def test_a_parent_sees_and_pays_what_its_companies_owe(house: Theatre) -> None:
    """Also one that owes nothing itself: there is one sum, and one button for it."""
    child = house.stage.invoices["inv_2"]
    child.number, child.customer_id, child.customer_name = "INV-CHILD", "cus_child", "Child Works"
    house.stage.invoices = {"inv_2": child}
    house.stage.companies["cus_child"] = "Child Works"
    async with house.signed_in() as browser:
        page = (await browser.get("/")).text
        assert "Pay $424.00" in page
        assert "Nothing to pay" not in page
        row = row_of(page, "INV-CHILD")
        assert "Child Works" in row
        form = (await browser.get("/pay?select=due")).text
        assert 'name="amount_inv_2" value="424.00"' in form
        page = (await browser.get("/invoices")).text
        assert 'href="/invoices?customer=cus_child"' in page
