"""Texts of requests are refused where they are blank or would garble a document."""

import pytest

from chassis.errors import ServiceError
from chassis.rpc.validation import check
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import customers_pb2, items_pb2, schedules_pb2
from tallyport.invoicing.v1 import invoices_pb2 as pb


def customer(**fields: object) -> customers_pb2.CreateCustomerRequest:
    return customers_pb2.CreateCustomerRequest(**{"name": "Blue Anchor", "email": "a@b.example", **fields})  # type: ignore[arg-type]


def wrong(request: object, **options: bool) -> list[tuple[str, str]]:
    with pytest.raises(ServiceError) as refused:
        check(request, **options)  # type: ignore[arg-type]
    return [(one.field, one.code) for one in refused.value.fields]


@pytest.mark.parametrize(
    "request_",
    [
        customer(name="  "),
        customer(name=" \u00a0"),
        items_pb2.CreateItemRequest(sku="A-1", name="\t", unit_price=money_pb2.Money(currency="USD")),
        schedules_pb2.CreateScheduleRequest(
            customer_id="cus_1",
            name=" ",
            rule=schedules_pb2.ScheduleRule(unit=schedules_pb2.SCHEDULE_UNIT_MONTH),
            lines=[schedules_pb2.ScheduleLineInput(description="Fibre")],
        ),
    ],
)
def test_names_that_must_be_there_are_not_blank(request_: object) -> None:
    assert wrong(request_) == [("name", "string.min_len")]


@pytest.mark.parametrize("sign", ["\n", "\t", "\x07", "\x7f", "\x85", "\u2028", "\u202e", "\u2066"])
def test_one_line_holds_no_signs_that_garble_it(sign: str) -> None:
    address = customers_pb2.CustomerAddress(lines=["12 Pier", f"Dock{sign}2"], city="Bo\u202eston")
    assert wrong(customer(name=f"Blue{sign}Anchor")) == [("name", "text")]
    assert wrong(customer(billing_address=address)) == [
        ("billing_address.lines[1]", "text"), ("billing_address.city", "text"),
    ]  # fmt: skip
    assert wrong(customer(metadata={"route": f"a{sign}b"})) == [("metadata.route", "text")]


def test_longer_texts_have_lines_but_do_not_turn_their_direction() -> None:
    line = pb.InvoiceLineInput(description="Rope\n20 mm")
    check(pb.CreateInvoiceRequest(customer_id="cus_1", lines=[line], memo="One\n\tTwo\r\n"))
    assert wrong(pb.CreateInvoiceRequest(customer_id="cus_1", lines=[line], memo="Pay \u202e001")) == [
        ("memo", "text")
    ]


def test_other_writings_pass_and_services_may_pass_on_what_is_stored() -> None:
    check(customer(name="شركة \u200fالمرساة\u200c 'n' O\u2019Neil\u00a0GmbH"))
    check(customer(name="Blue\u202eAnchor"), from_people=False)


def test_an_optional_text_is_emptied_by_naming_it() -> None:
    check(pb.UpdateInvoiceRequest(invoice_id="inv_1", memo="", purchase_order_number=""))
