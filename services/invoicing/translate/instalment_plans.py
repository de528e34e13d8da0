"""Instalment plans, proposals and suggestions."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from chassis.errors import invalid
from chassis.money import Money
from services.invoicing.domain.instalment_plan import (
    Choice,
    Instalment,
    InstalmentPlan,
    InstalmentState,
    Interval,
    PlanInvoice,
    PlanState,
    demands,
)
from services.invoicing.domain.plan_policy import PlanRules, Signs
from services.invoicing.domain.plan_proposal import Proposal
from services.invoicing.formats.plan_texts import Terms
from services.invoicing.translate.values import (
    from_proto_day,
    from_proto_money,
    to_proto_money,
    to_proto_time,
)
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb

_INTERVALS: Mapping["pb.InstalmentInterval.ValueType", Interval] = {
    pb.INSTALMENT_INTERVAL_WEEK: Interval.WEEK,
    pb.INSTALMENT_INTERVAL_TWO_WEEKS: Interval.TWO_WEEKS,
    pb.INSTALMENT_INTERVAL_MONTH: Interval.MONTH,
}
_STATES: Mapping["pb.InstalmentPlanState.ValueType", PlanState] = {
    pb.INSTALMENT_PLAN_STATE_REQUESTED: PlanState.REQUESTED,
    pb.INSTALMENT_PLAN_STATE_OFFERED: PlanState.OFFERED,
    pb.INSTALMENT_PLAN_STATE_REJECTED: PlanState.REJECTED,
    pb.INSTALMENT_PLAN_STATE_ACTIVE: PlanState.ACTIVE,
    pb.INSTALMENT_PLAN_STATE_COMPLETED: PlanState.COMPLETED,
    pb.INSTALMENT_PLAN_STATE_BROKEN: PlanState.BROKEN,
    pb.INSTALMENT_PLAN_STATE_CANCELED: PlanState.CANCELED,
}
_STANDINGS = {
    InstalmentState.UPCOMING: pb.INSTALMENT_STATE_UPCOMING,
    InstalmentState.DUE: pb.INSTALMENT_STATE_DUE,
    InstalmentState.LATE: pb.INSTALMENT_STATE_LATE,
    InstalmentState.MISSED: pb.INSTALMENT_STATE_MISSED,
    InstalmentState.PAID: pb.INSTALMENT_STATE_PAID,
}
_AMOUNTS = ("min_instalment", "min_debt", "max_debt")
_NUMBERS = (
    "max_months",
    "grace_days",
    "missed_to_break",
    "notice_days",
    "max_hold_days",
    "stops_dunning",
    "stops_late_fees",
    "stops_autopay",
    "max_open_promises",
    "max_promise_days",
)


def from_proto_choice(choice: pb.InstalmentChoice) -> Choice:
    interval = _INTERVALS.get(choice.interval, Interval.MONTH)
    return Choice(choice.instalments, interval, from_proto_day("choice.first_due_on", choice.first_due_on))


def from_proto_plan_state(state: "pb.InstalmentPlanState.ValueType") -> PlanState | None:
    return _STATES.get(state)


def from_proto_rules(rules: pb.PlanPolicyRules, currency: str) -> PlanRules:
    """VALIDATION_FAILED for amounts in another currency than the policy's, or less than nothing."""
    values: dict[str, Any] = {f"{name}_minor_units": _units(rules, name, currency) for name in _AMOUNTS}
    return PlanRules(
        currency=currency,
        auto_approve_minor_units=_units(rules, "auto_approve_up_to", currency),
        discount_basis_points=rules.hardship_discount_basis_points,
        **values,
        **{name: getattr(rules, name) for name in _NUMBERS},
    )


def _units(rules: pb.PlanPolicyRules, name: str, currency: str) -> int:
    message: money_pb2.Money = getattr(rules, name)
    if not message.currency and not message.minor_units:
        return 0
    money = from_proto_money(f"policy.rules.{name}", message)
    if money.currency != currency:
        raise invalid(f"policy.rules.{name}", "currency", f"This policy is in {currency}.")
    if money.is_negative:
        raise invalid(f"policy.rules.{name}", "range", "The amount must not be negative.")
    return money.minor_units


def to_proto_rules(rules: PlanRules) -> pb.PlanPolicyRules:
    def money(units: int) -> money_pb2.Money:
        return money_pb2.Money(minor_units=units, currency=rules.currency)

    values: dict[str, Any] = {name: money(getattr(rules, f"{name}_minor_units")) for name in _AMOUNTS}
    return pb.PlanPolicyRules(
        **values,
        auto_approve_up_to=money(rules.auto_approve_minor_units),
        hardship_discount_basis_points=rules.discount_basis_points,
        **{name: getattr(rules, name) for name in _NUMBERS},
    )


def to_proto_choice(choice: Choice) -> pb.InstalmentChoice:
    numbers = {interval: number for number, interval in _INTERVALS.items()}
    return pb.InstalmentChoice(
        instalments=choice.instalments,
        interval=numbers[choice.interval],
        first_due_on=choice.first_due_on.isoformat() if choice.first_due_on else "",
    )


