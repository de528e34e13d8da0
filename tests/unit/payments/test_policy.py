"""A policy says yes or no, and which field is wrong with it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ServiceError
from chassis.money import Money
from services.payments.domain.payment import Method
from services.payments.domain.policy import DEFAULT, OFFERED, MethodRule, PaymentPolicy, Terms, check_policy
from services.payments.domain.surcharge import Charge, ChargeKind
from services.payments.store.policies import _from_json, to_json
from services.payments.translate.policies import from_proto_policy, to_proto_policy


def USD(units: int) -> Money:
    return Money(units, "USD")


def reason(refused: pytest.ExceptionInfo[ServiceError]) -> str:
    return refused.value.reason


def test_by_default_everything_may_be_used_for_nothing_on_top() -> None:
    terms = Terms(DEFAULT)
    for method in OFFERED:
        rule = terms.rule(method)
        terms.check_amount(rule, USD(1))
        assert rule.charge.on(USD(1_000)).is_zero
    terms.check_prepayment(USD(1))
    terms.check_part(USD(1), USD(1_000))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_rule_for_a_segment_comes_before_the_one_for_all_wherever_it_stands(order: tuple[int, int]) -> None:
    vip = MethodRule(method=Method.CARD, segment="vip")
    barred = MethodRule(method=Method.CARD, allowed=False)
    policy = PaymentPolicy(rules=tuple((vip, barred)[one] for one in order))
    assert Terms(policy, frozenset({"vip"})).rule(Method.CARD) is vip
    for segment, method in (("", Method.CARD), ("other", Method.CARD), ("vip", Method.CREDIT)):
        with pytest.raises(ServiceError) as refused:
            Terms(policy, frozenset({segment})).rule(method)
        assert reason(refused) == "PAYMENT_METHOD_NOT_ALLOWED"
    assert policy.offered({"vip"}) == [vip]
    assert policy.offered(()) == []


def test_limits_bind_in_their_currency() -> None:
    rule = MethodRule(method=Method.CARD, minimum=USD(100), maximum=USD(200))
    terms = Terms(PaymentPolicy(rules=(rule,)))
    for units, why in ((99, "below_minimum"), (201, "above_maximum")):
        with pytest.raises(ServiceError) as refused:
            terms.check_amount(rule, USD(units))
        assert (reason(refused), refused.value.metadata["why"]) == ("AMOUNT_NOT_ALLOWED", why)
    terms.check_amount(rule, USD(100))
    terms.check_amount(rule, Money(1, "EUR"))


@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 500))
def test_a_part_is_refused_only_when_it_is_less_than_due_and_less_than_the_least(
    part: int, due: int, least: int
) -> None:
    terms = Terms(replace(DEFAULT, min_part_payment=USD(least)))
    allowed = part >= due or part >= min(least, due)
    if allowed:
        terms.check_part(USD(part), USD(due))
    else:
        with pytest.raises(ServiceError) as refused:
            terms.check_part(USD(part), USD(due))
        assert reason(refused) == "AMOUNT_NOT_ALLOWED"
    whole_only = Terms(replace(DEFAULT, allow_part_payment=False))
    if part < due:
        with pytest.raises(ServiceError) as refused:
            whole_only.check_part(USD(part), USD(due))
        assert reason(refused) == "PART_PAYMENT_NOT_ALLOWED"


WRONG = {
    "policy.provider": {"provider": "nobody"},
    "policy.min_part_payment": {"min_part_payment": USD(-1)},
    "policy.rules[0].method": {"rules": (MethodRule(method=Method.CASH),)},
    "policy.rules[0].max": {"rules": (MethodRule(method=Method.CARD, minimum=USD(2), maximum=USD(1)),)},
    "policy.rules[0].percent": {
        "rules": (MethodRule(method=Method.CARD, charge=Charge(percent=Decimal(21))),)
    },
    "policy.rules[0].fixed_minor_units": {
        "rules": (
            MethodRule(method=Method.CARD, charge=Charge(kind=ChargeKind.DISCOUNT, fixed_minor_units=1)),
        )
    },
}


@pytest.mark.parametrize("field", WRONG)
def test_a_policy_that_cannot_be_kept_is_refused_by_its_field(field: str) -> None:
    with pytest.raises(ServiceError) as refused:
        check_policy(replace(DEFAULT, **WRONG[field]), ["simulator"])  # type: ignore[arg-type]
    assert refused.value.fields[0].field == field


amounts = st.none() | st.builds(USD, st.integers(0, 10**6))
charges = st.builds(
    Charge,
    kind=st.sampled_from(list(ChargeKind)),
    percent=st.decimals(0, 20, places=2),
    fixed_minor_units=st.integers(0, 1_000),
    percent_cap=st.none() | st.decimals(0, 20, places=2),
)
rules = st.builds(
    MethodRule,
    method=st.sampled_from(OFFERED),
    segment=st.sampled_from(["", "vip"]),
    allowed=st.booleans(),
    minimum=amounts,
    maximum=amounts,
    charge=charges,
)
policies = st.builds(
    PaymentPolicy,
    rules=st.lists(rules, max_size=5).map(tuple),
    allow_part_payment=st.booleans(),
    min_part_payment=amounts,
    allow_prepayment=st.booleans(),
    refund_window_days=st.integers(0, 365),
    return_fee=amounts,
    provider=st.sampled_from(["", "stripe"]),
    bank_change_cooling_off_hours=st.integers(0, 100),
    version=st.integers(0, 5),
)


@given(policies)
def test_a_policy_comes_back_from_the_table_and_from_the_wire_as_it_was(policy: PaymentPolicy) -> None:
    import json

    assert _from_json(json.loads(to_json(policy)), policy.version) == policy
    assert from_proto_policy(to_proto_policy(policy)) == policy
