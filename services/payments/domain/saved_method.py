"""A saved card or bank account: tokens and what people may see of it, never a number."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.payments.domain.outcome import MethodView

EXPIRES_SOON_DAYS = 60
BANK_DEBIT = "bank_debit"


class State(StrEnum):
    """Whether a method can be used. Only ACTIVE, REVOKED and REMOVED are stored; the clock makes the others."""

    ACTIVE = "active"
    EXPIRED = "expired"
    COOLING_OFF = "cooling_off"
    REVOKED = "revoked"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethod:
    """A method of a customer. `used_by_autopay` is whether the customer's autopay, turned on, pays with it."""

    payment_method_id: str
    customer_id: str
    provider: str
    view: MethodView
    stored_state: State
    is_default: bool
    usable_from: datetime
    created_at: datetime
    last_used_at: datetime | None = None
    mandate_accepted_by: str = ""
    noticed_expiry: str = ""
    used_by_autopay: bool = False
    events: int = 0

    @property
    def summary(self) -> str:
        """For people: Visa 4242."""
        return f"{self.view.brand} {self.view.last_digits}".strip()

    @property
    def expiry(self) -> str:
        """Year and month in which a card expires, 2027-03; empty for what does not."""
        return f"{self.view.expiry_year:04d}-{self.view.expiry_month:02d}" if self.view.expiry_year else ""

    def state_at(self, now: datetime, today: date) -> State:
        """What it is good for at this moment; a card is good until the end of its month."""
        if self.stored_state is not State.ACTIVE:
            return self.stored_state
        if self.view.expiry_year and (today.year, today.month) > (
            self.view.expiry_year,
            self.view.expiry_month,
        ):
            return State.EXPIRED
        return State.COOLING_OFF if now < self.usable_from else State.ACTIVE

    def may_be_charged(self, now: datetime, today: date, *, automatic: bool) -> bool:
        """A payer who is there may use a new bank account at once; automatic payments wait."""
        state = self.state_at(now, today)
        return state is State.ACTIVE or (state is State.COOLING_OFF and not automatic)

    def expires_soon(self, today: date) -> bool:
        """Whether a card's last day is at most 60 days away and not past."""
        if not self.view.expiry_year:
            return False
        days = (last_day(self.view.expiry_year, self.view.expiry_month) - today).days
        return 0 <= days <= EXPIRES_SOON_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodForCharge:
    """What a charge of a saved method needs."""

    payment_method_id: str
    provider: str
    kind: str
    method_token: str
    customer_token: str
    summary: str


def last_day(year: int, month: int) -> date:
    """The last day of a month."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)
