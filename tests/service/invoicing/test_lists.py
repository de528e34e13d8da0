"""Lists and totals: order, filters, pages, balances."""

from datetime import date, timedelta
from typing import Any

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import customers_pb2, invoices_pb2, items_pb2
from tests.service.invoicing.office import Office, usd

TODAY = date(2026, 11, 21)


async def dated(office: Office, customer_id: str, cents: int, days_until_due: int) -> invoices_pb2.Invoice:
    due = TODAY + timedelta(days=days_until_due)
    issued = min(TODAY, due) - timedelta(days=5)
    return await office.invoice(customer_id, cents, invoice_date=issued.isoformat(), due_date=due.isoformat())


async def pages(office: Office, **fields: Any) -> list[str]:
    """All numbers, read in pages of two."""
    numbers, token = [], ""
    while True:
        page = await office.list_invoices(page_size=2, page_token=token, **fields)
        numbers += [invoice.number for invoice in page.invoices]
        token = page.next_page_token
        if not token:
            return numbers


async def test_payable_ones_come_by_due_date_and_others_newest_first(office: Office) -> None:
    customer = await office.customer()
    for days in (10, -40, 0, -3, 30):
        await dated(office, customer.customer_id, 1_000, days)
    payable = await pages(office, filter=invoices_pb2.INVOICE_FILTER_PAYABLE)
    assert payable == [f"INV-{at:06d}" for at in (2, 4, 3, 1, 5)]
    overdue = await pages(office, filter=invoices_pb2.INVOICE_FILTER_OVERDUE)
    assert overdue == ["INV-000002", "INV-000004"]
    everything = await pages(office)
    assert (sorted(everything), everything[-1]) == ([f"INV-{at:06d}" for at in range(1, 6)], "INV-000002")


async def test_a_query_finds_number_order_and_customer_and_takes_signs_as_they_are(office: Office) -> None:
    blue = await office.customer(name="Blue 100% Anchor")
    red = await office.customer(name="Red_Buoy")
    first = await office.invoice(blue.customer_id, purchase_order_number="PO-77")
    second = await office.invoice(red.customer_id)
    for query, expected in (
        ("po-7", [first.number]),
        ("100%", [first.number]),
        ("d_b", [second.number]),
        ("INV-00000", [second.number, first.number]),
        ("%", [first.number]),
        ("'; DROP TABLE invoices; --", []),
    ):
        assert await pages(office, query=query) == expected, query


async def test_a_token_of_another_list_is_refused(office: Office) -> None:
    customer = await office.customer()
    for _ in range(3):
        await office.invoice(customer.customer_id)
    token = (await office.list_invoices(page_size=1)).next_page_token
    for wrong in (token, "garbage", "W10", "bnVsbA"):
        with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
            await office.list_invoices(page_token=wrong, filter=invoices_pb2.INVOICE_FILTER_PAYABLE)


async def test_an_account_tells_what_is_open_due_and_on_its_way(office: Office) -> None:
    customer = await office.customer()
    for cents, days in ((100, -10), (20, 0), (3, 7), (4_000, 8), (50_000, 45)):
        await dated(office, customer.customer_id, cents, days)
    last = (await office.list_invoices(filter=invoices_pb2.INVOICE_FILTER_PAYABLE)).invoices[-1]
    await office.reserve("pay_1", customer.customer_id, {last.invoice_id: 1_000})
    await office.paid("pay_2", customer.customer_id, 700, {})
    request = customers_pb2.GetAccountSummaryRequest(customer_id=customer.customer_id)
    (balance,) = (await office.call(office.customers.GetAccountSummary, request)).balances
    assert balance.open.minor_units == 54_123
    assert balance.overdue.minor_units == 100
    assert balance.due_in_7_days.minor_units == 23
    assert balance.due_in_30_days.minor_units == 4_023
    assert (balance.processing.minor_units, balance.credit.minor_units) == (1_000, 700)
    assert (balance.open_invoices, balance.overdue_invoices) == (5, 1)
    assert balance.next_due_date == "2026-11-11"


async def test_a_new_customer_owes_nothing_in_their_currency(office: Office) -> None:
    customer = await office.customer(currency="EUR")
    request = customers_pb2.GetAccountSummaryRequest(customer_id=customer.customer_id)
    (balance,) = (await office.call(office.customers.GetAccountSummary, request)).balances
    assert (balance.open.minor_units, balance.open.currency, balance.next_due_date) == (0, "EUR", "")


