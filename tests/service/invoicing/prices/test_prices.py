"""Items, tax codes and discounts on the way to an invoice."""

from typing import Any

import pytest

from chassis.errors import ServiceError
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import customers_pb2, invoices_pb2, items_pb2, taxes_pb2
from tests.service.invoicing.office import Office


def eur(minor_units: int) -> money_pb2.Money:
    return money_pb2.Money(minor_units=minor_units, currency="EUR")


async def german(office: Office) -> None:
    from tallyport.identity.v1 import organizations_pb2

    await office.organization_changed(
        2, currency="EUR", time_zone="Europe/Berlin", address=organizations_pb2.PostalAddress(country="DE")
    )


async def item(office: Office, **fields: Any) -> items_pb2.Item:
    request = items_pb2.CreateItemRequest(
        **{"sku": "R-1", "name": "Rope", "unit_price": eur(10_000), **fields}
    )
    return await office.call(office.items.CreateItem, request)


def line(**fields: Any) -> invoices_pb2.InvoiceLineInput:
    return invoices_pb2.InvoiceLineInput(**fields)


async def test_a_tax_code_means_what_the_table_says_on_the_invoice_date(office: Office) -> None:
    await german(office)
    rope = await item(office, tax_code="standard")
    put = taxes_pb2.PutTaxRateRequest(
        code="standard", name="Umsatzsteuer", taxes=[invoices_pb2.LineTax(name="USt", rate_percent="16")],
        valid_from="2027-01-01",
    )  # fmt: skip
    await office.call(office.taxes.PutTaxRate, put)
    customer = await office.customer(currency="EUR")
    for day, tax in (("2026-12-31", 1_900), ("2027-01-01", 1_600)):
        made = await office.draft(
            customer.customer_id, lines=[line(item_id=rope.item_id)], invoice_date=day, due_date="2027-02-01"
        )
        assert made.tax_total.minor_units == tax
    rates = (await office.call(office.taxes.ListTaxRates, taxes_pb2.ListTaxRatesRequest())).tax_rates
    assert [(one.valid_from, one.built_in) for one in rates if one.code == "standard"] == [
        ("2000-01-01", True),
        ("2027-01-01", False),
    ]


async def test_a_buyer_who_owes_the_tax_himself_pays_none(office: Office) -> None:
    await german(office)
    rope = await item(office, tax_code="standard")
    customer = await office.customer(
        currency="EUR", country="FR", tax_id="FR40303265045",
        tax_standing=customers_pb2.CustomerTaxStanding(
            treatment=customers_pb2.CUSTOMER_TAX_TREATMENT_REVERSE_CHARGE
        ),
    )  # fmt: skip
    made = await office.draft(customer.customer_id, lines=[line(item_id=rope.item_id)])
    assert made.total.minor_units == 10_000
    (tax,) = made.lines[0].taxes
    assert tax.category == invoices_pb2.TAX_CATEGORY_REVERSE_CHARGE
    assert "2006/112/EC" in tax.exemption_reason


async def test_discounts_and_prices_with_tax_survive_finalizing(office: Office) -> None:
    await german(office)
    customer = await office.customer(currency="EUR")
    lines = [
        line(description="Rope", unit_price=eur(11_900), tax_rate_percent="19", discount_percent="10"),
        line(description="Book", unit_price=eur(1_070), tax_rate_percent="7", discount=eur(70)),
    ]
    preview = await office.call(
        office.taxes.PreviewInvoice,
        taxes_pb2.PreviewInvoiceRequest(
            invoice=invoices_pb2.CreateInvoiceRequest(
                customer_id=customer.customer_id, lines=lines, prices_include_tax=True, discount=eur(1_000)
            )
        ),
    )
    final = await office.invoice(
        customer.customer_id, lines=lines, prices_include_tax=True, discount=eur(1_000)
    )
    assert final.total == preview.total == eur(10_710 + 1_000 - 1_000)
    assert sum(one.amount_with_tax.minor_units for one in final.lines) == final.total.minor_units
    assert await office.read(final.invoice_id) == final
    assert await office.wrongs() == []


async def test_an_item_has_a_price_for_each_currency(office: Office) -> None:
    await german(office)
    rope = await item(office, other_prices=[money_pb2.Money(minor_units=11_000, currency="USD")])
    dollars = await office.customer(currency="USD")
    made = await office.draft(dollars.customer_id, lines=[line(item_id=rope.item_id)])
    assert made.total.minor_units == 11_000
    pounds = await office.customer(currency="GBP")
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await office.draft(pounds.customer_id, lines=[line(item_id=rope.item_id)])


async def test_an_item_changes_for_new_invoices_only(office: Office) -> None:
    await german(office)
    rope = await item(office)
    customer = await office.customer(currency="EUR")
    before = await office.draft(customer.customer_id, lines=[line(item_id=rope.item_id)])
    change = items_pb2.UpdateItemRequest(item_id=rope.item_id, unit_price=eur(12_000), expected_version=1)
    assert (await office.call(office.items.UpdateItem, change)).version == 2
    with pytest.raises(ServiceError, match="ITEM_CHANGED"):
        await office.call(office.items.UpdateItem, change)
    after = await office.draft(customer.customer_id, lines=[line(item_id=rope.item_id)])
    assert (before.total, after.total) == (eur(10_000), eur(12_000))
    gone = items_pb2.UpdateItemRequest(item_id=rope.item_id, archived=True)
    await office.call(office.items.UpdateItem, gone)
    assert not (await office.call(office.items.ListItems, items_pb2.ListItemsRequest())).items


async def test_an_item_has_no_tax_code_that_is_in_no_table(office: Office) -> None:
    await german(office)
    rope = await item(office, tax_code="standard")
    with pytest.raises(ServiceError, match="no tax code nowhere"):
        await item(office, sku="R-2", tax_code="nowhere")
    change = items_pb2.UpdateItemRequest(item_id=rope.item_id, tax_code="nowhere")
    with pytest.raises(ServiceError, match="no tax code nowhere"):
        await office.call(office.items.UpdateItem, change)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tax_code": "nowhere"},
        {"discount": eur(10_001)},
        {"discount_percent": "5", "discount": eur(1)},
        {"tax_rate_percent": "5", "tax_code": "standard"},
        {"period_start": "2026-12-02", "period_end": "2026-12-01"},
    ],
)
async def test_a_line_that_makes_no_sense_is_refused_by_name(office: Office, wrong: dict[str, Any]) -> None:
    await german(office)
    customer = await office.customer(currency="EUR")
    with pytest.raises(ServiceError) as refused:
        await office.draft(
            customer.customer_id, lines=[line(description="Rope", unit_price=eur(10_000), **wrong)]
        )
    assert refused.value.fields[0].field.startswith("lines[0].")
