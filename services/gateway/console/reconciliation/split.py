"""Several amounts as staff write them for one bank line, one a row."""

from dataclasses import dataclass

from chassis.money import Money
from services.gateway.web.languages import gettext as _
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import amount_words, read_amount
from tallyport.payments.v1.reconciliation_pb2 import BankLine


@dataclass(frozen=True, slots=True)
class Division:
    """Parts of a line; what was not written is one more part. `mistake` says why there are none."""

    parts: tuple[Money, ...] = ()
    mistake: str = ""


def divided(line: BankLine, entered: str) -> Division:
    """The line in parts."""
    whole = money_of(line.amount)
    typed = [read_amount(row, whole.currency) for row in entered.splitlines() if row.strip()]
    parts = [amount for amount in typed if amount is not None and not amount.is_zero]
    if len(parts) < len(typed) or not parts:
        wrong = (row for row in entered.splitlines() if row.strip() and not read_amount(row, whole.currency))
        return Division(mistake=amount_words(next(wrong, ""), whole.currency))
    rest = whole - sum(parts[1:], parts[0])
    if rest.is_negative:
        return Division(mistake=_("The parts are more than the line."))
    if not rest.is_zero:
        parts.append(rest)
    if len(parts) < 2:
        return Division(mistake=_("That is the whole line. Write less than all of it."))
    return Division(tuple(parts))
