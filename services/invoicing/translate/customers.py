"""Customers and their balances."""

from collections.abc import Sequence

from services.invoicing.domain.customer import (
    DEFAULT_PAYMENT_TERMS_DAYS,
    Account,
    AccountBalance,
    Customer,
    CustomerBalance,
    CustomerChanges,
    CustomerDraft,
)
from services.invoicing.translate.values import (
    from_proto_currency,
    from_proto_locale,
    from_proto_text,
    from_proto_texts,
    to_proto_money,
    to_proto_time,
)
from tallyport.invoicing.v1 import customers_pb2 as pb


def from_proto_customer(request: pb.CreateCustomerRequest) -> CustomerDraft:
    terms = request.payment_terms_days if request.HasField("payment_terms_days") else None
    return CustomerDraft(
        name=from_proto_text("name", request.name),
        email=request.email,
        external_id=from_proto_text("external_id", request.external_id) or None,
        currency=from_proto_currency("currency", request.currency),
        locale=from_proto_locale("locale", request.locale),
        address_lines=from_proto_texts("address_lines", request.address_lines),
        country=request.country,
        tax_id=from_proto_text("tax_id", request.tax_id),
        payment_terms_days=DEFAULT_PAYMENT_TERMS_DAYS if terms is None else terms,
    )


def from_proto_customer_changes(request: pb.UpdateCustomerRequest) -> CustomerChanges:
    return CustomerChanges(
        name=from_proto_text("name", request.name) if request.HasField("name") else None,
        email=request.email if request.HasField("email") else None,
        locale=from_proto_locale("locale", request.locale) if request.HasField("locale") else None,
        address_lines=from_proto_texts("address_lines", request.address_lines) or None,
        country=request.country if request.HasField("country") else None,
        tax_id=from_proto_text("tax_id", request.tax_id) if request.HasField("tax_id") else None,
        payment_terms_days=request.payment_terms_days if request.HasField("payment_terms_days") else None,
    )


def to_proto_customer(customer: Customer) -> pb.Customer:
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
    )


def to_proto_customer_page(balances: Sequence[CustomerBalance], token: str) -> pb.ListCustomersResponse:
    return pb.ListCustomersResponse(
        customers=[
            pb.CustomerBalance(
                customer=to_proto_customer(balance.customer),
                open=to_proto_money(balance.open),
                overdue=to_proto_money(balance.overdue),
                open_invoices=balance.open_invoices,
            )
            for balance in balances
        ],
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
    )
