"""Bank accounts of an organization, and whether a statement is one of theirs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from chassis.errors import invalid
from chassis.money import Money

_LOOKS_LIKE_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")
_SHORTEST_OWN_PART = 7
"""Fewer digits of an account number could be anybody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """An account. `account_number` is an IBAN or plain number in capitals without blanks."""

    bank_account_id: str
    name: str
    account_holder: str
    account_number: str
    currency: str
    bic: str = ""
    bank_name: str = ""
    shown_to_payers: bool = False
    balance: Money | None = None
    balance_on: date | None = None

    @property
    def has_iban(self) -> bool:
        """Whether its number is an IBAN."""
        return is_iban(self.account_number)

    def is_named(self, identification: str) -> bool:
        """Whether a file means this account: by the same number, or by the part of its IBAN that is its own."""
        own = _plain(self.account_number, "")
        pieces = (identification, *identification.split("/"))  # bank/account, BIC/account/currency
        return any(self._is(_plain(piece, self.currency), own) for piece in pieces)

    def _is(self, said: str, own: str) -> bool:
        if said == own:
            return bool(own)
        said_is_iban = _LOOKS_LIKE_IBAN.fullmatch(said) is not None
        if said_is_iban == self.has_iban:
            return said.lstrip("0") == own.lstrip("0") != ""
        whole, part = (said, own) if said_is_iban else (own, said)
        part = part.lstrip("0")
        return len(part) >= _SHORTEST_OWN_PART and whole[4:].endswith(part)


def find_account(accounts: Sequence[BankAccount], identification: str, currency: str) -> BankAccount | None:
    """The one account that a statement names; None if it is none of these, or could be several."""
    named = [one for one in accounts if one.currency == currency and one.is_named(identification)]
    exact = [one for one in named if _plain(identification, currency) == one.account_number]
    return next(iter(exact), None) or (named[0] if len(named) == 1 else None)


def checked_number(text: str) -> str:
    """An account number in capitals without blanks; a wrong IBAN is refused."""
    plain = re.sub(r"[\s.\-]", "", text).upper()
    if not re.fullmatch(r"[A-Z0-9/]{4,40}", plain):
        raise invalid("iban", "not_an_account", "An account number has 4 to 40 letters and digits.")
    if _LOOKS_LIKE_IBAN.fullmatch(plain) and plain[:2].isalpha() and not is_iban(plain):
        raise invalid("iban", "bad_iban", "This IBAN is not right: its check digits or its length are wrong.")
    return plain


def checked_bic(text: str) -> str:
    """A BIC or routing number without blanks, in capitals."""
    plain = re.sub(r"\s", "", text).upper()
    if plain and not re.fullmatch(r"[A-Z0-9]{6,20}", plain):
        raise invalid("bic", "not_a_bic", "A BIC or routing number has 6 to 20 letters and digits.")
    return plain


def is_iban(text: str) -> bool:
    """Whether it is a right IBAN."""
    try:
        return bool(IBAN(text, validate_bban=False))
    except (SchwiftyException, ValueError):
        return False


def _plain(identification: str, currency: str) -> str:
    """Letters and digits only; some banks write the currency behind the number."""
    plain = re.sub(r"[^0-9A-Z]", "", identification.upper())
    return plain.removesuffix(currency) if currency and len(plain) > 6 else plain