def to_proto_proposal(proposal: Proposal) -> pb.InstalmentProposal:
    return pb.InstalmentProposal(
        customer_id=proposal.customer_id,
        invoices=to_proto_invoices(proposal.invoices),
        total=to_proto_money(proposal.total),
        options=[
            pb.InstalmentOption(
                instalments=one.instalments,
                amount=to_proto_money(one.amount),
                last_due_on=one.last_due_on.isoformat(),
            )
            for one in proposal.options
        ],
        choice=to_proto_choice(proposal.choice),
        instalments=[to_proto_instalment(one) for one in proposal.instalments],
        decided_at_once=proposal.decided_at_once,
        refusal=proposal.refusal,
        rules=to_proto_rules(proposal.rules),
        earliest_first_on=proposal.earliest_first_on.isoformat(),
        latest_first_on=proposal.latest_first_on.isoformat(),
        within_policy=proposal.within_policy,
    )


def to_proto_instalment(one: Instalment) -> pb.Instalment:
    """One that nobody has agreed to yet."""
    return pb.Instalment(
        number=one.number,
        due_on=one.due_on.isoformat(),
        amount=to_proto_money(one.amount),
        paid=to_proto_money(Money.zero(one.amount.currency)),
        state=pb.INSTALMENT_STATE_UPCOMING,
    )


def _asked(plan: InstalmentPlan, today: date) -> Mapping[str, Money]:
    """What a kept plan asks for now."""
    if not plan.is_on_track(today):
        return {}
    return {invoice_id: one.asked for invoice_id, one in demands(plan, today).items()}


def to_proto_invoices(
    invoices: Iterable[PlanInvoice], asked: Mapping[str, Money] | None = None
) -> list[pb.InstalmentPlanInvoice]:
    return [
        pb.InstalmentPlanInvoice(
            invoice_id=one.invoice_id,
            number=one.number,
            amount_at_start=to_proto_money(one.at_start),
            amount_due=to_proto_money(one.due),
            due_date=one.due_date.isoformat(),
            asked_now=to_proto_money(asked[one.invoice_id]) if asked else None,
        )
        for one in invoices
    ]


def to_proto_schedule(plan: InstalmentPlan, day: date) -> pb.InstalmentSchedule:
    next_due, breaks_on = plan.schedule.next_due(plan.paid), plan.breaks_on()
    return pb.InstalmentSchedule(
        instalments=[
            pb.Instalment(
                number=one.instalment.number,
                due_on=one.instalment.due_on.isoformat(),
                amount=to_proto_money(one.instalment.amount),
                paid=to_proto_money(one.paid),
                state=_STANDINGS[one.state],
            )
            for one in plan.schedule.standings(plan.paid, day)
        ],
        total=to_proto_money(plan.schedule.total),
        paid=to_proto_money(plan.paid),
        open=to_proto_money(plan.open),
        due_now=to_proto_money(plan.due_now(day)),
        next_number=next_due.number if next_due else 0,
        breaks_on=breaks_on.isoformat() if breaks_on else "",
        processing=to_proto_money(plan.processing),
    )


def to_proto_plan(
    plan: InstalmentPlan, customer_name: str, today: date, *, terms: Terms | None, for_staff: bool
) -> pb.InstalmentPlan:
    numbers = {state: number for number, state in _STATES.items()}
    return pb.InstalmentPlan(
        plan_id=plan.plan_id,
        customer_id=plan.customer_id,
        customer_name=customer_name,
        state=numbers[plan.state],
        invoices=to_proto_invoices(plan.invoices, _asked(plan, today)),
        schedule=to_proto_schedule(plan, today),
        choice=to_proto_choice(plan.choice),
        hardship=plan.hardship,
        reasons=plan.reasons,
        message=plan.message,
        wished_amount=None if plan.wished is None else to_proto_money(plan.wished),
        hardship_discount=None if plan.discount.is_zero else to_proto_money(plan.discount),
        note=plan.note,
        terms=_terms(plan, terms),
        offered_until=plan.offered_until.isoformat() if plan.offered_until else "",
        rules=to_proto_rules(plan.rules),
        created_at=to_proto_time(plan.created_at),
        created_by_name=plan.created_by_name,
        decided_at=to_proto_time(plan.decided_at),
        decided_by_name=plan.decided_by_name if for_staff else "",
        ended_at=to_proto_time(plan.ended_at),
    )


def _terms(plan: InstalmentPlan, terms: Terms | None) -> pb.InstalmentTerms | None:
    """Those agreed to, else those to agree to."""
    if (agreed := plan.agreement) is not None:
        return pb.InstalmentTerms(
            text=agreed.text,
            hash=agreed.hash,
            locale=agreed.locale,
            accepted_at=to_proto_time(agreed.accepted_at),
            accepted_by_name=agreed.accepted_by_name,
            note=agreed.note,
        )
    if terms is not None:
        return pb.InstalmentTerms(text=terms.text, hash=terms.hash, locale=terms.locale)
    return None


def to_proto_signs(signs: Signs) -> list[pb.HardshipSign]:
    return [pb.HardshipSign(kind=kind, count=count) for kind, count in signs.as_pairs()]
