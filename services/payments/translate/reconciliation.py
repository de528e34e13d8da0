"""Between messages and domain: bank lines, proposals, rules, payouts, and what waits."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.payments.domain.bank_line import BankLine, LineStatus
from services.payments.domain.matching import MatchedPart, MatchRule, Proposal
from services.payments.domain.payout import Payout
from services.payments.domain.reconciliation import Reconciliation
from services.payments.operations.read_reconciliation import PayoutDetail
from services.payments.translate.payments import from_proto_money, to_proto_money
from tallyport.payments.v1 import reconciliation_pb2 as pb

_STATUS: Mapping[LineStatus, "pb.BankLineStatus.ValueType"] = {
    LineStatus.UNMATCHED: pb.BANK_LINE_STATUS_UNMATCHED,
    LineStatus.MATCHED: pb.BANK_LINE_STATUS_MATCHED,
    LineStatus.IGNORED: pb.BANK_LINE_STATUS_IGNORED,
    LineStatus.OUTGOING: pb.BANK_LINE_STATUS_OUTGOING,
    LineStatus.SUPERSEDED: pb.BANK_LINE_STATUS_SUPERSEDED,
}
_STATUS_OF: Mapping[int, LineStatus] = {int(number): status for status, number in _STATUS.items()}


def from_proto_status(number: int) -> LineStatus | None:
    """A state to filter by; None for "not set"."""
    return _STATUS_OF.get(number)


def from_proto_match_parts(messages: Iterable[pb.MatchPart]) -> tuple[MatchedPart, ...]:
    """The parts of a request."""
    return tuple(
        MatchedPart(message.invoice_id, "", from_proto_money(message.amount, f"parts[{index}].amount"))
        for index, message in enumerate(messages)
    )


def from_proto_rule(message: pb.MatchRule) -> MatchRule:
    """A rule as staff write it."""
    return MatchRule(
        match_rule_id="",
        name=message.name,
        text_contains=message.text_contains.strip(),
        account="".join(message.counterparty_account.split()).upper(),
        customer_id=message.customer_id,
        ignore=message.ignore,
        position=message.position,
    )


def to_proto_rule(rule: MatchRule) -> pb.MatchRule:
    """A rule."""
    return pb.MatchRule(
        match_rule_id=rule.match_rule_id,
        name=rule.name,
        text_contains=rule.text_contains,
        counterparty_account=rule.account,
        customer_id=rule.customer_id,
        ignore=rule.ignore,
        position=rule.position,
    )


def to_proto_line(line: BankLine, *, today: date) -> pb.BankLine:
    """A line; `today` is the organization's."""
    return pb.BankLine(
        bank_line_id=line.bank_line_id,
        bank_account_id=line.bank_account_id,
        bank_statement_id=line.bank_statement_id,
        booked_on=line.booked_on.isoformat(),
        value_on=line.value_on.isoformat() if line.value_on else "",
        amount=to_proto_money(line.amount),
        counterparty_name=line.counterparty_name,
        counterparty_account=line.counterparty_account,
        remittance_text=line.remittance_text,
        reference=line.reference,
        status=_STATUS[line.status],
        payment_id=line.payment_id,
        payout_id=line.payout_id,
        matched_by=line.matched_by,
        age_days=max(0, (today - line.booked_on).days),
        assignee=line.assignee,
        note=line.note,
        split_from=line.split_from,
    )


def to_proto_detail(line: BankLine, proposals: Sequence[Proposal], *, today: date) -> pb.BankLineDetail:
    """A line with what it may be for."""
    return pb.BankLineDetail(
        line=to_proto_line(line, today=today), proposals=[_proposal(proposal) for proposal in proposals]
    )


def to_proto_payout(payout: Payout) -> pb.Payout:
    """A payout."""
    return pb.Payout(
        payout_id=payout.payout_id,
        provider=payout.provider,
        provider_reference=payout.provider_reference,
        gross=to_proto_money(payout.figures.gross),
        fees=to_proto_money(payout.figures.fees),
        refunded=to_proto_money(payout.figures.refunded),
        net=to_proto_money(payout.figures.net),
        arrives_on=payout.arrives_on.isoformat(),
        bank_line_id=payout.bank_line_id,
        lines=payout.line_count,
        unmatched_lines=payout.differing_lines,
    )


def to_proto_payout_detail(found: PayoutDetail) -> pb.PayoutDetail:
    """A payout with its lines, compared both ways."""
    return pb.PayoutDetail(
        payout=to_proto_payout(found.payout),
        lines=[
            pb.PayoutLine(
                kind=line.kind,
                payment_id=line.payment_id,
                provider_reference=line.provider_reference,
                amount=to_proto_money(line.amount),
                fee=to_proto_money(line.fee),
                difference=line.difference,
            )
            for line in found.lines
        ],
        missing_payment_ids=found.missing_payment_ids,
        candidates=[to_proto_line(line, today=found.today) for line in found.candidates],
    )


def to_proto_reconciliation(found: Reconciliation) -> pb.ReconciliationOverview:
    """What waits."""
    return pb.ReconciliationOverview(
        unmatched_lines=found.unmatched_lines,
        oldest_age_days=found.oldest_age_days,
        unmatched=[to_proto_money(amount) for amount in found.unmatched],
        open_claims=found.open_claims,
        payout_differences=found.payout_differences,
        clearing=[
            pb.ClearingBalance(
                account=account.account,
                balance=to_proto_money(account.balance),
                oldest_on=account.oldest_on.isoformat(),
                overdue=account.overdue,
            )
            for account in found.clearing
        ],
        matched_automatically_30_days=found.matched_by_itself,
        matched_by_hand_30_days=found.matched_by_hand,
    )


def _proposal(proposal: Proposal) -> pb.MatchProposal:
    return pb.MatchProposal(
        customer_id=proposal.customer_id,
        customer_name=proposal.customer_name,
        parts=[
            pb.MatchPart(
                invoice_id=part.invoice_id, amount=to_proto_money(part.amount), invoice_number=part.number
            )
            for part in proposal.parts
        ],
        credit=to_proto_money(proposal.credit),
        confidence_per_mille=proposal.confidence_per_mille,
        reasons=[pb.MatchReason(code=reason.code.value, text=reason.text) for reason in proposal.reasons],
        together_with=[
            pb.JointLine(
                bank_line_id=line.bank_line_id,
                booked_on=line.booked_on.isoformat(),
                amount=to_proto_money(line.amount),
            )
            for line in proposal.together_with
        ],
    )
