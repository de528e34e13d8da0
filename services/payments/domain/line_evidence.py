"""What a line tells about who paid it and which invoices it names."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.money import Money
from services.payments.domain.creditor_reference import reference_of_invoice
from services.payments.domain.invoice_numbers import Findings, Form, NumberIndex
from services.payments.domain.matching import (
    IncomingLine,
    Knowledge,
    OpenItem,
    Reason,
    ReasonCode,
    plain_account,
)
from services.payments.domain.payer_names import Likeness, NameIndex


@dataclass(frozen=True, slots=True)
class Payer:
    """What is known about a customer as the payer of a line."""

    likeness: Likeness = Likeness.NONE
    times_seen: int = 0
    is_only_one_seen: bool = False
    """Nobody else's payments ever came from the account."""
    is_referenced: bool = False
    """The payer gave the creditor reference that names this customer."""

    @property
    def is_supported(self) -> bool:
        """Something speaks for this customer."""
        return self.likeness is not Likeness.NONE or self.times_seen > 0 or self.is_referenced

    @property
    def is_known(self) -> bool:
        """The name alone or the account alone says that it is this customer."""
        return self.likeness is Likeness.SAME or self.is_only_one_seen or self.is_referenced

    @property
    def is_certain(self) -> bool:
        """Name and account agree, or the customer's reference was given."""
        return self.is_referenced or (self.is_only_one_seen and self.likeness is not Likeness.NONE)


@dataclass(frozen=True, slots=True)
class Hit:
    """An invoice that a line names."""

    invoice_id: str
    form: Form
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it for one line. `hits` are unmistakable places, in the order written."""

    line: IncomingLine
    payers: Mapping[str, Payer]
    hits: Sequence[Hit]
    is_ambiguous: bool
    unknown: Sequence[str]
    is_cut: bool

    def payer(self, customer_id: str) -> Payer:
        return self.payers.get(customer_id, Payer())


class Witness:
    """Gathers evidence; made once for a batch of lines."""

    def __init__(self, knowledge: Knowledge) -> None:
        items = {item.invoice_id: item for item in knowledge.items}
        self._items = items
        bodies = {
            each.invoice_id: reference_of_invoice(each.number, each.invoice_id)[4:] for each in items.values()
        }
        self._numbers = NumberIndex({each.invoice_id: each.number for each in items.values()}, bodies)
        self._orders = NumberIndex(
            {each.invoice_id: each.purchase_order for each in items.values() if len(each.purchase_order) >= 4}
        )
        names = dict(knowledge.other_names) | {
            item.customer_id: item.customer_name for item in items.values()
        }
        self._names = NameIndex(names)
        self._referenced = knowledge.referenced
        self._history = {plain_account(account): seen for account, seen in knowledge.history.items()}

    def looks_like(self, token: str, invoice_id: str) -> bool:
        """Whether an unknown number may be a slip for this invoice's."""
        return self._numbers.looks_like(token, invoice_id)

    def of(self, line: IncomingLine) -> Evidence:
        """What the line tells."""
        found = [self._numbers.find(line.text)]
        if line.reference and line.reference not in line.text:
            found.append(self._numbers.find(line.reference))
        hits, ambiguous = self._hits(found, line.amount)
        if not hits:
            orders, _ = self._hits([self._orders.find(line.text)], line.amount)
            hits = [Hit(hit.invoice_id, min(hit.form, Form.DIGITS), hit.start) for hit in orders]
        unknown = [token for each in found for token in each.unknown]
        return Evidence(
            line=line,
            payers=self._payers(
                line, {self._referenced[token] for token in unknown if token in self._referenced}
            ),
            hits=hits,
            is_ambiguous=ambiguous,
            unknown=tuple(token for token in unknown if token not in self._referenced),
            is_cut=any(each.is_cut for each in found),
        )

    def _hits(self, found: Sequence[Findings], amount: Money) -> tuple[list[Hit], bool]:
        best: dict[str, Hit] = {}
        ambiguous = False
        offset = 0
        for findings in found:
            for mention in findings.mentions:
                keys = [key for key in mention.keys if self._items[key].due.currency == amount.currency]
                ambiguous = ambiguous or (len(mention.keys) > 1 and mention.form > Form.NOISY)
                for key in keys:
                    form = mention.form if len(mention.keys) == 1 else Form.NOISY
                    if key not in best or form > best[key].form:
                        start = best[key].start if key in best else offset + mention.start
                        best[key] = Hit(key, form, start)
            offset += 10_000
        return sorted(best.values(), key=lambda hit: hit.start), ambiguous

    def _payers(self, line: IncomingLine, referenced: set[str]) -> dict[str, Payer]:
        alike = self._names.like(line.name) if line.name else {}
        seen: Mapping[str, int] = self._history.get(plain_account(line.account), {}) if line.account else {}
        return {
            customer_id: Payer(
                alike.get(customer_id, Likeness.NONE),
                seen.get(customer_id, 0),
                is_only_one_seen=len(seen) == 1 and customer_id in seen,
                is_referenced=customer_id in referenced,
            )
            for customer_id in {*alike, *seen, *referenced}
        }


def payer_reasons(evidence: Evidence, customer_id: str) -> list[Reason]:
    """What speaks for a customer, in words."""
    payer = evidence.payer(customer_id)
    reasons = []
    if payer.is_referenced:
        reasons.append(Reason(ReasonCode.CREDITOR_REFERENCE, "The payer gave the customer's reference."))
    if payer.times_seen:
        times = "once" if payer.times_seen == 1 else f"{payer.times_seen} times"
        others = "" if payer.is_only_one_seen else ", and others as well"
        reasons.append(
            Reason(ReasonCode.ACCOUNT_HISTORY, f"This customer has paid from this account {times}{others}.")
        )
    if payer.likeness is Likeness.SAME:
        reasons.append(Reason(ReasonCode.NAME, "The payer has the customer's name."))
    elif payer.likeness is Likeness.ALIKE:
        reasons.append(Reason(ReasonCode.NAME, "The payer's name is like the customer's."))
    return reasons


def by_customer(items: Sequence[OpenItem]) -> dict[str, list[OpenItem]]:
    """Items of each customer, the oldest due first."""
    grouped: dict[str, list[OpenItem]] = defaultdict(list)
    for item in sorted(items, key=lambda each: (each.due_on, each.invoice_id)):
        grouped[item.customer_id].append(item)
    return grouped
