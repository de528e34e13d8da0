"""Customers that no invoice could be made for, or that no authority would take, are refused."""

from typing import Any

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import customers_pb2 as pb
from tests.service.invoicing.office import Office


def in_country(country: str) -> pb.CustomerAddress:
    return pb.CustomerAddress(lines=["Am Kai 4"], city="Bremen", country=country)


PATTERN = pb.CustomerPurchaseOrderRule(kind=pb.CUSTOMER_PURCHASE_ORDER_KIND_PATTERN, pattern="PO-####")
REVERSE = pb.CustomerTaxStanding(treatment=pb.CUSTOMER_TAX_TREATMENT_REVERSE_CHARGE)
ENDED = pb.CustomerTaxStanding(treatment=pb.CUSTOMER_TAX_TREATMENT_EXEMPT, exemption_valid_until="2020-01-01")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"country": "QQ"}, "country"),
        ({"billing_address": in_country("EU")}, "billing_address.country"),
        ({"shipping_address": in_country("ZZ")}, "shipping_address.country"),
        (
            {"purchase_order_rule": PATTERN, "purchase_order_number": "4711"},
            "purchase_order_number",
        ),
        ({"tax_standing": REVERSE}, "tax_standing.treatment"),
        ({"tax_standing": ENDED}, "tax_standing.exemption_valid_until"),
    ],
)
async def test_what_goes_with_nothing_is_refused_when_it_is_new(
    office: Office, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(ServiceError) as created:
        await office.customer(**fields)
    assert [one.field for one in created.value.fields] == [field]
    customer = await office.customer()
    request = pb.UpdateCustomerRequest(customer_id=customer.customer_id, **fields)
    with pytest.raises(ServiceError) as updated:
        await office.call(office.customers.UpdateCustomer, request)
    assert [one.field for one in updated.value.fields] == [field]


async def test_what_goes_together_is_taken_and_stays_together(office: Office) -> None:
    exempt = pb.CustomerTaxStanding(
        treatment=pb.CUSTOMER_TAX_TREATMENT_EXEMPT, exemption_certificate="ST-5",
        exemption_valid_until="2020-01-01",
    )  # fmt: skip
    await office.customer(tax_standing=exempt)
    vat = pb.CustomerTaxId(country="DE", value="DE136695976")
    customer = await office.customer(
        country="DE", tax_ids=[vat], tax_standing=REVERSE, purchase_order_rule=PATTERN,
        purchase_order_number="PO-4711",
    )  # fmt: skip
    without = pb.UpdateCustomerRequest(customer_id=customer.customer_id, tax_ids=pb.CustomerTaxIdList())
    with pytest.raises(ServiceError) as refused:
        await office.call(office.customers.UpdateCustomer, without)
    assert [one.field for one in refused.value.fields] == ["tax_standing.treatment"]
