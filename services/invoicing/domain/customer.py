"""Customers: the billing accounts that owe money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chassis.money import Money
from services.invoicing.domain.invoice import Buyer

DEFAULT_PAYMENT_TERMS_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer. `version` counts changes from one; each change is one event."""

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

    def as_buyer(self) -> Buyer:
        """How the customer is printed on an invoice."""
        return Buyer(self.name, self.address_lines, self.country, self.tax_id)


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """What somebody asked a new customer to be; empty currency and locale mean the organization's."""

    name: str
    email: str
    external_id: str | None
    currency: str
    locale: str
    address_lines: tuple[str, ...]
    country: str
    tax_id: str
    payment_terms_days: int


@dataclass(frozen=True, slots=True)
class CustomerChanges:
    """Changes to a customer; None leaves a field as it is."""

    name: str | None = None
    email: str | None = None
    locale: str | None = None
    address_lines: tuple[str, ...] | None = None
    country: str | None = None
    tax_id: str | None = None
    payment_terms_days: int | None = None


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


@dataclass(frozen=True, slots=True)
class Account:
    """All balances of a customer, the customer's own currency first."""

    customer_id: str
    balances: Sequence[AccountBalance]
