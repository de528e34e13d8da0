"""The test bank accounts: what becomes of a debit from each. Nothing else is accepted as an account."""

import re
from dataclasses import dataclass
from typing import Literal

Scheme = Literal["ach", "sepa"]
ROUTING_NUMBER = "110000000"
SETTLES_AFTER_BUSINESS_DAYS = {"ach": 4, "sepa": 2}
EARLY_RETURN_AFTER_BUSINESS_DAYS = 1
CURRENCIES: dict[str, Scheme] = {"USD": "ach", "EUR": "sepa"}
BANKS = {"ach": "Test Bank", "sepa": "Testbank"}


@dataclass(frozen=True)
class TestAccount:
    """An account with its fate. Days after settling count as calendar days."""

    __test__ = False

    key: str
    scheme: Scheme
    number: str
    """Account number beside ROUTING_NUMBER, or IBAN."""
    meaning: str
    early_return: tuple[str, str] | None = None
    """Return code and decline code, if the debit comes back before it settles."""
    late_return: tuple[str, int] | None = None
    """Return code and days after settling, if the debit comes back then."""
    revoked_after_days: int | None = None
    """Days after settling on which the payer revokes the mandate."""

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        """As people write it."""
        if self.scheme == "ach":
            return self.number
        return " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))


def iban(country: str, account: str) -> str:
    """An IBAN with its check digits (ISO 7064 mod 97)."""
    check = 98 - int("".join(str(int(sign, 36)) for sign in f"{account}{country}00")) % 97
    return f"{country}{check:02d}{account}"


def is_iban(text: str) -> bool:
    """Whether form and check digits are right."""
    return bool(re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", text)) and text == iban(text[:2], text[4:])


def passes_routing_check(number: str) -> bool:
    """Whether nine digits can be a routing number."""
    weights = (3, 7, 1) * 3
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True)) % 10 == 0


def _german(number: str) -> str:
    return iban("DE", f"37040044{number}")


ACCOUNTS = (
    TestAccount("ach_settles", "ach", "000123456789", "settles"),
    TestAccount(
        "ach_early_r01", "ach", "000222222227", "comes back before it settles: R01",
        early_return=("R01", "insufficient_funds"),
    ),
    TestAccount(
        "ach_early_r02", "ach", "000111111116", "comes back before it settles: R02",
        early_return=("R02", "account_closed"),
    ),
    TestAccount("ach_late_2", "ach", "000111222202", "settles, back 2 days later: R01", late_return=("R01", 2)),
    TestAccount("ach_late_6", "ach", "000111222206", "settles, back 6 days later: R10", late_return=("R10", 6)),
    TestAccount("ach_late_40", "ach", "000111222240", "settles, back 40 days later: R10", late_return=("R10", 40)),
    TestAccount(
        "ach_revoked", "ach", "000111222270", "settles, a day later the mandate is revoked", revoked_after_days=1
    ),
    TestAccount("sepa_settles", "sepa", _german("0532013000"), "settles"),
    TestAccount(
        "sepa_early_am04", "sepa", _german("0532013001"), "comes back before it settles: AM04",
        early_return=("AM04", "insufficient_funds"),
    ),
    TestAccount(
        "sepa_late_2", "sepa", _german("0532013002"), "settles, back 2 days later: AM04", late_return=("AM04", 2)
    ),
    TestAccount(
        "sepa_late_6", "sepa", _german("0532013006"), "settles, back 6 days later: MS03", late_return=("MS03", 6)
    ),
    TestAccount(
        "sepa_late_40", "sepa", _german("0532013040"), "settles, back 40 days later: MD06",
        late_return=("MD06", 40),
    ),
    TestAccount(
        "sepa_revoked", "sepa", _german("0532013070"), "settles, a day later the mandate is revoked",
        revoked_after_days=1,
    ),
)  # fmt: skip
_BY_KEY = {account.key: account for account in ACCOUNTS}
_BY_NUMBER = {account.number: account for account in ACCOUNTS}


def by_key(key: str) -> TestAccount | None:
    """The account that a stored charge or method names."""
    return _BY_KEY.get(key)


def by_number(number: str) -> TestAccount | None:
    """The account with that number or IBAN."""
    return _BY_NUMBER.get(number)


def of_scheme(scheme: str) -> list[TestAccount]:
    """The test accounts for a page."""
    return [account for account in ACCOUNTS if account.scheme == scheme]
