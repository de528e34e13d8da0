"""Customers and their balances."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict

from services.invoicing.domain.billing import Address, OrderRule, PaymentTerms, TaxStanding
from services.invoicing.domain.customer import (
    Account,
    AccountBalance,
    Customer,
    CustomerBalance,
    CustomerDraft,
)
from services.invoicing.domain.tax_id import TaxId
from services.invoicing.translate.billing import (
    ORDER_RULE_KINDS,
    TAX_TREATMENTS,
    common_values,
    from_proto_texts_by_name,
)
from services.invoicing.translate.values import (
    from_proto_country,
    from_proto_currency,
    from_proto_locale,
    from_proto_text,
    from_proto_texts,
    to_proto_decimal,
    to_proto_money,
    to_proto_time,
)
from tallyport.invoicing.v1 import customers_pb2 as pb

_SAID_ELSEWHERE = ("customer_id", "version", "created_at", "address_lines", "country", "payment_terms_days")
_FOR_STAFF = (
    "credit_limit", "on_hold", "hold_reason", "account_manager_id", "external_ids", "metadata", "segments",
    "parent_customer_id", "ancestor_ids",
)  # fmt: skip


def from_proto_customer(request: pb.CreateCustomerRequest) -> CustomerDraft:
    values: dict[str, object] = {
        "email": request.email,
        "address_lines": from_proto_texts("address_lines", request.address_lines),
        "country": from_proto_country("country", request.country),
        "tax_id": from_proto_text("tax_id", request.tax_id),
    }
    if request.HasField("payment_terms_days"):
        values["payment_terms_days"] = request.payment_terms_days
    for name in ("external_ids", "metadata"):
        values[name] = from_proto_texts_by_name(name, getattr(request, name))
    values |= common_values(
        request,
        tax_ids=request.tax_ids or None,
        segments=request.segments,
        credit_limit=request.credit_limit if request.HasField("credit_limit") else None,
    )
    return CustomerDraft(
        name=from_proto_text("name", request.name),
        external_id=from_proto_text("external_id", request.external_id) or None,
        currency=from_proto_currency("currency", request.currency),
        locale=from_proto_locale("locale", request.locale),
        values=values,
    )


def from_proto_customer_changes(request: pb.UpdateCustomerRequest) -> Mapping[str, object]:
    """New values by field of a customer; what is absent stays."""
    values: dict[str, object] = {}
    if request.HasField("name"):
        values["name"] = from_proto_text("name", request.name)
    if request.HasField("email"):
        values["email"] = request.email
    if request.HasField("locale"):
        values["locale"] = from_proto_locale("locale", request.locale)
    if lines := from_proto_texts("address_lines", request.address_lines):
        values["address_lines"] = lines
    if request.HasField("country"):
        values["country"] = from_proto_country("country", request.country)
    if request.HasField("tax_id"):
        values["tax_id"] = from_proto_text("tax_id", request.tax_id)
    if request.HasField("payment_terms_days"):
        values["payment_terms_days"] = request.payment_terms_days
    for name in ("external_ids", "metadata"):
        if request.HasField(name):
            values[name] = from_proto_texts_by_name(name, getattr(request, name).values)
    values |= common_values(
        request,
        tax_ids=request.tax_ids.values if request.HasField("tax_ids") else None,
        segments=request.segments.values if request.HasField("segments") else None,
        credit_limit=request.credit_limit.amount if request.credit_limit.HasField("amount") else None,
    )
    if request.HasField("credit_limit"):
        values.setdefault("credit_limit", None)
    return values


def to_proto_customer(customer: Customer) -> pb.Customer:
    """All of it, for staff and for books."""
    limit = customer.credit_limit
    return pb.Customer(
        customer_id=customer.customer_id,
        name=customer.name,
        email=customer.email,
        external_id=customer.external_id or "",
        currency=customer.currency,
        locale=customer.locale,
        address_lines=customer.address_lines,
        country=customer.country,
        tax_id=customer.tax_id,
        payment_terms_days=customer.payment_terms_days,
        created_at=to_proto_time(customer.created_at),
        version=customer.version,
        legal_name=customer.legal_name,
        billing_address=_address(customer.billing),
        shipping_address=None if customer.shipping is None else _address(customer.shipping),
        tax_ids=[_tax_id(one) for one in customer.tax_ids],
        purchase_order_rule=_order_rule(customer.order_rule),
        purchase_order_number=customer.purchase_order_number,
        payment_terms=_terms(customer.terms),
        credit_limit=None if limit is None else to_proto_money(limit),
        on_hold=customer.on_hold,
        hold_reason=customer.hold_reason,
        time_zone=customer.time_zone,
        tax_standing=_taxes(customer.taxes),
        account_manager_id=customer.account_manager_id,
        external_ids=customer.external_ids,
        metadata=customer.metadata,
        segments=customer.segments,
        parent_customer_id=customer.parent_customer_id or "",
        ancestor_ids=customer.ancestor_ids,
    )


def to_proto_own_customer(customer: Customer) -> pb.Customer:
    """What the customer's own people are told."""
    message = to_proto_customer(customer)
    for name in _FOR_STAFF:
        message.ClearField(name)  # type: ignore[arg-type]
    return message


