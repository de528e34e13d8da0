"""The state of a payment depends on what the provider said, never on the order in which we heard it."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ServiceError
from chassis.money import Money
from services.payments.domain.attempt import Attempt, next_check_at
from services.payments.domain.case import Case, Organization
from services.payments.domain.failure import MESSAGES, REFUSALS, message_for
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import (
    Method,
    News,
    Part,
    Payment,
    apply_outcome,
    check_covers,
    news,
    total_of,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = date(2026, 11, 21)
SUM = Money(5_000, "USD")


def payment() -> Payment:
    return Payment(
        payment_id="pay_1",
        customer_id="cus_1",
        status=Status.SUBMITTING,
        amount=SUM,
        parts=(Part("inv_1", SUM),),
        method=Method.CARD,
        initiated_by="Ada",
        created_at=NOW,
    )


def case(before: Payment | None = None) -> Case:
    before = before or payment()
    attempt = Attempt(
        attempt_id="att_1",
        payment_id="pay_1",
        provider="simulator",
        state=before.status,
        amount=SUM,
        is_hosted=True,
        created_at=NOW,
    )
    return Case(organization=Organization(organization_id="org_1"), payment=before, attempt=attempt)


observed = st.sampled_from([status for status in Status if status not in (Status.SUBMITTING, Status.REVIEW)])
outcomes = st.builds(
    lambda status, units: Outcome(
        status=status,
        amount=None if units is None else Money(units, "USD"),
        redirect_url="https://bank.example/1" if status is Status.REQUIRES_ACTION else "",
        failure_code="card_declined" if status is Status.FAILED else "",
    ),
    observed,
    st.sampled_from([None, 5_000, 5_000, 4_999]),
)


def after_all(outcomes_in_order: tuple[Outcome, ...]) -> tuple[Payment, list[News]]:
    current, told = case(), []
    for outcome in outcomes_in_order:
        changed = current.after(outcome, now=NOW)
        heard = news(current.payment, changed)
        told += [heard] if heard else []
        current = case(changed)
    return current.payment, told


@given(st.lists(outcomes, min_size=1, max_size=5))
def test_all_orders_of_up_to_five_observations_end_in_one_state(seen: list[Outcome]) -> None:
    ends = {
        (end.status, end.redirect_url, end.failure_code, end.received_on)
        for order in itertools.permutations(seen)
        for end, _ in [after_all(order)]
    }
    assert len(ends) == 1


@given(st.lists(outcomes, min_size=1, max_size=8))
def test_success_is_told_once_and_never_taken_back(seen: list[Outcome]) -> None:
    end, told = after_all(tuple(seen))
    paid = any(o.checked(SUM).status is Status.SUCCEEDED for o in seen)
    assert (end.status is Status.SUCCEEDED) is paid
    assert told.count(News.SUCCEEDED) == int(paid)
    assert len([one for one in told if one is not News.SUCCEEDED]) <= 1
    assert end.events == len(told)
    assert end.version == 1 + len({o.checked(SUM).status.rank for o in _rising(seen)})


def _rising(seen: list[Outcome]) -> list[Outcome]:
    highest, rising = Status.SUBMITTING.rank, []
    for outcome in seen:
        if outcome.checked(SUM).status.rank > highest:
            highest = outcome.checked(SUM).status.rank
            rising.append(outcome)
    return rising


@given(outcomes, outcomes)
def test_an_observation_heard_twice_changes_nothing(first: Outcome, second: Outcome) -> None:
    end, _ = after_all((first, second))
    assert after_all((first, second, second, first))[0] == end


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.CANCELED, Status.PROCESSING])
@pytest.mark.parametrize("other", [Money(5_001, "USD"), Money(5_000, "EUR")])
def test_another_sum_or_currency_goes_to_review(status: Status, other: Money) -> None:
    outcome = Outcome(status=status, amount=other).checked(SUM)
    assert outcome.status is Status.REVIEW
    assert str(other) in outcome.review_reason


def test_money_that_came_after_all_is_not_refused() -> None:
    failed = apply_outcome(payment(), Outcome.failed("card_declined"), now=NOW, today=TODAY)
    late = apply_outcome(failed, Outcome(status=Status.SUCCEEDED), now=NOW, today=TODAY)
    assert (late.status, late.failure_code, late.received_on) == (Status.SUCCEEDED, "", TODAY)
    assert news(failed, late) is News.SUCCEEDED
    assert late.events == 2


def test_checks_come_soon_at_first_and_hourly_at_last() -> None:
    delays = (10, 60, 120, 300, 900, 3600)
    waits = [
        next_check_at(Status.UNKNOWN, checks=checks, now=NOW, delays_seconds=delays) for checks in range(8)
    ]
    assert waits == [NOW + timedelta(seconds=s) for s in (10, 60, 120, 300, 900, 3600, 3600, 3600)]
    for status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELED):
        assert next_check_at(status, checks=0, now=NOW, delays_seconds=delays) is None


def test_parts_must_be_payable_together() -> None:
    total = total_of([Part("inv_1", Money(1, "USD")), Part("inv_2", Money(2, "USD"))])
    assert total == Money(3, "USD")
    for wrong in (
        [Part("inv_1", Money(1, "USD")), Part("inv_2", Money(2, "EUR"))],
        [Part("inv_1", Money(1, "USD")), Part("inv_1", Money(2, "USD"))],
        [Part("inv_1", Money(0, "USD"))],
        [Part("inv_1", Money(-1, "USD"))],
    ):
        with pytest.raises(ServiceError) as refused:
            total_of(wrong)
        assert refused.value.reason == "VALIDATION_FAILED"
    check_covers(Money(3, "USD"), [])
    with pytest.raises(ServiceError):
        check_covers(Money(3, "EUR"), [Part("inv_1", Money(1, "USD"))])


def test_every_failure_says_what_to_do() -> None:
    for code, message in MESSAGES.items():
        assert message_for(code) == message
        assert message.endswith(".")
    assert message_for("never_heard_of").startswith("The payment did not go through.")
    assert message_for("") == ""
    assert all(reason.lower() in MESSAGES for reason in REFUSALS)


def test_days_begin_where_the_organization_is() -> None:
    noon_in_utc = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    honolulu = Organization(organization_id="org_1", time_zone="Pacific/Honolulu")
    assert honolulu.day_of(noon_in_utc) == date(2026, 3, 28)
    assert honolulu.moment_of(date(2026, 3, 28)) == datetime(2026, 3, 28, 10, tzinfo=UTC)
    nowhere = Organization(organization_id="org_1", time_zone="Mars/Olympus")
    assert nowhere.day_of(noon_in_utc) == date(2026, 3, 29)
