"""What people type into forms of the portal and of the console alike, and amounts on their way into a call."""

from datetime import date

from chassis.money import Money
from tallyport.common.v1.money_pb2 import Money as MoneyMessage


def read_day(text: str) -> date | None:
    """ISO 8601, as date fields send it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def to_message(money: Money) -> MoneyMessage:
    """Ours as the contract's."""
    return MoneyMessage(minor_units=money.minor_units, currency=money.currency)
