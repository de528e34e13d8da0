"""Billing data in forms and in words, for the customer's pages and for the staff's."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.money import Money
from services.gateway.web import languages
from services.gateway.web.forms import FieldErrors, Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import money_text, ngettext
from tallyport.invoicing.v1.customers_pb2 import (
    Customer,
    CustomerAddress,
    CustomerFieldChange,
    CustomerPurchaseOrderKind,
    CustomerPurchaseOrderRule,
    CustomerTaxId,
    CustomerTaxTreatment,
)

TAX_ID_ROWS = 10
_UNSEEN = frozenset({"ancestor_ids"})
"""What follows from another field."""
_ADDRESS_TEXTS = ("city", "region", "postal_code", "country")
MOST_LINES = 6
_KINDS = {str(kind): kind for kind in CustomerPurchaseOrderKind.values()}
_NONE = str(CustomerPurchaseOrderKind.CUSTOMER_PURCHASE_ORDER_KIND_NONE)


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A field that was changed, as people read it."""

    name: str
    before: str
    after: str


def order_words_by_kind() -> list[tuple["CustomerPurchaseOrderKind.ValueType", str]]:
    """Whether an order number is needed."""
    return [
        (CustomerPurchaseOrderKind.CUSTOMER_PURCHASE_ORDER_KIND_NONE, _("Not needed")),
        (CustomerPurchaseOrderKind.CUSTOMER_PURCHASE_ORDER_KIND_REQUIRED, _("Always needed")),
        (CustomerPurchaseOrderKind.CUSTOMER_PURCHASE_ORDER_KIND_PATTERN, _("Needed, in a certain form")),
    ]


def order_kinds() -> list[tuple[str, str]]:
    """The same for a choice."""
    return [(str(kind), word) for kind, word in order_words_by_kind()]


def tax_id_rows(values: Mapping[str, str]) -> range:
    """Rows of the form: one more than are filled."""
    filled = [at for at in range(TAX_ID_ROWS) if values[f"tax_value_{at}"] or values[f"tax_country_{at}"]]
    return range(min(TAX_ID_ROWS, max(filled, default=-1) + 2))


def billing_values(customer: Customer) -> dict[str, str]:
    """What forms show of a customer, by name of the field."""
    values = {
        "legal_name": customer.legal_name,
        "email": customer.email,
        "locale": customer.locale,
        "time_zone": customer.time_zone,
        "purchase_order_number": customer.purchase_order_number,
        "order_kind": str(customer.purchase_order_rule.kind or _NONE),
        "order_pattern": customer.purchase_order_rule.pattern,
    }
    values |= _address_values("billing", customer.billing_address)
    values |= _address_values("shipping", customer.shipping_address)
    if not values["billing_lines"]:
        values |= {
            "billing_lines": "\n".join(customer.address_lines),
            "billing_country": customer.country,
        }
    for at in range(TAX_ID_ROWS):
        known = customer.tax_ids[at] if at < len(customer.tax_ids) else CustomerTaxId()
        values |= {
            f"tax_country_{at}": known.country,
            f"tax_type_{at}": known.type,
            f"tax_value_{at}": known.value,
        }
    return values


def entered_values(form: Form, names: Sequence[str]) -> dict[str, str]:
    """What was entered under these names."""
    return {name: form.text(name) for name in names}


def mistakes(values: Mapping[str, str]) -> FieldErrors:
    """What can be told without asking anybody."""
    wrong = FieldErrors()
    for kind in ("billing", "shipping"):
        if len(values[f"{kind}_lines"].strip().splitlines()) > MOST_LINES:
            wrong[f"{kind}_lines"] = _("At most six lines, please.")
        country = values[f"{kind}_country"]
        if country and (len(country) != 2 or not country.isalpha()):
            wrong[f"{kind}_country"] = _("Two letters, like US or DE.")
    for at in range(TAX_ID_ROWS):
        country = values[f"tax_country_{at}"]
        if values[f"tax_value_{at}"] and (len(country) != 2 or not country.isalpha()):
            wrong[f"tax_country_{at}"] = _("Two letters, like US or DE.")
    return wrong


