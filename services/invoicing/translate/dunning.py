"""Dunning between messages and domain, and its event."""

from collections.abc import Mapping

from chassis import outbox
from chassis.database import WriteTx
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.dunning import Action, DunningPolicy, DunningText, Level, Notice
from services.invoicing.domain.dunning_presets import Preset
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store.dunning import Decision, Pause
from services.invoicing.translate.values import (
    from_proto_locale,
    from_proto_money,
    from_proto_text,
    to_proto_money,
    to_proto_time,
)
from tallyport.invoicing.v1 import dunning_pb2 as pb
from tallyport.invoicing.v1 import events_pb2

_ACTIONS: Mapping[Action, "pb.DunningAction.ValueType"] = {
    Action.SENT: pb.DUNNING_ACTION_SENT,
    Action.WAITS: pb.DUNNING_ACTION_WAITS,
    Action.OVER: pb.DUNNING_ACTION_OVER,
}


def from_proto_policy(message: pb.DunningPolicy) -> DunningPolicy:
    """VALIDATION_FAILED for languages, currencies and texts that are none."""
    return DunningPolicy(
        segment=from_proto_text("policy.segment", message.segment),
        name=from_proto_text("policy.name", message.name),
        levels=tuple(from_proto_level(f"policy.levels[{at}]", one) for at, one in enumerate(message.levels)),
        is_active=message.active,
    )


def from_proto_level(field: str, message: pb.DunningLevel) -> Level:
    """VALIDATION_FAILED for languages, currencies and texts that are none."""
    has_fee = message.HasField("fee") and message.fee.minor_units
    return Level(
        days_after_due=message.days_after_due,
        deadline_days=message.deadline_days,
        texts=tuple(
            DunningText(
                from_proto_locale(f"{field}.texts[{at}].locale", one.locale),
                from_proto_text(f"{field}.texts[{at}].title", one.title),
                from_proto_text(f"{field}.texts[{at}].text", one.text),
            )
            for at, one in enumerate(message.texts)
        ),
        fee=from_proto_money(f"{field}.fee", message.fee) if has_fee else None,
        mail=message.mail,
        letter=message.letter,
    )


def to_proto_policy(policy: DunningPolicy) -> pb.DunningPolicy:
    return pb.DunningPolicy(
        segment=policy.segment,
        name=policy.name,
        levels=[
            pb.DunningLevel(
                days_after_due=level.days_after_due,
                deadline_days=level.deadline_days,
                fee=None if level.fee is None else to_proto_money(level.fee),
                mail=level.mail,
                letter=level.letter,
                texts=[
                    pb.DunningText(locale=one.locale, title=one.title, text=one.text) for one in level.texts
                ],
            )
            for level in policy.levels
        ],
        active=policy.is_active,
    )


def to_proto_preset(preset: Preset) -> pb.DunningPreset:
    return pb.DunningPreset(preset=preset.name, policy=to_proto_policy(preset.policy), source=preset.source)


def to_proto_notice(notice: Notice) -> pb.DunningNotice:
    return pb.DunningNotice(
        notice_id=notice.notice_id,
        invoice_id=notice.invoice_id,
        invoice_number=notice.invoice_number,
        customer_id=notice.customer_id,
        level=notice.level,
        title=notice.title,
        text=notice.text,
        amount=to_proto_money(notice.amount),
        issued_on=notice.issued_on.isoformat(),
        deadline_on=notice.deadline_on.isoformat(),
        fee_invoice_id=notice.fee_invoice_id,
        letter=notice.letter,
        mail=notice.mail,
    )


def to_proto_decision(decision: Decision) -> pb.DunningDecision:
    return pb.DunningDecision(
        level=decision.level,
        action=_ACTIONS[decision.action],
        reason=decision.reason,
        decided_on=decision.decided_on.isoformat(),
    )


def to_proto_pause(pause: Pause) -> pb.DunningPause:
    return pb.DunningPause(
        pause_id=pause.pause_id,
        customer_id=pause.customer_id,
        invoice_id=pause.invoice_id,
        until=pause.until.isoformat(),
        reason=pause.reason,
        created_by_name=pause.created_by_name,
        created_at=to_proto_time(pause.created_at),
        ended_at=to_proto_time(pause.ended_at),
    )


def dunning_notice_issued(tx: WriteTx, notice: Notice, invoice: Invoice, customer: Customer) -> None:
    """The only event of a notice."""
    message = events_pb2.DunningNoticeIssued(
        notice_id=notice.notice_id,
        invoice_id=notice.invoice_id,
        invoice_number=notice.invoice_number,
        contact=events_pb2.Contact(
            customer_id=customer.customer_id,
            name=customer.name,
            email=customer.email,
            locale=notice.locale,
        ),
        level=notice.level,
        title=notice.title,
        text=notice.text,
        amount=to_proto_money(notice.amount),
        due_date=invoice.due_date.isoformat(),
        deadline_on=notice.deadline_on.isoformat(),
        mail=notice.mail,
        letter=notice.letter,
    )
    outbox.append(
        tx, message, aggregate_type="dunning_notice", aggregate_id=notice.notice_id, aggregate_version=1
    )
