"""Customers: the billing accounts that owe money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.invoicing.domain.billing import (
    Address,
    OrderRule,
    PaymentTerms,
    TaxStanding,
)
from services.invoicing.domain.invoice import Buyer
from services.invoicing.domain.tax_id import TaxId

MOST_LEVELS = 5
"""Customers one above the other, the topmost and the lowest counted."""
MOST_BELOW = 500
"""Customers below one: all of them move with it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Who gets mail about a customer's account."""

    customer_id: str
    name: str
    email: str
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer. `version` counts changes from one; each change is one event and one line of the history.

    `address_lines` to `country` are the billing address. `tax_id` is the value of the first of `tax_ids`, or, where
    there are none, what somebody wrote without its being checked. `ancestor_ids` begin with the parent.
    """

    customer_id: str
    name: str
    email: str
    external_id: str | None
    currency: str
    locale: str
    address_lines: tuple[str, ...]
    country: str
    tax_id: str
    payment_terms_days: int
    created_at: datetime
    version: int = 1
    legal_name: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    shipping: Address | None = None
    tax_ids: tuple[TaxId, ...] = ()
    order_rule: OrderRule = field(default_factory=OrderRule)
    purchase_order_number: str = ""
    due_at_month_end: bool = False
    early_discount_percent: Decimal = Decimal(0)
    early_discount_days: int = 0
    credit_limit: Money | None = None
    on_hold: bool = False
    hold_reason: str = ""
    time_zone: str = ""
    taxes: TaxStanding = field(default_factory=TaxStanding)
    account_manager_id: str = ""
    external_ids: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    ancestor_ids: tuple[str, ...] = ()

    @property
    def parent_customer_id(self) -> str | None:
        """The customer right above."""
        return self.ancestor_ids[0] if self.ancestor_ids else None

    @property
    def billing(self) -> Address:
        """The billing address."""
        return Address(
            lines=self.address_lines, city=self.city, region=self.region, postal_code=self.postal_code,
            country=self.country,
        )  # fmt: skip

    def as_buyer(self) -> Buyer:
        """How the customer is printed on an invoice."""
        return Buyer(
            self.name, self.address_lines, self.country, self.tax_id,
            legal_name=self.legal_name, city=self.city, region=self.region, postal_code=self.postal_code,
            tax_ids=tuple((one.label, one.value) for one in self.tax_ids),
        )  # fmt: skip

    @property
    def terms(self) -> PaymentTerms:
        """When invoices fall due, and what paying early earns."""
        return PaymentTerms(
            days=self.payment_terms_days, end_of_month=self.due_at_month_end,
            early_discount_percent=self.early_discount_percent, early_discount_days=self.early_discount_days,
        )  # fmt: skip

    def must_take_invoices(self) -> None:
        """CUSTOMER_ON_HOLD while nothing new may be invoiced."""
        if self.on_hold:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "CUSTOMER_ON_HOLD",
                "This customer is on hold. Nothing new is invoiced until the hold is taken away.",
                customer_id=self.customer_id,
            )  # fmt: skip

    def must_make_sense(self, before: "Customer | None", today: date) -> None:
        """VALIDATION_FAILED for what is new and goes together with nothing else."""
        limit = self.credit_limit
        if limit is not None and limit.currency != self.currency:
            raise invalid(
                "credit_limit", "currency", f"The limit must be in the customer's currency, {self.currency}."
            )
        if limit is not None and limit.is_negative:
            raise invalid("credit_limit", "negative", "The limit must not be less than zero.")
        if before is None or self._taxed_as != before._taxed_as:
            self.taxes.check(today, has_tax_id=bool(self.tax_id or self.tax_ids))
        number, rule = self.purchase_order_number, self.order_rule
        is_new = before is None or (number, rule) != (before.purchase_order_number, before.order_rule)
        if is_new and number and not rule.allows(number):
            raise invalid(
                "purchase_order_number", "pattern", f"This customer's order numbers look like {rule.pattern}."
            )

    @property
    def _taxed_as(self) -> tuple[TaxStanding, bool]:
        return self.taxes, bool(self.tax_id or self.tax_ids)

    def must_be(self, expected_version: int | None) -> None:
        """CUSTOMER_CHANGED when the customer has another version than somebody was shown."""
        if expected_version is not None and expected_version != self.version:
            raise changed_meanwhile(self.version)


def changed_meanwhile(version: int) -> ServiceError:
    """CUSTOMER_CHANGED."""
    return ServiceError(
        Kind.ABORTED, "CUSTOMER_CHANGED",
        "Somebody else has changed this customer meanwhile. Please look at it again.", version=str(version),
    )  # fmt: skip


def changed(customer: Customer, values: Mapping[str, object]) -> Customer:
    """The customer with other values by field, one version on; the same one when they change nothing."""
    given = {name: value for name, value in values.items() if value != getattr(customer, name)}
    if not given:
        return customer
    after: Customer = replace(customer, **given, version=customer.version + 1)  # type: ignore[arg-type]
    return after


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """What somebody asked a new customer to be; empty currency and locale mean the organization's.

    `values` are the other fields by name.
    """

    name: str
    external_id: str | None
    currency: str
    locale: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CustomerBalance:
    """A customer with what they owe in their own currency."""

    customer: Customer
    open: Money
    overdue: Money
    open_invoices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBalance:
    """What a customer owes in one currency. The due amounts leave out what is overdue."""

    open: Money
    overdue: Money
    due_in_7_days: Money
    due_in_30_days: Money
    processing: Money
    credit: Money
    open_invoices: int
    overdue_invoices: int
    next_due_date: date | None
    due_now: Money


@dataclass(frozen=True, slots=True)
class Account:
    """All balances of a customer, the customer's own currency first."""

    customer_id: str
    balances: Sequence[AccountBalance]