def by_form_field(errors: FieldErrors) -> FieldErrors:
    """Fields that a service refused, by their names in these forms."""
    renamed = FieldErrors()
    for field, sentence in errors.items():
        path = field.removeprefix("data.")
        if path.startswith("tax_ids["):
            at, _dot, rest = path.removeprefix("tax_ids[").partition("].")
            part = rest.split(".")[0]
            renamed[
                f"tax_{'country' if part == 'country' else 'type' if part == 'type' else 'value'}_{at}"
            ] = sentence
        elif path.startswith(("billing_address", "shipping_address")):
            kind, _dot, rest = path.partition("_address")
            part = rest.lstrip(".").split("[")[0] or "lines"
            renamed[f"{kind}_{part}"] = sentence
        elif path.startswith("purchase_order_rule"):
            renamed["order_pattern"] = sentence
        else:
            renamed[path.split(".")[0].split("[")[0]] = sentence
    return renamed


def address_of(values: Mapping[str, str], kind: str) -> CustomerAddress:
    """The billing or shipping address that was entered."""
    lines = [line.strip()[:200] for line in values[f"{kind}_lines"].splitlines() if line.strip()]
    return CustomerAddress(
        lines=lines,
        city=values[f"{kind}_city"][:100],
        region=values[f"{kind}_region"][:100],
        postal_code=values[f"{kind}_postal_code"][:20],
        country=values[f"{kind}_country"].upper(),
    )


def tax_ids_of(values: Mapping[str, str]) -> list[CustomerTaxId]:
    """The tax ids that were entered."""
    return [
        CustomerTaxId(
            country=values[f"tax_country_{at}"].upper(),
            type=values[f"tax_type_{at}"].lower()[:20],
            value=values[f"tax_value_{at}"][:40],
        )
        for at in range(TAX_ID_ROWS)
        if values[f"tax_value_{at}"]
    ]


def order_rule_of(values: Mapping[str, str]) -> CustomerPurchaseOrderRule:
    """What was entered of order numbers."""
    kind = _KINDS.get(values["order_kind"], CustomerPurchaseOrderKind.CUSTOMER_PURCHASE_ORDER_KIND_NONE)
    has_pattern = kind == CustomerPurchaseOrderKind.CUSTOMER_PURCHASE_ORDER_KIND_PATTERN
    return CustomerPurchaseOrderRule(kind=kind, pattern=values["order_pattern"][:60] if has_pattern else "")


def order_words(customer: Customer) -> str:
    """What the customer demands of order numbers, in words."""
    rule = customer.purchase_order_rule
    if rule.kind == CustomerPurchaseOrderKind.CUSTOMER_PURCHASE_ORDER_KIND_PATTERN:
        return _("Needed, like %(pattern)s") % {"pattern": rule.pattern}
    if rule.kind == CustomerPurchaseOrderKind.CUSTOMER_PURCHASE_ORDER_KIND_REQUIRED:
        return _("Always needed")
    return _("Not needed")


def locale_choices(held: str) -> list[tuple[str, str]]:
    """Languages of mails and documents; one that the customer has already stays."""
    tags = dict.fromkeys([*languages.NAMES, held])
    return [(tag, _language_name(tag)) for tag in tags if tag]


def change_rows(
    changes: Sequence[CustomerFieldChange], names: Mapping[str, str] | None = None
) -> list[ChangeRow]:
    """Changed fields in words; `names` tells what ids in them stand for."""
    known = names or {}

    def shown(field: str, document: str) -> str:
        words = _shown(field, document)
        return known.get(words, words)

    rows = [
        ChangeRow(field_name(one.field), shown(one.field, one.before), shown(one.field, one.after))
        for one in changes
        if one.field not in _UNSEEN
    ]
    return [row for row in rows if row.before or row.after]


