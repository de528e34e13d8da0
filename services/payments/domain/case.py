"""A payment with its attempt and the organization it belongs to: what every step of the saga works on."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.payments.domain.attempt import Attempt
from services.payments.domain.coins import as_came
from services.payments.domain.outcome import Outcome
from services.payments.domain.payment import Payment, apply_outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """What payments knows of an organization. The zone decides on which day money was received."""

    organization_id: str
    name: str = ""
    time_zone: str = "UTC"
    locale: str = "en"
    address_lines: tuple[str, ...] = ()
    tax_id: str = ""
    contact_email: str = ""
    primary_color: str = ""

    @property
    def zone(self) -> tzinfo:
        """Its time zone; UTC if that is not known here."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return UTC

    def day_of(self, moment: datetime) -> date:
        """The calendar day there."""
        return moment.astimezone(self.zone).date()

    def moment_of(self, day: date, hour: int = 0) -> datetime:
        """When that hour of a day strikes there."""
        return datetime.combine(day, time(hour), tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A payment in its surroundings. Recorded payments have no attempt."""

    organization: Organization
    payment: Payment
    attempt: Attempt | None = None
    waiting_payment_ids: tuple[str, ...] | None = None
    """The customer's payments that waited at a page for its invoices when it began; None if not looked up."""

    @property
    def organization_id(self) -> str:
        return self.organization.organization_id

    @property
    def at_provider(self) -> Attempt:
        """The attempt of a payment that has one; ValueError for recorded ones."""
        if self.attempt is None:
            raise ValueError(f"{self.payment.payment_id} never went to a provider")
        return self.attempt

    def with_numbers(self, numbers: dict[str, str]) -> "Case":
        """The same with the invoices' numbers."""
        return replace(self, payment=self.payment.with_numbers(numbers)) if numbers else self

    def after(self, outcome: Outcome, *, now: datetime) -> Payment:
        """The payment once this outcome is applied, coins as they came; the same object if nothing is new."""
        payment = as_came(self.payment, outcome)
        checked = outcome.checked(payment.amount)
        return apply_outcome(payment, checked, now=now, today=self.organization.day_of(now))
