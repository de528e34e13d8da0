"""Proposes what bank lines are for, and decides which of them are certain."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chassis.money import Money
from services.payments.domain import match_scores as scores
from services.payments.domain.invoice_numbers import Form
from services.payments.domain.item_sums import adding_up
from services.payments.domain.line_evidence import Evidence, Witness, by_customer, payer_reasons
from services.payments.domain.match_scores import Fit
from services.payments.domain.matching import (
    AUTOMATIC_PER_MILLE,
    Decision,
    IncomingLine,
    Knowledge,
    MatchedPart,
    MatchRule,
    OpenItem,
    Proposal,
    Reason,
    ReasonCode,
)

MOST_PROPOSALS = 5
FIRST_ROUND_PER_MILLE = 980
"""Lines that are this sure come first, so that guesses by amount never take an invoice that another line names."""
_CREDIT_ALONE_PER_MILLE = 200


@dataclass(frozen=True, slots=True)
class _Named:
    """What a line names of one customer."""

    items: tuple[OpenItem, ...]
    form: Form
    elsewhere: bool
    """Whether it names another customer's invoices as well."""
    paid: tuple[OpenItem, ...]


class Matcher:
    """Matches a batch of lines. What one line pays is no longer due for the next."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._items = {item.invoice_id: item for item in knowledge.items}
        self._due = {item.invoice_id: item.due for item in knowledge.items}
        self._discounted = [item for item in knowledge.items if item.discounted_due is not None]
        self._planned = {
            each.invoice_id: each.instalment_due for each in knowledge.items if each.instalment_due
        }
        self._rules = knowledge.rules
        self._claims = {claim.claim_id: claim for claim in knowledge.claims}
        self._witness = Witness(knowledge)
        self._evidence: dict[str, Evidence] = {}
        self._of_customer = by_customer(knowledge.items)
        self._of_amount: dict[Money, set[str]] = defaultdict(set)
        for invoice_id, due in self._due.items():
            self._of_amount[due].add(invoice_id)

    def decide(self, lines: Iterable[IncomingLine]) -> list[Decision]:
        """What becomes of the lines by themselves, in the order in which it was decided."""
        waiting = sorted(lines, key=lambda line: (line.booked_on, line.bank_line_id))
        decisions: list[Decision] = []
        for threshold in (FIRST_ROUND_PER_MILLE, AUTOMATIC_PER_MILLE):
            left = []
            for line in waiting:
                decision = self._decide(line, threshold)
                if decision is None:
                    left.append(line)
                else:
                    decisions.append(decision)
            waiting = left
        return [*decisions, *(Decision(bank_line_id=line.bank_line_id) for line in waiting)]

    def _decide(self, line: IncomingLine, threshold: int) -> Decision | None:
        rule = self.rule_for(line)
        if rule is not None and rule.ignore:
            return Decision(bank_line_id=line.bank_line_id, ignored_by=rule)
        best = next(iter(self.propose(line)), None)
        if best is None or best.confidence_per_mille < threshold:
            return None
        self.take(best)
        return Decision(bank_line_id=line.bank_line_id, proposal=best)

    def rule_for(self, line: IncomingLine) -> MatchRule | None:
        """The first rule that fits."""
        return next((rule for rule in self._rules if rule.fits(line)), None)

    def propose(self, line: IncomingLine) -> list[Proposal]:
        """What the line may be for, the best first."""
        found = self._found(line)
        if early := self._settled_early(line):
            found += self._found_with(line, early)
        if asked := {
            one: due for one, due in self._planned.items() if self._due[one] == self._items[one].due
        }:
            exact = (each for each in self._found_with(line, asked) if each.credit.is_zero)
            found += [
                each
                for each in exact
                if all(part.amount == asked.get(part.invoice_id) for part in each.parts)
            ]
        return _best_of_each(found)

    def _found_with(self, line: IncomingLine, dues: Mapping[str, Money]) -> list[Proposal]:
        """As if this were due of these invoices."""
        before = {invoice_id: self._due[invoice_id] for invoice_id in dues}
        self._set_due(dues)
        try:
            return self._found(line)
        finally:
            self._set_due(before)

    def _found(self, line: IncomingLine) -> list[Proposal]:
        evidence = self.evidence_of(line)
        rule = self.rule_for(line)
        found = [
            *self._by_number(evidence),
            *self._by_claim(evidence),
            *self._by_amount(evidence),
            *self._by_sum(evidence),
            *self._by_payer(evidence),
        ]
        if rule is not None and rule.customer_id:
            found += self._by_rule(evidence, rule, found)
        return found

    def _settled_early(self, line: IncomingLine) -> dict[str, Money]:
        """What settles invoices for less, for money of the line's day, of those that no other line has touched."""
        return {
            item.invoice_id: settled
            for item in self._discounted
            if (settled := item.settled_by(line.booked_on)) is not None
            and self._due[item.invoice_id] == item.due
        }

    def _set_due(self, dues: Mapping[str, Money]) -> None:
        for invoice_id, due in dues.items():
            self._of_amount[self._due[invoice_id]].discard(invoice_id)
            self._due[invoice_id] = due
            self._of_amount[due].add(invoice_id)

    def evidence_of(self, line: IncomingLine) -> Evidence:
        """What the line tells of its payer and of invoices."""
        evidence = self._evidence.get(line.bank_line_id)
        if evidence is None:
            evidence = self._evidence[line.bank_line_id] = self._witness.of(line)
        return evidence

    def take(self, proposal: Proposal) -> None:
        """Count what a proposal pays as paid."""
        for part in proposal.parts:
            before = self._due[part.invoice_id]
            is_settled = part.amount == self._items[part.invoice_id].discounted_due
            left = Money.zero(before.currency) if is_settled else before - part.amount
            self._set_due({part.invoice_id: left})
        self._claims.pop(proposal.claim_id, None)

    def _by_number(self, evidence: Evidence) -> Iterator[Proposal]:
        for customer_id, named in self._named(evidence).items():
            if not named.items:
                continue
            amount = evidence.line.amount
            total = self._sum(named.items)
            fit = Fit.EXACT if amount == total else Fit.LESS if amount < total else Fit.MORE
            doubt = scores.Doubt(
                elsewhere=named.elsewhere,
                already_paid=bool(named.paid),
                ambiguous=evidence.is_ambiguous,
                unknown_number=bool(evidence.unknown),
                rival=self._has_rival(evidence, customer_id),
                other_fit=fit is not Fit.EXACT
                and self._fits_otherwise(evidence, customer_id, named.items, fit),
                cut=evidence.is_cut and fit is Fit.MORE,
                disproportionate=fit is Fit.MORE and amount.minor_units > 2 * total.minor_units,
            )
            confidence = scores.by_number(
                named.form, fit, evidence.payer(customer_id), items=len(named.items), doubt=doubt
            )
            yield self._proposal(evidence, named.items, confidence, _number_reasons(named, fit, total))

    def _by_amount(self, evidence: Evidence) -> Iterator[Proposal]:
        amount = evidence.line.amount
        grouped = by_customer([self._items[each] for each in self._of_amount.get(amount, ())])
        strong = any(hit.form >= Form.DIGITS for hit in evidence.hits)
        for customer_id, items in grouped.items():
            payer = evidence.payer(customer_id)
            for item in items:
                near = any(self._witness.looks_like(token, item.invoice_id) for token in evidence.unknown)
                confidence = scores.by_amount(
                    payer,
                    only_item=len(items) == 1,
                    only_customer=len(grouped) == 1,
                    slip=near,
                    contradicted=strong or (bool(evidence.unknown) and not near),
                )
                text = f"Exactly what is due on {item.number}."
                if len(items) > 1 or len(grouped) > 1:
                    text = f"Exactly what is due on {item.number}, but on other invoices as well."
                yield self._proposal(evidence, [item], confidence, [Reason(ReasonCode.EXACT_AMOUNT, text)])

    def _by_sum(self, evidence: Evidence) -> Iterator[Proposal]:
        amount = evidence.line.amount
        named = {hit.invoice_id for hit in evidence.hits if hit.form >= Form.FULL}
        customers = {customer_id for customer_id, payer in evidence.payers.items() if payer.is_supported}
        for customer_id in customers | {self._items[each].customer_id for each in named}:
            dues = {
                item.invoice_id: self._due[item.invoice_id].minor_units
                for item in self._open(customer_id, amount)
            }
            found = adding_up(dues, amount.minor_units)
            if found is None:
                continue
            items = [self._items[each] for each in found.keys]
            confidence = scores.by_sum(
                evidence.payer(customer_id),
                found,
                all_open=len(found.keys) == len(dues),
                contradicted=bool(named - set(found.keys)) or bool(evidence.unknown) or evidence.is_ambiguous,
                names_some=bool(named & set(found.keys)),
            )
            text = f"{len(items)} invoices that are open add up to this sum."
            yield self._proposal(evidence, items, confidence, [Reason(ReasonCode.SUM_OF_INVOICES, text)])

    def _by_claim(self, evidence: Evidence) -> Iterator[Proposal]:
        same = [claim for claim in self._claims.values() if claim.amount == evidence.line.amount]
        for claim in same:
            items = [
                self._items[each] for each in claim.invoice_ids if each in self._items and self._is_open(each)
            ]
            if not items or any(item.due.currency != claim.amount.currency for item in items):
                continue
            confidence = scores.by_claim(
                evidence.payer(claim.customer_id),
                only_claim=len(same) == 1,
                covers=self._sum(items) == claim.amount,
                contradicted=any(
                    hit.form >= Form.DIGITS and hit.invoice_id not in claim.invoice_ids
                    for hit in evidence.hits
                ),
            )
            reason = Reason(ReasonCode.CLAIM, "The customer has said that this transfer is on its way.")
            yield replace(self._proposal(evidence, items, confidence, [reason]), claim_id=claim.claim_id)

    def _by_payer(self, evidence: Evidence) -> Iterator[Proposal]:
        """A customer without anything that fits: the oldest due first, for people to decide."""
        for customer_id, payer in evidence.payers.items():
            if payer.is_supported:
                items = self._open(customer_id, evidence.line.amount)
                yield self._proposal(evidence, items, scores.by_payer(payer), [], customer_id=customer_id)

    def _by_rule(self, evidence: Evidence, rule: MatchRule, found: Sequence[Proposal]) -> Iterator[Proposal]:
        """The customer is certain; what the line names or fits is paid, or else what is due longest."""
        mine = [each for each in _best_of_each(found) if each.customer_id == rule.customer_id]
        named = {self._items[hit.invoice_id].customer_id for hit in evidence.hits if hit.form >= Form.FULL}
        contradicted = bool(named - {rule.customer_id})
        specific = [
            each for each in mine if each.parts and each.confidence_per_mille >= scores.SPECIFIC_PER_MILLE
        ]
        items = self._open(rule.customer_id, evidence.line.amount)
        base = (
            specific[0] if specific else self._proposal(evidence, items, 0, [], customer_id=rule.customer_id)
        )
        reasons = (Reason(ReasonCode.RULE, f"The rule “{rule.name}” says whose it is."), *base.reasons)
        confidence = scores.by_rule(contradicted=contradicted)
        yield replace(base, confidence_per_mille=confidence, reasons=reasons, rule_id=rule.match_rule_id)

    def _named(self, evidence: Evidence) -> dict[str, _Named]:
        """Invoices that the line names, by customer; faint places do not count beside clear ones."""
        hits = evidence.hits
        surest = max((hit.form for hit in hits), default=Form.NOISY)
        if surest >= Form.DIGITS:
            hits = [hit for hit in hits if hit.form >= Form.DIGITS]
        grouped: dict[str, list[OpenItem]] = defaultdict(list)
        for hit in hits:
            grouped[self._items[hit.invoice_id].customer_id].append(self._items[hit.invoice_id])
        forms = {hit.invoice_id: hit.form for hit in hits}
        return {
            customer_id: _Named(
                items=tuple(item for item in items if self._is_open(item.invoice_id)),
                form=max(forms[item.invoice_id] for item in items)
                if surest >= Form.FULL
                else min(forms[item.invoice_id] for item in items),
                elsewhere=len(grouped) > 1,
                paid=tuple(item for item in items if not self._is_open(item.invoice_id)),
            )
            for customer_id, items in grouped.items()
        }

    def _has_rival(self, evidence: Evidence, customer_id: str) -> bool:
        """Whether the payer is known to be another customer, for whom the sum fits as well: a slip in the number."""
        if evidence.payer(customer_id).is_known:
            return False
        fitting = {self._items[each].customer_id for each in self._of_amount.get(evidence.line.amount, ())}
        return any(other in fitting and payer.is_known for other, payer in evidence.payers.items())

    def _fits_otherwise(
        self, evidence: Evidence, customer_id: str, named: Sequence[OpenItem], fit: Fit
    ) -> bool:
        """Whether other invoices of the customer explain the sum exactly: then the number may be a slip."""
        amount, names = evidence.line.amount, {item.invoice_id for item in named}
        if any(
            self._items[each].customer_id == customer_id and each not in names
            for each in self._of_amount.get(amount, ())
        ):
            return True
        dues = {
            item.invoice_id: self._due[item.invoice_id].minor_units
            for item in self._open(customer_id, amount)
        }
        if fit is Fit.MORE:
            rest = amount.minor_units - sum(dues.get(each, 0) for each in names)
            others = {each: units for each, units in dues.items() if each not in names}
            return rest in others.values() or adding_up(others, rest) is not None
        found = adding_up(dues, amount.minor_units)
        return found is not None and found.chance < scores.SMALL_CHANCE

    def _open(self, customer_id: str, amount: Money) -> list[OpenItem]:
        return [
            item
            for item in self._of_customer.get(customer_id, ())
            if item.due.currency == amount.currency and self._is_open(item.invoice_id)
        ]

    def _is_open(self, invoice_id: str) -> bool:
        return self._due[invoice_id].minor_units > 0

    def _sum(self, items: Sequence[OpenItem]) -> Money:
        total = Money.zero(items[0].due.currency)
        for item in items:
            total += self._due[item.invoice_id]
        return total

    def _proposal(
        self,
        evidence: Evidence,
        items: Sequence[OpenItem],
        confidence: int,
        reasons: Sequence[Reason],
        *,
        customer_id: str = "",
    ) -> Proposal:
        """The items paid in their order, as far as the money goes."""
        left, parts = evidence.line.amount, []
        for item in items:
            amount = min(left, self._due[item.invoice_id])
            if amount.minor_units > 0:
                parts.append(MatchedPart(item.invoice_id, item.number, amount))
                left -= amount
        whose = customer_id or items[0].customer_id
        known = self._of_customer.get(whose)
        return Proposal(
            customer_id=whose,
            customer_name=known[0].customer_name if known else "",
            parts=tuple(parts),
            credit=left,
            confidence_per_mille=confidence if parts else min(confidence, _CREDIT_ALONE_PER_MILLE),
            reasons=(*reasons, *payer_reasons(evidence, whose)),
        )