def field_name(field: str) -> str:
    """A field of a customer, as people call it."""
    return {
        "name": _("Name"),
        "legal_name": _("Legal name"),
        "email": _("E-mail address"),
        "locale": _("Language"),
        "time_zone": _("Time zone"),
        "billing_address": _("Billing address"),
        "shipping_address": _("Shipping address"),
        "tax_id": _("Tax id"),
        "tax_ids": _("Tax ids"),
        "purchase_order_number": _("Order number"),
        "purchase_order_rule": _("Order numbers"),
        "payment_terms": _("Payment terms"),
        "credit_limit": _("Credit limit"),
        "on_hold": _("On hold"),
        "hold_reason": _("Why on hold"),
        "tax_standing": _("Tax"),
        "account_manager_id": _("Account manager"),
        "external_id": _("Own number"),
        "external_ids": _("Numbers elsewhere"),
        "metadata": _("Notes"),
        "segments": _("Segments"),
        "parent_customer_id": _("Parent company"),
        "ancestor_ids": _("Companies above"),
        "currency": _("Currency"),
    }.get(field, field)


def _address_values(kind: str, address: CustomerAddress) -> dict[str, str]:
    values = {f"{kind}_{name}": str(getattr(address, name)) for name in _ADDRESS_TEXTS}
    return values | {f"{kind}_lines": "\n".join(address.lines)}


def _language_name(tag: str) -> str:
    language = languages.language_of(tag)
    return (language.locale.get_display_name(language.locale) or tag) if language else tag


def _shown(field: str, document: str) -> str:
    """The JSON of a field, made readable; empty for nothing."""
    value = json.loads(document) if document else None
    if isinstance(value, Mapping):
        return _shown_object(field, value)
    if field == "tax_ids" and isinstance(value, list):
        return ", ".join(
            f"{one.get('value', '')} ({one.get('country', '')} {one.get('type', '')})" for one in value
        )
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return "" if value is None else str(value)


def _shown_object(field: str, value: Mapping[str, Any]) -> str:
    if field == "credit_limit":
        return money_text(Money(int(value["minor_units"]), value["currency"]))
    if field == "purchase_order_rule":
        kinds = {str(CustomerPurchaseOrderKind.Name(number)): word for number, word in order_words_by_kind()}
        return str(value.get("pattern") or kinds.get(value.get("kind", ""), ""))
    if field == "tax_standing":
        return _shown_tax(value)
    if field == "payment_terms":
        return _shown_terms(value)
    if field.endswith("_address"):
        town = " ".join(value[name] for name in ("postal_code", "city") if value.get(name))
        return ", ".join(
            part
            for part in (*value.get("lines", ()), town, value.get("region"), value.get("country"))
            if part
        )
    return ", ".join(f"{name}: {part}" for name, part in value.items())


def _shown_tax(value: Mapping[str, Any]) -> str:
    words = {
        CustomerTaxTreatment.CUSTOMER_TAX_TREATMENT_EXEMPT: _("Exempt"),
        CustomerTaxTreatment.CUSTOMER_TAX_TREATMENT_REVERSE_CHARGE: _(
            "Reverse charge: the customer owes the tax"
        ),
    }
    by_name = {CustomerTaxTreatment.Name(number): word for number, word in words.items()}
    word = by_name.get(value.get("treatment", ""), _("By the rates of the items"))
    return ", ".join([word, *(str(part) for name, part in value.items() if name != "treatment")])


def _shown_terms(value: Mapping[str, Any]) -> str:
    days = int(value.get("days", 0))
    parts = [ngettext("%(num)s day", "%(num)s days", days) % {"num": days}]
    if value.get("end_of_month"):
        parts.append(_("then the end of the month"))
    if value.get("early_discount_percent"):
        parts.append(f"{value['early_discount_percent']} % / {value.get('early_discount_days', 0)}")
    return ", ".join(parts)
