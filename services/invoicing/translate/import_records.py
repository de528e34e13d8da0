"""Customers and items out of rows of files, checked by the rules of the messages that would create them."""

from collections.abc import Mapping

from chassis.errors import ServiceError
from chassis.money import Money
from chassis.rpc.validation import check
from services.invoicing.domain.customer import CustomerDraft
from services.invoicing.domain.invoice_import import ImportKind, Record, RowError
from services.invoicing.domain.item import Item
from services.invoicing.domain.tax_id import read_tax_id
from services.invoicing.formats.import_cells import shown
from services.invoicing.formats.import_problems import PROBLEMS
from services.invoicing.translate.customers import from_proto_customer
from services.invoicing.translate.items import from_proto_item
from services.invoicing.translate.values import to_proto_money
from tallyport.invoicing.v1 import customers_pb2, items_pb2

_COLUMNS: Mapping[str, str] = {"lines": "street", "address_lines": "street", "value": "tax_id"}
"""Fields of messages whose column has another name."""
_CUSTOMER_TEXTS = (
    "name", "legal_name", "email", "currency", "locale", "time_zone", "purchase_order_number",
)  # fmt: skip
_ITEM_TEXTS = ("name", "description", "tax_code", "tax_rate_percent", "unit_code")


def imported_customer(record: Record) -> CustomerDraft:
    """The customer to be. VALIDATION_FAILED for what a customer must not be."""
    values = record.values
    street = (values.get("street", ""), values.get("street_2", ""))
    request = customers_pb2.CreateCustomerRequest(
        external_id=record.key,
        billing_address=customers_pb2.CustomerAddress(
            lines=[line for text in street for line in text.splitlines() if line.strip()][:6],
            **{name: values.get(name, "") for name in ("city", "region", "postal_code", "country")},
        ),
        segments=values["segments"].split(",") if "segments" in values else (),
    )
    for name in _CUSTOMER_TEXTS:
        setattr(request, name, values.get(name, ""))
    if days := values.get("payment_terms_days"):
        request.payment_terms_days = int(days)
    if limit := values.get("credit_limit"):
        request.credit_limit.CopyFrom(to_proto_money(Money.parse(limit, values["currency"])))
    if text := values.get("tax_id"):
        found = read_tax_id(text, request.billing_address.country, field="tax_ids[0]")
        if found is None:
            request.tax_id = text
        else:
            request.tax_ids.add(country=found.country, type=found.kind, value=found.value)
    check(request)
    return from_proto_customer(request)


def imported_item(record: Record) -> Item:
    """The item to be, with an id of its own. VALIDATION_FAILED for what an item must not be."""
    values = record.values
    request = items_pb2.CreateItemRequest(
        sku=record.key,
        unit_price=to_proto_money(Money.parse(values["unit_price"], values["currency"])),
        price_includes_tax="price_includes_tax" in values,
    )
    for name in _ITEM_TEXTS:
        setattr(request, name, values.get(name, ""))
    check(request)
    return from_proto_item(request)


def wrong_record(kind: ImportKind, record: Record) -> RowError | None:
    """Why no customer or item could be made of a row; None if one can."""
    try:
        imported_customer(record) if kind is ImportKind.CUSTOMERS else imported_item(record)
    except ServiceError as error:
        field = error.fields[0].field if error.fields else ""
        name = field.split(".")[-1].split("[")[0]
        message = error.fields[0].message if error.fields else error.message
        column = _COLUMNS.get(name, name)
        if column == "tax_id":
            params = {"text": shown(record.values.get(column, ""))}
            return RowError(
                record.line, column, PROBLEMS["not_tax_id"].format(**params), "not_tax_id", params
            )
        return RowError(record.line, column, message)
    return None