def document_of(customer: Customer) -> dict[str, Any]:
    """The customer's JSON without what the document says twice."""
    document: dict[str, Any] = MessageToDict(to_proto_customer(customer), preserving_proto_field_name=True)
    for name in _SAID_ELSEWHERE:
        document.pop(name, None)
    if customer.tax_ids:
        document.pop("tax_id", None)
    if limit := document.get("credit_limit"):
        limit["minor_units"] = int(limit.get("minor_units", 0))
    return document


def to_proto_subsidiaries(
    customer_id: str, found: Sequence[tuple[CustomerBalance, int]], *, for_staff: bool
) -> pb.ListSubsidiariesResponse:
    """Whoever asks may see everybody below, but, being of a customer, no notes of staff."""
    tell = to_proto_customer if for_staff else to_proto_own_customer
    return pb.ListSubsidiariesResponse(
        subsidiaries=[
            pb.Subsidiary(
                balance=_customer_balance(balance, tell(balance.customer)),
                depth=depth,
                parent_customer_id=balance.customer.parent_customer_id or customer_id,
            )
            for balance, depth in found
        ]
    )


def to_proto_customer_page(balances: Sequence[CustomerBalance], token: str) -> pb.ListCustomersResponse:
    return pb.ListCustomersResponse(
        customers=[_customer_balance(balance, to_proto_customer(balance.customer)) for balance in balances],
        next_page_token=token,
    )


def to_proto_account(account: Account) -> pb.AccountSummary:
    return pb.AccountSummary(
        customer_id=account.customer_id, balances=[_balance(balance) for balance in account.balances]
    )


def _balance(balance: AccountBalance) -> pb.AccountBalance:
    return pb.AccountBalance(
        open=to_proto_money(balance.open),
        overdue=to_proto_money(balance.overdue),
        due_in_7_days=to_proto_money(balance.due_in_7_days),
        due_in_30_days=to_proto_money(balance.due_in_30_days),
        processing=to_proto_money(balance.processing),
        credit=to_proto_money(balance.credit),
        open_invoices=balance.open_invoices,
        overdue_invoices=balance.overdue_invoices,
        next_due_date=balance.next_due_date.isoformat() if balance.next_due_date else "",
        due_now=to_proto_money(balance.due_now),
    )


def _customer_balance(balance: CustomerBalance, customer: pb.Customer) -> pb.CustomerBalance:
    return pb.CustomerBalance(
        customer=customer,
        open=to_proto_money(balance.open),
        overdue=to_proto_money(balance.overdue),
        open_invoices=balance.open_invoices,
    )


def _address(address: Address) -> pb.CustomerAddress:
    return pb.CustomerAddress(
        lines=address.lines,
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        country=address.country,
    )


def _tax_id(tax_id: TaxId) -> pb.CustomerTaxId:
    return pb.CustomerTaxId(country=tax_id.country, type=tax_id.kind, value=tax_id.value)


def _order_rule(rule: OrderRule) -> pb.CustomerPurchaseOrderRule:
    kinds = {kind: number for number, kind in ORDER_RULE_KINDS.items()}
    return pb.CustomerPurchaseOrderRule(kind=kinds[rule.kind], pattern=rule.pattern)


def _terms(terms: PaymentTerms) -> pb.CustomerPaymentTerms:
    percent = terms.early_discount_percent
    return pb.CustomerPaymentTerms(
        days=terms.days,
        end_of_month=terms.end_of_month,
        early_discount_percent=to_proto_decimal(percent) if percent else "",
        early_discount_days=terms.early_discount_days,
    )


def _taxes(taxes: TaxStanding) -> pb.CustomerTaxStanding:
    treatments = {treatment: number for number, treatment in TAX_TREATMENTS.items()}
    until = taxes.exemption_valid_until
    return pb.CustomerTaxStanding(
        treatment=treatments[taxes.treatment],
        exemption_certificate=taxes.exemption_certificate,
        exemption_valid_until=until.isoformat() if until else "",
    )
