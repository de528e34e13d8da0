"""What the form of a customer shows, and what is asked of invoicing with what was entered."""

import re
from collections.abc import Mapping
from typing import Any

from chassis.money import Money
from services.gateway.web import billing
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.typed import (
    amount_field,
    amount_words,
    number_field,
    plain_number,
    read_amount,
    read_day,
    to_message,
)
from tallyport.identity.v1.organizations_pb2 import Organization
from tallyport.invoicing.v1.customers_pb2 import (
    CreateCustomerRequest,
    Customer,
    CustomerCreditLimit,
    CustomerLabels,
    CustomerPaymentTerms,
    CustomerTaxIdList,
    CustomerTaxStanding,
    CustomerTaxTreatment,
    CustomerTexts,
    UpdateCustomerRequest,
)

FIXED = ("currency", "external_id")
"""What stays once the customer is there."""
_LARGEST_TERMS_DAYS = 365
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PERCENT = re.compile(r"[0-9]{1,2}(\.[0-9]{1,4})?")
_TREATMENTS = {str(treatment): treatment for treatment in CustomerTaxTreatment.values()}
_STANDARD = str(CustomerTaxTreatment.CUSTOMER_TAX_TREATMENT_STANDARD)


def treatments() -> list[tuple[str, str]]:
    """How sales are taxed, for a choice."""
    return [
        (_STANDARD, _("By the rates of the items")),
        (str(CustomerTaxTreatment.CUSTOMER_TAX_TREATMENT_EXEMPT), _("Exempt")),
        (
            str(CustomerTaxTreatment.CUSTOMER_TAX_TREATMENT_REVERSE_CHARGE),
            _("Reverse charge: the customer owes the tax"),
        ),
    ]


def values_of(customer: Customer) -> dict[str, str]:
    """The form as the customer is now."""
    terms, taxes = customer.payment_terms, customer.tax_standing
    limit = amount_field(customer.credit_limit) if customer.HasField("credit_limit") else ""
    return billing.billing_values(customer) | {
        "name": customer.name,
        "external_id": customer.external_id,
        "currency": customer.currency,
        "payment_terms_days": str(customer.payment_terms_days),
        "end_of_month": "yes" if terms.end_of_month else "",
        "early_discount_percent": number_field(terms.early_discount_percent),
        "early_discount_days": str(terms.early_discount_days or ""),
        "credit_limit": limit,
        "tax_treatment": str(taxes.treatment or _STANDARD),
        "exemption_certificate": taxes.exemption_certificate,
        "exemption_valid_until": taxes.exemption_valid_until,
        "account_manager_id": customer.account_manager_id,
        "external_ids": _lines(customer.external_ids),
        "metadata": _lines(customer.metadata),
        "segments": ", ".join(customer.segments),
        "reason": "",
        "expected_version": str(customer.version),
    }


def values_of_new(organization: Organization) -> dict[str, str]:
    """The form with what most customers of this organization have."""
    return values_of(Customer()) | {
        "currency": organization.currency,
        "locale": organization.locale,
        "billing_country": organization.address.country,
        "payment_terms_days": "30",
        "expected_version": "",
    }


def entered(form: Form, before: Mapping[str, str]) -> dict[str, str]:
    """What was sent; `address` is the short form of the address that others send."""
    values = billing.entered_values(form, list(before))
    if form.text("address") and not values["billing_lines"]:
        values |= {"billing_lines": form.text("address"), "billing_country": form.text("country")}
    return values


