"""Billing data as messages bring it, by field of a customer. What is absent is left out."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from zoneinfo import available_timezones

from chassis.errors import invalid
from services.invoicing.domain.billing import (
    Address,
    OrderRule,
    OrderRuleKind,
    PaymentTerms,
    TaxStanding,
    TaxTreatment,
)
from services.invoicing.domain.tax_id import TaxId, checked_tax_id
from services.invoicing.translate.values import (
    from_proto_country,
    from_proto_day,
    from_proto_decimal,
    from_proto_locale,
    from_proto_money,
    from_proto_text,
    from_proto_texts,
)
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import customer_proposals_pb2 as proposals_pb
from tallyport.invoicing.v1 import customers_pb2 as pb

LONGEST_KEY, LONGEST_VALUE = 40, 500
"""Characters of names and texts of metadata and of ids in other systems."""
ORDER_RULE_KINDS = {
    pb.CUSTOMER_PURCHASE_ORDER_KIND_NONE: OrderRuleKind.NONE,
    pb.CUSTOMER_PURCHASE_ORDER_KIND_REQUIRED: OrderRuleKind.REQUIRED,
    pb.CUSTOMER_PURCHASE_ORDER_KIND_PATTERN: OrderRuleKind.PATTERN,
}
TAX_TREATMENTS = {
    pb.CUSTOMER_TAX_TREATMENT_STANDARD: TaxTreatment.STANDARD,
    pb.CUSTOMER_TAX_TREATMENT_EXEMPT: TaxTreatment.EXEMPT,
    pb.CUSTOMER_TAX_TREATMENT_REVERSE_CHARGE: TaxTreatment.REVERSE_CHARGE,
}
_TEXTS = ("legal_name", "purchase_order_number", "account_manager_id")


def common_values(
    request: pb.CreateCustomerRequest | pb.UpdateCustomerRequest,
    *,
    tax_ids: Sequence[pb.CustomerTaxId] | None,
    segments: Iterable[str] | None,
    credit_limit: money_pb2.Money | None,
) -> dict[str, object]:
    """What requests to create and to change have in common; lists that None stands for stay as they are."""
    values: dict[str, object] = {}
    is_change = isinstance(request, pb.UpdateCustomerRequest)
    for name in _TEXTS:
        if not is_change or request.HasField(name):  # type: ignore[arg-type]
            values[name] = from_proto_text(name, getattr(request, name))
    if not is_change or request.HasField("time_zone"):  # type: ignore[arg-type]
        values["time_zone"] = from_proto_zone(request.time_zone)
    values |= _addresses(request)
    if tax_ids is not None:
        values |= from_proto_tax_ids(tax_ids)
    if request.HasField("purchase_order_rule"):
        values["order_rule"] = from_proto_order_rule(request.purchase_order_rule)
    if request.HasField("payment_terms"):
        values |= _terms(request.payment_terms)
    if credit_limit is not None:
        values["credit_limit"] = from_proto_money("credit_limit", credit_limit)
    if request.HasField("tax_standing"):
        values["taxes"] = _taxes(request.tax_standing)
    if segments is not None:
        values["segments"] = tuple(dict.fromkeys(from_proto_texts("segments", segments)))
    return values


def from_proto_proposed(data: proposals_pb.ProposedCustomerData) -> dict[str, object]:
    """What a customer proposes, by field of the customer."""
    values: dict[str, object] = {}
    for name in ("legal_name", "purchase_order_number"):
        if data.HasField(name):
            values[name] = from_proto_text(name, getattr(data, name))
    if data.HasField("email"):
        values["email"] = data.email
    if data.HasField("locale") and data.locale:
        values["locale"] = from_proto_locale("locale", data.locale)
    if data.HasField("time_zone"):
        values["time_zone"] = from_proto_zone(data.time_zone)
    values |= _addresses(data)
    if data.HasField("tax_ids"):
        values |= from_proto_tax_ids(data.tax_ids.values)
    if data.HasField("purchase_order_rule"):
        values["order_rule"] = from_proto_order_rule(data.purchase_order_rule)
    return values


def from_proto_texts_by_name(field: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Texts by name; VALIDATION_FAILED for an empty or too long one."""
    for name, value in texts.items():
        if not 0 < len(name.strip()) <= LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise invalid(
                field, "length", f"Names have up to {LONGEST_KEY} characters, values up to {LONGEST_VALUE}."
            )
    clean = {name.strip(): from_proto_text(f"{field}.{name}", value) for name, value in texts.items()}
    return {name: value for name, value in clean.items() if value}


def from_proto_zone(name: str) -> str:
    """An IANA time zone or nothing."""
    if name and name not in available_timezones():
        raise invalid("time_zone", "time_zone", "This is not a time zone such as Europe/Berlin.")
    return name


def from_proto_tax_ids(ids: Sequence[pb.CustomerTaxId]) -> dict[str, object]:
    """Each checked by the rules of its country."""
    checked: list[TaxId] = [
        checked_tax_id(one.country, one.type, one.value.strip(), field=f"tax_ids[{at}]")
        for at, one in enumerate(ids)
    ]
    return {"tax_ids": tuple(dict.fromkeys(checked)), "tax_id": checked[0].value if checked else ""}


def from_proto_order_rule(message: pb.CustomerPurchaseOrderRule) -> OrderRule:
    kind = ORDER_RULE_KINDS.get(message.kind, OrderRuleKind.NONE)
    rule = OrderRule(kind, from_proto_text("purchase_order_rule.pattern", message.pattern))
    rule.check()
    return rule


def _addresses(
    request: pb.CreateCustomerRequest | pb.UpdateCustomerRequest | proposals_pb.ProposedCustomerData,
) -> dict[str, object]:
    values: dict[str, object] = {}
    if request.HasField("billing_address"):
        billing = _address("billing_address", request.billing_address)
        values |= {
            "address_lines": billing.lines, "city": billing.city, "region": billing.region,
            "postal_code": billing.postal_code, "country": billing.country,
        }  # fmt: skip
    if request.HasField("shipping_address"):
        shipping = _address("shipping_address", request.shipping_address)
        values["shipping"] = shipping if shipping.lines else None
    return values


def _address(field: str, message: pb.CustomerAddress) -> Address:
    return Address(
        lines=from_proto_texts(f"{field}.lines", message.lines),
        city=from_proto_text(f"{field}.city", message.city),
        region=from_proto_text(f"{field}.region", message.region),
        postal_code=from_proto_text(f"{field}.postal_code", message.postal_code),
        country=from_proto_country(f"{field}.country", message.country),
    )


def _terms(message: pb.CustomerPaymentTerms) -> dict[str, object]:
    terms = PaymentTerms(
        days=message.days,
        end_of_month=message.end_of_month,
        early_discount_percent=from_proto_decimal(message.early_discount_percent, "0"),
        early_discount_days=message.early_discount_days,
    )
    terms.check()
    return {
        "payment_terms_days": terms.days,
        "due_at_month_end": terms.end_of_month,
        "early_discount_percent": Decimal(terms.early_discount_percent),
        "early_discount_days": terms.early_discount_days,
    }


def _taxes(message: pb.CustomerTaxStanding) -> TaxStanding:
    return TaxStanding(
        TAX_TREATMENTS.get(message.treatment, TaxTreatment.STANDARD),
        from_proto_text("tax_standing.exemption_certificate", message.exemption_certificate),
        from_proto_day("tax_standing.exemption_valid_until", message.exemption_valid_until),
    )
