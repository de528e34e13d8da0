"""Dunning: which level of a late invoice comes when, and what keeps it from being sent.

The table of obstacles is the whole decision: the first that holds is the reason why a level waits, and none of them
skips a level. A level goes out on the first day on which nothing holds, so dunning goes on where it was.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from chassis.errors import invalid
from chassis.money import Money

_NEXT_DAY = timedelta(days=1)


class Action(StrEnum):
    """What is decided about a level."""

    SENT = "sent"
    WAITS = "waits"
    OVER = "over"


class Obstacle(StrEnum):
    """What keeps a level from being sent, in the order in which it is told."""

    PAID = "paid"
    PAUSED = "paused"
    ON_HOLD = "on_hold"
    DISPUTED = "disputed"
    EINVOICE_REJECTED = "einvoice_rejected"
    ON_PLAN = "on_plan"
    PROMISED = "promised"
    CLAIMED = "claimed"
    AUTOPAY = "autopay"
    PROCESSING = "processing"
    CREDIT_COVERS = "credit_covers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a late invoice on a day.

    `disputed` is of what is due. `credit` is what the customer can spend. `einvoice_waits` while a rejected or queried
    e-invoice is undecided. The days are the last ones of pauses and holds, None for none.
    """

    today: date
    due: Money
    disputed: Money
    reserved: Money
    credit: Money
    on_hold: bool = False
    on_plan: bool = False
    einvoice_waits: bool = False
    paused_until: date | None = None
    promised_until: date | None = None
    claimed_until: date | None = None
    autopay_until: date | None = None

    @property
    def asked(self) -> Money:
        """What a reminder asks for: what is neither disputed nor on its way."""
        return max(Money.zero(self.due.currency), self.due - self.disputed - self.reserved)


def obstacles(facts: Facts) -> list[Obstacle]:
    """Everything that speaks against a reminder today, the first told first."""
    is_due = facts.due.minor_units > 0
    table = {
        Obstacle.PAID: not is_due,
        Obstacle.PAUSED: _holds(facts.paused_until, facts.today),
        Obstacle.ON_HOLD: facts.on_hold,
        Obstacle.DISPUTED: is_due and facts.disputed >= facts.due,
        Obstacle.EINVOICE_REJECTED: facts.einvoice_waits,
        Obstacle.ON_PLAN: facts.on_plan,
        Obstacle.PROMISED: _holds(facts.promised_until, facts.today),
        Obstacle.CLAIMED: _holds(facts.claimed_until, facts.today),
        Obstacle.AUTOPAY: _holds(facts.autopay_until, facts.today),
        Obstacle.PROCESSING: is_due and facts.reserved.minor_units > 0 and facts.asked.is_zero,
        Obstacle.CREDIT_COVERS: is_due and facts.credit.minor_units > 0 and facts.credit >= facts.asked,
    }
    return [obstacle for obstacle in Obstacle if table[obstacle]]


def decide(facts: Facts) -> tuple[Action, Obstacle | None]:
    """What becomes of a level whose day has come, and why."""
    found = obstacles(facts)
    if not found:
        return Action.SENT, None
    return (Action.OVER if found[0] is Obstacle.PAID else Action.WAITS), found[0]


def _holds(until: date | None, today: date) -> bool:
    return until is not None and today <= until


@dataclass(frozen=True, slots=True)
class DunningText:
    """What a level says in a language; values are put in for {number}, {amount}, {due_date}, {deadline}, {fee}."""

    locale: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A level: from which day after the due date, and how many days to pay it gives."""

    days_after_due: int
    deadline_days: int
    texts: tuple[DunningText, ...]
    fee: Money | None = None
    mail: bool = True
    letter: bool = False

    def text_for(self, *locales: str) -> DunningText:
        """The text in the first of these languages that there is one in, else the first one."""
        for wanted in locales:
            for one in self.texts:
                if wanted and _language(one.locale) == _language(wanted):
                    return one
        return self.texts[0]

    def fee_in(self, currency: str) -> Money | None:
        """The fee if it is in this currency."""
        return self.fee if self.fee is not None and self.fee.currency == currency else None


@dataclass(frozen=True, slots=True)
class DunningPolicy:
    """For customers with the label `segment`, all others when it is empty."""

    segment: str
    name: str
    levels: tuple[Level, ...]
    is_active: bool = True

    def must_be_sound(self) -> None:
        """VALIDATION_FAILED for levels that do not follow each other, or that nobody would see."""
        days = 0
        for at, level in enumerate(self.levels):
            if level.days_after_due <= days:
                raise invalid(
                    f"policy.levels[{at}].days_after_due",
                    "range",
                    "Each level must be later than the one before.",
                )
            if not (level.mail or level.letter):
                raise invalid(
                    f"policy.levels[{at}].mail", "required", "A level goes by mail, as a letter, or both."
                )
            if level.fee is not None and level.fee.minor_units <= 0:
                raise invalid(f"policy.levels[{at}].fee", "positive", "A fee must be more than zero.")
            days = level.days_after_due


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A level that was sent, as it was."""

    notice_id: str
    invoice_id: str
    customer_id: str
    level: int
    title: str
    text: str
    locale: str
    amount: Money
    issued_on: date
    deadline_on: date
    fee_invoice_id: str
    letter: bool
    mail: bool
    invoice_number: str = ""
    interest: Money | None = None
    fees: Money | None = None
    """Late fees with interest, and fees of reminders with that of this one, that were owed besides `amount`."""


def policy_for(policies: Collection[DunningPolicy], segments: Sequence[str]) -> DunningPolicy | None:
    """The policy of the customer's first label that has one, else the one for all; None when there is none."""
    mine = {one.segment: one for one in policies if one.is_active}
    return next((mine[segment] for segment in (*segments, "") if segment in mine), None)


def next_level(policy: DunningPolicy, due_date: date, last: Notice | None) -> tuple[int, date] | None:
    """The level that comes next and the first day for it: never before the last one's deadline is over."""
    number = (last.level if last else 0) + 1
    if number > len(policy.levels):
        return None
    day = due_date + timedelta(days=policy.levels[number - 1].days_after_due)
    return number, day if last is None else max(day, last.deadline_on + _NEXT_DAY)


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its values; braces that name nothing stay."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _language(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()
