"""Late fees between messages and domain."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from chassis.errors import invalid
from chassis.money import Money
from services.invoicing.domain.late_fee import (
    LateFee,
    LateFeeCap,
    LateFeeOutcome,
    LateFeePolicy,
    PercentPer,
    Repeat,
)
from services.invoicing.domain.legal_rates import LegalRate, LegalRates
from services.invoicing.translate.values import (
    from_proto_currency,
    from_proto_day,
    from_proto_decimal,
    from_proto_money,
    from_proto_text,
    to_proto_decimal,
    to_proto_money,
    to_proto_time,
)
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import late_fees_pb2 as pb

_PER: Mapping[PercentPer, pb.LateFeePercentPer.ValueType] = {
    PercentPer.YEAR: pb.LATE_FEE_PERCENT_PER_YEAR,
    PercentPer.PERIOD: pb.LATE_FEE_PERCENT_PER_PERIOD,
}
_REPEAT: Mapping[Repeat, pb.LateFeeRepeat.ValueType] = {
    Repeat.ONCE: pb.LATE_FEE_REPEAT_ONCE,
    Repeat.DAYS: pb.LATE_FEE_REPEAT_DAYS,
    Repeat.MONTHS: pb.LATE_FEE_REPEAT_MONTHS,
}
_OUTCOME: Mapping[LateFeeOutcome, pb.LateFeeOutcome.ValueType] = {
    LateFeeOutcome.CHARGED: pb.LATE_FEE_OUTCOME_CHARGED,
    LateFeeOutcome.SKIPPED: pb.LATE_FEE_OUTCOME_SKIPPED,
}


def from_proto_policy(message: pb.LateFeePolicy) -> LateFeePolicy:
    """VALIDATION_FAILED for amounts in another currency than the policy's, or below zero."""
    currency = from_proto_currency("policy.currency", message.currency)
    per = {value: key for key, value in _PER.items()}
    repeat = {value: key for key, value in _REPEAT.items()}
    return LateFeePolicy(
        policy_id=message.late_fee_policy_id,
        name=from_proto_text("policy.name", message.name),
        segment=from_proto_text("policy.segment", message.segment),
        flat=_amount("flat", message.flat, currency),
        percent=from_proto_decimal(message.percent, "0"),
        percent_per=per.get(message.percent_per, PercentPer.YEAR),
        grace_days=message.grace_days,
        cap=_amount("cap", message.cap, currency) if message.HasField("cap") else None,
        cap_percent=Decimal(message.cap_percent) if message.cap_percent else None,
        min_due=_amount("min_due", message.min_due, currency),
        repeat_every=message.repeat_every,
        repeat=repeat.get(message.repeat, Repeat.ONCE),
        is_active=message.active,
        reference_rate=message.reference_rate,
    )


def to_proto_policy(policy: LateFeePolicy) -> pb.LateFeePolicy:
    return pb.LateFeePolicy(
        late_fee_policy_id=policy.policy_id,
        name=policy.name,
        segment=policy.segment,
        currency=policy.flat.currency,
        flat=to_proto_money(policy.flat),
        percent=to_proto_decimal(policy.percent),
        percent_per=_PER[policy.percent_per],
        grace_days=policy.grace_days,
        cap=None if policy.cap is None else to_proto_money(policy.cap),
        cap_percent="" if policy.cap_percent is None else to_proto_decimal(policy.cap_percent),
        min_due=to_proto_money(policy.min_due),
        repeat_every=policy.repeat_every,
        repeat=_REPEAT[policy.repeat],
        active=policy.is_active,
        reference_rate=policy.reference_rate,
    )


def from_proto_cap(message: pb.LateFeeCap) -> LateFeeCap:
    return LateFeeCap(
        message.country,
        Decimal(message.annual_percent),
        from_proto_money("cap.flat", message.flat) if message.HasField("flat") else None,
        from_proto_text("cap.note", message.note),
    )


def to_proto_cap(cap: LateFeeCap) -> pb.LateFeeCap:
    return pb.LateFeeCap(
        country=cap.country, annual_percent=to_proto_decimal(cap.annual_percent),
        flat=None if cap.flat is None else to_proto_money(cap.flat), note=cap.note,
    )  # fmt: skip


def from_proto_legal_rate(message: pb.LegalRate) -> LegalRate:
    """VALIDATION_FAILED for days that are none."""
    valid_from = from_proto_day("rate.valid_from", message.valid_from)
    if valid_from is None:
        raise invalid("rate.valid_from", "required", "Say from when it is in force.")
    source = from_proto_text("rate.source", message.source)
    return LegalRate(message.name, valid_from, Decimal(message.value), source)


def to_proto_legal_rate(rate: LegalRate) -> pb.LegalRate:
    return pb.LegalRate(
        name=rate.name, valid_from=rate.valid_from.isoformat(), value=to_proto_decimal(rate.value),
        source=rate.source, built_in=rate.is_built_in,
    )  # fmt: skip


def to_proto_legal_rates(rates: LegalRates, to_check: Sequence[str]) -> pb.ListLegalRatesResponse:
    newest_first = sorted(rates.all, key=lambda one: (one.name, -one.valid_from.toordinal()))
    return pb.ListLegalRatesResponse(
        rates=[to_proto_legal_rate(one) for one in newest_first], to_check=to_check
    )


def to_proto_late_fees(fees: Iterable[LateFee]) -> pb.ListLateFeesResponse:
    return pb.ListLateFeesResponse(
        late_fees=[
            pb.LateFee(
                invoice_id=fee.invoice_id,
                period_no=fee.period_no,
                decided_on=fee.decided_on.isoformat(),
                outcome=_OUTCOME[fee.outcome],
                reason=fee.reason.value if fee.reason is not None else "",
                fee_invoice_id=fee.fee_invoice_id,
                amount=to_proto_money(fee.amount),
                next_on=fee.next_on.isoformat() if fee.next_on is not None else "",
                decided_at=to_proto_time(fee.decided_at),
            )
            for fee in fees
        ]
    )


def _amount(field: str, message: money_pb2.Money, currency: str) -> Money:
    if not message.minor_units:
        return Money.zero(currency)
    amount = from_proto_money(f"policy.{field}", message)
    if amount.currency != currency or amount.is_negative:
        raise invalid(f"policy.{field}", "money", f"This must be zero or more, in {currency}.")
    return amount