def _number_reasons(named: _Named, fit: Fit, total: Money) -> list[Reason]:
    numbers = ", ".join(item.number for item in named.items)
    code = (
        ReasonCode.CREDITOR_REFERENCE if named.form is Form.CREDITOR_REFERENCE else ReasonCode.INVOICE_NUMBER
    )
    names = {
        Form.CREDITOR_REFERENCE: f"The payer gave the reference of {numbers}.",
        Form.FULL: f"The text names {numbers}.",
        Form.DIGITS: f"The text names the digits of {numbers}.",
        Form.NOISY: f"Something in the text is like {numbers}.",
    }
    reasons = [Reason(code, names[named.form])]
    if fit is Fit.EXACT and len(named.items) == 1:
        reasons.append(Reason(ReasonCode.EXACT_AMOUNT, "Exactly what is due on it."))
    elif fit is Fit.EXACT:
        reasons.append(Reason(ReasonCode.SUM_OF_INVOICES, "Exactly what is due on them together."))
    return reasons


def _best_of_each(found: Iterable[Proposal]) -> list[Proposal]:
    """The best proposal for each set of invoices, with all that speaks for it."""
    best: dict[tuple[str, tuple[MatchedPart, ...]], Proposal] = {}
    for each in found:
        key = (each.customer_id, tuple(sorted(each.parts, key=lambda part: part.invoice_id)))
        known = best.get(key)
        if known is None:
            best[key] = each
            continue
        top, other = (
            (each, known) if each.confidence_per_mille > known.confidence_per_mille else (known, each)
        )
        more = tuple(reason for reason in other.reasons if reason.code not in {r.code for r in top.reasons})
        best[key] = replace(top, reasons=(*top.reasons, *more), claim_id=top.claim_id or other.claim_id)
    ranked = sorted(
        best.values(), key=lambda each: (-each.confidence_per_mille, not each.parts, each.customer_id)
    )
    return ranked[:MOST_PROPOSALS]
