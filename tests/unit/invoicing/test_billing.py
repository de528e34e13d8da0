"""Tax ids, order numbers and terms by their own rules."""

from datetime import date
from decimal import Decimal

import pytest

from chassis.errors import ServiceError
from services.invoicing.domain.billing import (
    OrderRule,
    OrderRuleKind,
    PaymentTerms,
    TaxStanding,
    TaxTreatment,
)
from services.invoicing.domain.tax_id import checked_tax_id


@pytest.mark.parametrize(
    ("country", "kind", "value", "kept", "label"),
    [
        ("DE", "", "136 695 976", "DE136695976", "eu_vat"),
        ("DE", "vat", "DE136695976", "DE136695976", "eu_vat"),
        ("GR", "vat", "094259216", "EL094259216", "eu_vat"),
        ("GB", "vat", "GB980 7806 84", "980780684", "gb_vat"),
        ("US", "ein", "91-1144442", "911144442", "us_ein"),
        ("AU", "abn", "83 914 571 673", "83914571673", "au_abn"),
        ("AE", "vat", "100 0000 0000 0003", "100000000000003", "ae_vat"),
        ("DE", "other", "31/123/45678", "31/123/45678", "de_other"),
    ],
)
def test_a_good_tax_id_is_kept_without_ornament(
    country: str, kind: str, value: str, kept: str, label: str
) -> None:
    found = checked_tax_id(country, kind, value)
    assert (found.value, found.label) == (kept, label)


@pytest.mark.parametrize(
    ("country", "kind", "value"),
    [("DE", "vat", "136695977"), ("US", "ein", "12"), ("FR", "zzz", "1"), ("AE", "vat", "<script>")],
)
def test_a_bad_tax_id_is_refused_by_name(country: str, kind: str, value: str) -> None:
    with pytest.raises(ServiceError) as refused:
        checked_tax_id(country, kind, value)
    assert country in refused.value.fields[0].message


@pytest.mark.parametrize(
    ("pattern", "number", "is_good"),
    [
        ("PO-####", "PO-1234", True),
        ("PO-####", "PO-123", False),
        ("@@/*", "AB/anything", True),
        ("A.?", "A.x", True),
        ("A.?", "Abx", False),
    ],
)
def test_an_order_number_has_the_form_that_is_demanded(pattern: str, number: str, is_good: bool) -> None:
    rule = OrderRule(OrderRuleKind.PATTERN, pattern)
    if is_good:
        rule.must_allow(number, "inv_1")
    else:
        with pytest.raises(ServiceError, match="PURCHASE_ORDER_INVALID"):
            rule.must_allow(number, "inv_1")


def test_terms_may_end_with_the_month() -> None:
    terms = PaymentTerms(days=30, end_of_month=True)
    assert terms.due_date(date(2026, 1, 15)) == date(2026, 2, 28)
    assert PaymentTerms(days=0, end_of_month=True).due_date(date(2024, 2, 1)) == date(2024, 2, 29)
    early = PaymentTerms(days=30, early_discount_percent=Decimal(2), early_discount_days=10)
    assert early.early_discount_until(date(2026, 1, 25)) == date(2026, 2, 4)
    assert terms.early_discount_until(date(2026, 1, 25)) is None


def test_an_exemption_runs_out() -> None:
    standing = TaxStanding(TaxTreatment.EXEMPT, "X-1", date(2026, 6, 30))
    assert standing.treatment_on(date(2026, 6, 30)) is TaxTreatment.EXEMPT
    assert standing.treatment_on(date(2026, 7, 1)) is TaxTreatment.STANDARD
