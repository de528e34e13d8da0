"""Disputes between messages and domain."""

from collections.abc import Iterable, Mapping, Sequence

from services.invoicing.domain.dispute import (
    INSIDE,
    DisputedLine,
    DisputePolicy,
    DisputeReason,
    DisputeState,
    Objection,
    Side,
    Step,
)
from services.invoicing.domain.evidence import Evidence
from services.invoicing.store.disputes import Entry, Listed
from services.invoicing.translate.values import (
    from_proto_money,
    from_proto_text,
    to_proto_money,
    to_proto_time,
)
from tallyport.invoicing.v1 import disputes_pb2 as pb

_REASONS: Mapping["pb.DisputeReason.ValueType", DisputeReason] = {
    pb.DISPUTE_REASON_NOT_RECEIVED: DisputeReason.NOT_RECEIVED,
    pb.DISPUTE_REASON_NOT_AS_AGREED: DisputeReason.NOT_AS_AGREED,
    pb.DISPUTE_REASON_WRONG_AMOUNT: DisputeReason.WRONG_AMOUNT,
    pb.DISPUTE_REASON_DUPLICATE: DisputeReason.DUPLICATE,
    pb.DISPUTE_REASON_NOT_ORDERED: DisputeReason.NOT_ORDERED,
    pb.DISPUTE_REASON_WRONG_DETAILS: DisputeReason.WRONG_DETAILS,
    pb.DISPUTE_REASON_OTHER: DisputeReason.OTHER,
}
_STATES: Mapping["pb.DisputeState.ValueType", DisputeState] = {
    pb.DISPUTE_STATE_OPEN: DisputeState.OPEN,
    pb.DISPUTE_STATE_ACCEPTED: DisputeState.ACCEPTED,
    pb.DISPUTE_STATE_PARTLY_ACCEPTED: DisputeState.PARTLY_ACCEPTED,
    pb.DISPUTE_STATE_REJECTED: DisputeState.REJECTED,
    pb.DISPUTE_STATE_WITHDRAWN: DisputeState.WITHDRAWN,
    pb.DISPUTE_STATE_SETTLED: DisputeState.SETTLED,
}
_TO_REASONS = {reason: number for number, reason in _REASONS.items()}
_TO_STATES = {state: number for number, state in _STATES.items()}
_TO_SIDES: Mapping[Side, "pb.DisputeSide.ValueType"] = {
    Side.CUSTOMER: pb.DISPUTE_SIDE_CUSTOMER,
    Side.STAFF: pb.DISPUTE_SIDE_STAFF,
    Side.SYSTEM: pb.DISPUTE_SIDE_SYSTEM,
}
_TO_STEPS: Mapping[Step, "pb.DisputeStep.ValueType"] = {
    Step.OPENED: pb.DISPUTE_STEP_OPENED,
    Step.MESSAGE: pb.DISPUTE_STEP_MESSAGE,
    Step.EVIDENCE: pb.DISPUTE_STEP_EVIDENCE,
    Step.ASSIGNED: pb.DISPUTE_STEP_ASSIGNED,
    Step.ESCALATED: pb.DISPUTE_STEP_ESCALATED,
    Step.CLOSED: pb.DISPUTE_STEP_CLOSED,
}


def from_proto_objection(request: pb.OpenDisputeRequest) -> Objection:
    """VALIDATION_FAILED for currencies and texts that are none."""
    return Objection(
        reason=_REASONS[request.reason],
        text=from_proto_text("text", request.text),
        lines=tuple(
            DisputedLine(
                one.line_no,
                from_proto_money(f"lines[{at}].amount", one.amount) if one.HasField("amount") else None,
            )
            for at, one in enumerate(request.lines)
        ),
        amount=from_proto_money("amount", request.amount) if request.HasField("amount") else None,
    )


def from_proto_outcome(state: "pb.DisputeState.ValueType") -> DisputeState:
    return _STATES[state]


def to_proto_dispute(
    listed: Listed, *, for_staff: bool, entries: Iterable[Entry] = (), evidence: Iterable[Evidence] = ()
) -> pb.Dispute:
    """A dispute as a reader may see it: customers are not told who of the organization looks after it."""
    one = listed.dispute
    message = pb.Dispute(
        dispute_id=one.dispute_id,
        invoice_id=one.invoice_id,
        invoice_number=listed.invoice_number,
        customer_id=one.customer_id,
        customer_name=listed.customer_name,
        amount=to_proto_money(one.amount),
        lines=[
            pb.DisputeLine(
                line_no=line.line_no,
                amount=None if line.amount is None else to_proto_money(line.amount),
                description=line.description,
            )
            for line in one.lines
        ],
        reason=_TO_REASONS[one.reason],
        text=one.text,
        state=_TO_STATES[one.state],
        opened_by=_TO_SIDES[one.opened_by],
        opened_by_name=one.opened_by_name,
        opened_at=to_proto_time(one.opened_at),
        answer_due_at=None if one.answered_at or not one.is_open else to_proto_time(one.answer_due_at),
        resolve_due_at=to_proto_time(one.resolve_due_at),
        answered_at=to_proto_time(one.answered_at),
        closed_at=to_proto_time(one.closed_at),
        resolution=one.resolution,
        credited=to_proto_money(one.credited),
        credit_note_id=one.credit_note_id,
        entries=[_entry(entry) for entry in entries if for_staff or entry.step not in INSIDE],
        evidence=[_evidence(file) for file in evidence],
        imported=one.imported,
        undisputed_due=to_proto_money(listed.undisputed_due),
    )
    if for_staff:
        message.owner_id, message.owner_name = one.owner_id, one.owner_name
        if one.escalated_at is not None:
            message.escalated_at.FromDatetime(one.escalated_at)
    return message


def to_proto_page(
    found: Sequence[Listed], token: str, counts: tuple[int, int], *, for_staff: bool
) -> pb.ListDisputesResponse:
    return pb.ListDisputesResponse(
        disputes=[to_proto_dispute(one, for_staff=for_staff) for one in found],
        next_page_token=token,
        open=counts[0],
        late=counts[1] if for_staff else 0,
    )


def to_proto_policy(policy: DisputePolicy) -> pb.DisputePolicy:
    return pb.DisputePolicy(
        answer_within_hours=policy.answer_within_hours, resolve_within_days=policy.resolve_within_days
    )


def _entry(entry: Entry) -> pb.DisputeEntry:
    return pb.DisputeEntry(
        entry_no=entry.entry_no,
        step=_TO_STEPS[entry.step],
        side=_TO_SIDES[entry.side],
        author_name=entry.author_name,
        text=entry.text,
        created_at=to_proto_time(entry.created_at),
    )


def _evidence(file: Evidence) -> pb.DisputeEvidence:
    return pb.DisputeEvidence(
        evidence_id=file.evidence_id,
        file_name=file.file_name,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        side=_TO_SIDES[file.side],
        created_at=to_proto_time(file.created_at),
    )