async def test_the_overview_ages_what_is_open(office: Office) -> None:
    big, small = await office.customer(name="Big"), await office.customer(name="Small")
    for cents, days in ((1_000, 5), (200, -1), (30, -30), (4, -31), (5_000, -61), (60_000, -91)):
        await dated(office, big.customer_id, cents, days)
    await dated(office, small.customer_id, 7, 1)
    overview = await office.call(
        office.invoices.GetReceivablesOverview, invoices_pb2.GetReceivablesOverviewRequest()
    )
    (usd_totals,) = overview.currencies
    assert overview.as_of == "2026-11-21"
    assert [(bucket.name, bucket.amount.minor_units, bucket.invoices) for bucket in usd_totals.aging] == [
        ("current", 1_007, 2), ("1-30", 230, 2), ("31-60", 4, 1), ("61-90", 5_000, 1), ("90+", 60_000, 1),
    ]  # fmt: skip
    assert (usd_totals.open.minor_units, usd_totals.overdue.minor_units) == (66_241, 65_234)
    assert (usd_totals.open_invoices, usd_totals.overdue_invoices) == (7, 5)
    assert [(debtor.name, debtor.open.minor_units) for debtor in usd_totals.top_debtors] == [
        ("Big", 66_234), ("Small", 7),
    ]  # fmt: skip
    assert usd_totals.days_sales_outstanding == "955.2"


async def test_an_empty_organization_has_an_overview_of_zeros(office: Office) -> None:
    overview = await office.call(
        office.invoices.GetReceivablesOverview, invoices_pb2.GetReceivablesOverviewRequest()
    )
    (totals,) = overview.currencies
    assert (totals.open.minor_units, totals.open.currency, totals.days_sales_outstanding) == (0, "USD", "0.0")
    assert (overview.drafts, overview.oldest_draft_on) == (0, "")


async def test_drafts_that_wait_are_counted_with_the_day_of_the_oldest(office: Office) -> None:
    customer = await office.customer()
    await office.draft(customer.customer_id)
    office.clock.advance(timedelta(days=2))
    issued = await office.draft(customer.customer_id)
    await office.draft(customer.customer_id)
    await office.finalize(issued.invoice_id)
    overview = await office.call(
        office.invoices.GetReceivablesOverview, invoices_pb2.GetReceivablesOverviewRequest()
    )
    assert (overview.drafts, overview.oldest_draft_on) == (2, "2026-11-21")


async def test_customers_come_by_name_with_what_they_owe(office: Office) -> None:
    for name, cents in (("beta", 300), ("Alpha", 0), ("gamma", 5_000)):
        customer = await office.customer(name=name, email=f"{name.lower()}@x.example")
        if cents:
            await dated(office, customer.customer_id, cents, -1)
    found, token = [], ""
    while True:
        request = customers_pb2.ListCustomersRequest(page_size=1, page_token=token)
        page = await office.call(office.customers.ListCustomers, request)
        found += [(one.customer.name, one.overdue.minor_units, one.open_invoices) for one in page.customers]
        token = page.next_page_token
        if not token:
            break
    assert found == [("Alpha", 0, 0), ("beta", 300, 1), ("gamma", 5_000, 1)]
    by_mail = customers_pb2.ListCustomersRequest(query="GAMMA@")
    page = await office.call(office.customers.ListCustomers, by_mail)
    assert [one.customer.name for one in page.customers] == ["gamma"]


async def test_items_fill_lines_and_are_listed_by_name(office: Office) -> None:
    request = items_pb2.CreateItemRequest(
        sku="R-12", name="Rope", unit_price=usd(185), tax_rate_percent="6.25"
    )
    item = await office.call(office.items.CreateItem, request)
    with pytest.raises(ServiceError, match="ITEM_SKU_TAKEN"):
        await office.call(office.items.CreateItem, request)
    customer = await office.customer()
    line = invoices_pb2.InvoiceLineInput(item_id=item.item_id, quantity="2.5")
    draft = await office.draft(customer.customer_id, lines=[line])
    assert (draft.lines[0].description, draft.lines[0].quantity) == ("Rope", "2.5")
    assert (draft.lines[0].amount.minor_units, draft.taxes[0].rate_percent) == (463, "6.25")
    assert (draft.tax_total.minor_units, draft.total.minor_units) == (29, 492)
    page = await office.call(office.items.ListItems, items_pb2.ListItemsRequest())
    assert [one.sku for one in page.items] == ["R-12"]
    unknown = invoices_pb2.InvoiceLineInput(item_id="itm_unknown")
    with pytest.raises(ServiceError) as refused:
        await office.draft(customer.customer_id, lines=[unknown])
    assert refused.value.fields[0].field == "lines[0].item_id"


async def test_a_taken_external_id_is_told_with_the_invoice_that_has_it(office: Office) -> None:
    customer = await office.customer()
    first = await office.draft(customer.customer_id, external_id="ORDER-7")
    with pytest.raises(ServiceError, match="INVOICE_EXTERNAL_ID_TAKEN") as refused:
        await office.draft(customer.customer_id, external_id="ORDER-7")
    assert refused.value.metadata == {"invoice_id": first.invoice_id}


@pytest.mark.parametrize("text", ["\0", "a\0b"])
async def test_a_text_that_cannot_be_kept_is_the_callers_mistake(office: Office, text: str) -> None:
    for refused in (
        office.list_invoices(query=text),
        office.list_invoices(external_id=text),
        office.read(text),
        office.customer(name=text),
        office.customer(email=text),
        office.draft(text),
    ):
        with pytest.raises(ServiceError, match=r"VALIDATION_FAILED"):
            await refused
