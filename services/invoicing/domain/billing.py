"""What a billing account says of itself: addresses, order numbers, terms, and how it is taxed."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from chassis.errors import Kind, ServiceError, invalid

DEFAULT_PAYMENT_TERMS_DAYS = 30
_SIGNS = {"#": "[0-9]", "@": "[A-Za-z]", "?": "."}
_MOST_RUNS = 3
"""Runs of any signs in a pattern: each more makes the search longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `country` is ISO 3166-1 alpha-2."""

    lines: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


class OrderRuleKind(StrEnum):
    """Whether an invoice needs the customer's order number."""

    NONE = "none"
    REQUIRED = "required"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True)
class OrderRule:
    """What a customer demands of order numbers. In `pattern`, # is a digit, @ a letter, ? any sign, * any signs."""

    kind: OrderRuleKind = OrderRuleKind.NONE
    pattern: str = ""

    def check(self) -> None:
        """VALIDATION_FAILED for a rule that says nothing, or that would take too long to apply."""
        if (self.kind is OrderRuleKind.PATTERN) != bool(self.pattern):
            raise invalid(
                "purchase_order_rule.pattern", "pattern", "A pattern goes with the rule PATTERN only."
            )
        if self.pattern.count("*") > _MOST_RUNS:
            raise invalid("purchase_order_rule.pattern", "pattern", "At most three * can be in a pattern.")

    def must_allow(self, number: str, invoice_id: str) -> None:
        """PURCHASE_ORDER_REQUIRED or PURCHASE_ORDER_INVALID if no invoice may be sent with this order number."""
        if self.kind is OrderRuleKind.NONE:
            return
        if not number:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PURCHASE_ORDER_REQUIRED",
                "This customer takes no invoice without an order number. Please enter it.",
                invoice_id=invoice_id,
            )  # fmt: skip
        if not self.allows(number):
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "PURCHASE_ORDER_INVALID",
                f"This customer's order numbers look like {self.pattern}. Please check it.",
                invoice_id=invoice_id, pattern=self.pattern,
            )  # fmt: skip

    def allows(self, number: str) -> bool:
        """Whether an order number looks as the customer's do."""
        return self.kind is not OrderRuleKind.PATTERN or self._matches(number)

    def _matches(self, number: str) -> bool:
        signs = (".*" if sign == "*" else _SIGNS.get(sign, re.escape(sign)) for sign in self.pattern)
        return re.fullmatch("".join(signs), number, re.DOTALL) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerms:
    """When invoices fall due, and what paying early earns: `early_discount_percent` within that many days."""

    days: int = DEFAULT_PAYMENT_TERMS_DAYS
    end_of_month: bool = False
    early_discount_percent: Decimal = Decimal(0)
    early_discount_days: int = 0

    def check(self) -> None:
        """VALIDATION_FAILED for a discount without a time to earn it, or one that lasts beyond the due date."""
        if bool(self.early_discount_percent) != bool(self.early_discount_days):
            raise invalid(
                "payment_terms.early_discount_days", "incomplete",
                "A discount for paying early needs both a percentage and days.",
            )  # fmt: skip
        if self.early_discount_days > self.days and not self.end_of_month:
            raise invalid(
                "payment_terms.early_discount_days", "too_late", "The discount must end before the due date."
            )

    def due_date(self, invoice_date: date) -> date:
        """The day on which an invoice of that day falls due."""
        due = invoice_date + timedelta(days=self.days)
        if not self.end_of_month:
            return due
        return due.replace(day=calendar.monthrange(due.year, due.month)[1])

    def early_discount_until(self, invoice_date: date) -> date | None:
        """The last day on which the discount can be earned; None without one."""
        if not self.early_discount_percent:
            return None
        return invoice_date + timedelta(days=self.early_discount_days)


class TaxTreatment(StrEnum):
    """How sales are taxed unless an invoice says otherwise."""

    STANDARD = "standard"
    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse_charge"


@dataclass(frozen=True, slots=True)
class TaxStanding:
    """How a customer is taxed; the certificate of an exempt one holds until that day, None for always."""

    treatment: TaxTreatment = TaxTreatment.STANDARD
    exemption_certificate: str = ""
    exemption_valid_until: date | None = None

    def check(self, today: date, *, has_tax_id: bool) -> None:
        """VALIDATION_FAILED for what no authority would take: reverse charge without a tax id, or an exemption that is
        over and has no certificate.
        """
        if self.treatment is TaxTreatment.REVERSE_CHARGE and not has_tax_id:
            raise invalid(
                "tax_standing.treatment", "tax_id_required", "Reverse charge needs the customer's tax id."
            )
        has_ended = self.treatment is not self.treatment_on(today)
        if has_ended and not self.exemption_certificate:
            raise invalid(
                "tax_standing.exemption_valid_until", "too_early",
                "This exemption is over, and there is no certificate of it.",
            )  # fmt: skip

    def treatment_on(self, day: date) -> TaxTreatment:
        """The treatment of an invoice of that day: an exemption that has run out is none."""
        until = self.exemption_valid_until
        if self.treatment is TaxTreatment.EXEMPT and until is not None and day > until:
            return TaxTreatment.STANDARD
        return self.treatment
