"""What a bank says about an account: entries between two balances, whatever format it was written in."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby, pairwise

from chassis.errors import FieldError, Kind, ServiceError
from chassis.money import Money
from services.payments.domain.creditor_reference import find_creditor_reference

_NO_REFERENCE = frozenset(
    {
        "NONREF",
        "NOTPROVIDED",
        "NOREF",
        "NONE",
        "UNKNOWN",
        "N/A",
        "NA",
        "EREF+",
        "KREF+",
        "EREF",
        "KREF",
        "MREF",
        "PREF",
    }
)


class BankFileFormat(StrEnum):
    """How a file is written."""

    CAMT = "camt"
    MT940 = "mt940"
    BAI2 = "bai2"
    OFX = "ofx"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """Money that came (positive) or went (negative).

    Lines of a batch that was split share `entry`, the number of the bank's entry in its statement, and
    `entry_reference`, the bank's reference of the whole. `line_number` is where it stands in the file.
    """

    booked_on: date
    amount: Money
    entry: int
    line_number: int
    value_on: date | None = None
    counterparty_name: str = ""
    counterparty_account: str = ""
    remittance_text: str = ""
    structured_reference: str = ""
    end_to_end_id: str = ""
    bank_reference: str = ""
    entry_reference: str = ""

    @property
    def creditor_reference(self) -> str:
        """The RF reference that the payer gave, in whichever field; empty without one."""
        for text in (self.structured_reference, self.end_to_end_id, self.remittance_text):
            if found := find_creditor_reference(text):
                return found
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedStatement:
    """A statement as a file has it. Interim balances are those of pages in between (60M, 62M, ITBD)."""

    account_identification: str
    currency: str
    lines: Sequence[StatementLine]
    reference: str = ""
    from_day: date | None = None
    to_day: date | None = None
    opening: Money | None = None
    closing: Money | None = None
    opening_is_interim: bool = False
    closing_is_interim: bool = False
    line_number: int = 1
    warnings: Sequence[str] = ()

    @property
    def has_balances(self) -> bool:
        """Whether opening and closing balance are both there, so that the lines can be checked against them."""
        return self.opening is not None and self.closing is not None

    def days(self) -> tuple[date | None, date | None]:
        """First and last day: as stated, or those of the lines."""
        booked = [line.booked_on for line in self.lines]
        first = self.from_day or min(booked, default=self.to_day)
        last = self.to_day or max(booked, default=self.from_day)
        return first, last

    def digest(self) -> bytes:
        """The same for the same statement, however often it comes."""
        balances = tuple(str(balance) for balance in (self.opening, self.closing))
        said = (
            self.account_identification,
            self.reference,
            self.from_day,
            self.to_day,
            *balances,
            *self.lines,
        )
        return hashlib.sha256(repr([_without_place(part) for part in said]).encode()).digest()

    def check_balances(self) -> None:
        """BANK_FILE_UNBALANCED unless opening balance and lines make the closing balance. No balances, no check."""
        for balance in (self.opening, self.closing):
            if balance is not None and balance.currency != self.currency:
                raise unbalanced(
                    self, f"its balances are in {balance.currency}, its lines in {self.currency}"
                )
        for line in self.lines:
            if line.amount.currency != self.currency:
                raise unbalanced(
                    self, f"it holds {line.amount.currency} beside {self.currency}", line.line_number
                )
        if self.opening is None or self.closing is None:
            return
        moved = sum(line.amount.minor_units for line in self.lines)
        if self.opening.minor_units + moved != self.closing.minor_units:
            difference = self.closing.minor_units - self.opening.minor_units - moved
            raise unbalanced(
                self,
                f"opening balance {self.opening} and {len(self.lines)} lines do not make closing balance"
                f" {self.closing}; the difference is {_units(difference, self.currency)}",
            )


@dataclass(frozen=True, slots=True)
class Identity:
    """By what an entry is known again: equal ones of a day count as first, second and so on."""

    content_key: bytes
    occurrence: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the bank: one line, or the parts of a split batch."""

    identity: Identity
    lines: Sequence[StatementLine]


@dataclass(frozen=True, slots=True)
class Known:
    """A statement with all by which it and its entries are known again."""

    statement: ParsedStatement
    digest: bytes
    entries: Sequence[Entry]