def mistakes(values: Mapping[str, str]) -> FieldErrors:
    """What can be told without asking invoicing."""
    wrong = billing.mistakes(values)
    if not values["name"]:
        wrong["name"] = _("Please give the name that stands on invoices.")
    if values["email"] and not _ADDRESS.fullmatch(values["email"]):
        wrong["email"] = _("Please write an address like accounts@example.com.")
    for name in ("payment_terms_days", "early_discount_days"):
        days = values[name]
        needed = name == "payment_terms_days"
        if (days or needed) and (not days.isdecimal() or int(days) > _LARGEST_TERMS_DAYS):
            wrong[name] = _("Please give a number of days from 0 to 365.")
    percent = plain_number(values["early_discount_percent"])
    if percent and not _PERCENT.fullmatch(percent):
        wrong["early_discount_percent"] = _("Please give a percentage like 2 or 1.5.")
    if values["credit_limit"] and read_amount(values["credit_limit"], values["currency"]) is None:
        wrong["credit_limit"] = amount_words(values["credit_limit"], values["currency"])
    if values["exemption_valid_until"] and read_day(values["exemption_valid_until"]) is None:
        wrong["exemption_valid_until"] = _("Please give a day.")
    return wrong


def create_request(values: Mapping[str, str]) -> CreateCustomerRequest:
    """For a new customer."""
    limit = _limit(values)
    return CreateCustomerRequest(
        email=values["email"],
        external_id=values["external_id"],
        currency=values["currency"].upper(),
        tax_ids=billing.tax_ids_of(values),
        credit_limit=None if limit is None else to_message(limit),
        external_ids=_texts(values["external_ids"]),
        metadata=_texts(values["metadata"]),
        segments=labels(values["segments"]),
        **_shared(values),
    )


def update_request(customer: Customer, values: Mapping[str, str]) -> UpdateCustomerRequest:
    """For a customer as it was shown."""
    limit, version = _limit(values), values["expected_version"]
    request = UpdateCustomerRequest(
        customer_id=customer.customer_id,
        tax_ids=CustomerTaxIdList(values=billing.tax_ids_of(values)),
        credit_limit=CustomerCreditLimit(amount=None if limit is None else to_message(limit)),
        external_ids=CustomerTexts(values=_texts(values["external_ids"])),
        metadata=CustomerTexts(values=_texts(values["metadata"])),
        segments=CustomerLabels(values=labels(values["segments"])),
        reason=values["reason"][:500],
        **_shared(values),
    )
    if customer.tax_id and not customer.tax_ids and not billing.tax_ids_of(values):
        request.ClearField("tax_ids")  # one that was written before kinds were known stays
    if values["email"]:
        request.email = values["email"]
    if version.isdecimal():
        request.expected_version = int(version)
    return request


def labels(text: str) -> list[str]:
    """Words between commas."""
    return list(dict.fromkeys(part.strip()[:50] for part in text.split(",") if part.strip()))[:20]


def _shared(values: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": values["name"][:200],
        "locale": values["locale"],
        "legal_name": values["legal_name"][:200],
        "billing_address": billing.address_of(values, "billing"),
        "shipping_address": billing.address_of(values, "shipping"),
        "purchase_order_rule": billing.order_rule_of(values),
        "purchase_order_number": values["purchase_order_number"][:100],
        "payment_terms": CustomerPaymentTerms(
            days=int(values["payment_terms_days"]),
            end_of_month=bool(values["end_of_month"]),
            early_discount_percent=plain_number(values["early_discount_percent"]),
            early_discount_days=int(values["early_discount_days"] or 0),
        ),
        "time_zone": values["time_zone"][:60],
        "tax_standing": CustomerTaxStanding(
            treatment=_TREATMENTS.get(
                values["tax_treatment"], CustomerTaxTreatment.CUSTOMER_TAX_TREATMENT_STANDARD
            ),
            exemption_certificate=values["exemption_certificate"][:60],
            exemption_valid_until=values["exemption_valid_until"],
        ),
        "account_manager_id": values["account_manager_id"],
    }


def _limit(values: Mapping[str, str]) -> Money | None:
    return read_amount(values["credit_limit"], values["currency"]) if values["credit_limit"] else None


def _lines(texts: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in sorted(texts.items()))


def _texts(text: str) -> dict[str, str]:
    """Lines of the kind `name: text`."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip()[:40]: value.strip()[:500] for name, _colon, value in pairs if name.strip()}