def known_by(statements: Sequence[ParsedStatement]) -> list[Known]:
    """The statements of a file, entries counted for each account over all of its statements."""
    accounts: dict[tuple[str, str], list[ParsedStatement]] = {}
    for statement in statements:
        accounts.setdefault((statement.account_identification, statement.currency), []).append(statement)
    counted = {
        id(statement): entries for group in accounts.values() for statement, entries in entries_of(group)
    }
    return [Known(statement, statement.digest(), counted[id(statement)]) for statement in statements]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An entry that is there already, as far as it is compared with one that comes again in another form."""

    identity: Identity
    booked_on: date
    amount: Money
    bank_reference: str
    end_to_end_id: str
    counterparty_name: str
    remittance_text: str

    def is_probably(self, line: StatementLine) -> bool:
        """Whether it is the same booking, of which only one of the two has the bank's reference."""
        if (self.booked_on, self.amount) != (line.booked_on, line.amount):
            return False
        if is_reference(self.bank_reference) == is_reference(line.entry_reference):
            return False
        names = {_plain(self.counterparty_name), _plain(line.counterparty_name)} - {""}
        ids = {_plain(self.end_to_end_id), _plain(line.end_to_end_id)} - {""}
        if len(names) > 1 or len(ids) > 1:
            return False
        texts = (_plain(self.remittance_text), _plain(line.remittance_text))
        has_both_ids = bool(self.end_to_end_id and line.end_to_end_id)
        return has_both_ids or (bool(texts[0]) and texts[0] == texts[1])


def probably_known(entries: Sequence[Entry], kept: Sequence[Kept]) -> list[Entry]:
    """Those of new entries that are probably among the kept ones; each kept one stands for one entry."""
    free, found = list(kept), []
    for entry in entries:
        same = next((one for one in free if len(entry.lines) == 1 and one.is_probably(entry.lines[0])), None)
        if same is not None:
            free.remove(same)
            found.append(entry)
    return found


def check_pages(statements: Sequence[ParsedStatement]) -> None:
    """BANK_FILE_UNBALANCED if a page does not begin where the page before ended."""
    for before, after in pairwise(statements):
        same_account = before.account_identification == after.account_identification
        follows = before.closing_is_interim and after.opening_is_interim
        if same_account and follows and before.closing != after.opening:
            raise unbalanced(
                after, f"it begins with {after.opening}, the page before ended with {before.closing}"
            )


def entries_of(statements: Sequence[ParsedStatement]) -> Iterator[tuple[ParsedStatement, Sequence[Entry]]]:
    """The entries of one account's statements with their identities, counted over all of them."""
    seen: Counter[bytes] = Counter()
    for statement in statements:
        entries = []
        for _, group in groupby(statement.lines, key=lambda line: line.entry):
            lines = tuple(group)
            key = _content_key(lines)
            seen[key] += 1
            entries.append(Entry(Identity(key, seen[key]), lines))
        yield statement, entries


def unbalanced(statement: ParsedStatement, why: str, line_number: int | None = None) -> ServiceError:
    """The refusal of a statement whose figures disagree."""
    number = line_number or statement.line_number
    name = f"Statement {statement.reference}" if statement.reference else "The statement"
    message = f"{name} (line {number}) does not add up: {why}. Nothing was booked."
    return ServiceError(
        Kind.FAILED_PRECONDITION,
        "BANK_FILE_UNBALANCED",
        message,
        fields=(FieldError(f"content.line_{number}", "unbalanced", message),),
        line=str(number),
    )


def is_reference(text: str) -> bool:
    """Whether a bank's reference says anything."""
    plain = text.strip().upper()
    return bool(plain.strip("0X-")) and plain not in _NO_REFERENCE


def _content_key(lines: Sequence[StatementLine]) -> bytes:
    """The bank's reference where it gives one, else all that it says; always with day and sum of the entry."""
    first = lines[0]
    total = sum(line.amount.minor_units for line in lines)
    said: list[object] = [first.booked_on.isoformat(), total, first.amount.currency]
    if is_reference(first.entry_reference):
        said += ["reference", _plain(first.entry_reference)]
    else:
        texts = (
            "counterparty_name",
            "counterparty_account",
            "remittance_text",
            "structured_reference",
            "end_to_end_id",
        )
        said += [
            (line.amount.minor_units, *(_plain(getattr(line, name)) for name in texts)) for line in lines
        ]
    return hashlib.sha256(repr(said).encode()).digest()


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _without_place(part: object) -> object:
    if not isinstance(part, StatementLine):
        return part
    texts = (
        part.counterparty_name,
        part.counterparty_account,
        part.remittance_text,
        part.structured_reference,
    )
    plain = tuple(_plain(text) for text in (*texts, part.end_to_end_id, part.bank_reference))
    return (part.booked_on, part.value_on, part.amount.minor_units, part.amount.currency, part.entry, plain)


def _units(minor_units: int, currency: str) -> str:
    try:
        return str(Money(minor_units, currency))
    except ValueError:
        return f"{minor_units} minor units of {currency}"
