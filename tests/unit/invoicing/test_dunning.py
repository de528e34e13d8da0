"""The decision table of dunning, all of it, and which level comes when."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from chassis.errors import ServiceError
from chassis.money import Money
from services.invoicing.domain.dunning import (
    Action,
    DunningPolicy,
    DunningText,
    Facts,
    Level,
    Notice,
    Obstacle,
    decide,
    filled,
    next_level,
    obstacles,
    policy_for,
)
from services.invoicing.domain.dunning_presets import presets
from services.invoicing.domain.legal_rates import NO_COLLECTION_RATE, LegalRate, LegalRates
from services.invoicing.formats.dunning_texts import wording

TODAY = date(2026, 11, 22)
_TEXT = (DunningText("en", "Reminder", "Pay {amount}"),)


def usd(cents: int) -> Money:
    return Money(cents, "USD")


_HOLDS: dict[Obstacle, dict[str, Any]] = {
    Obstacle.PAID: {"due": usd(0)},
    Obstacle.PAUSED: {"paused_until": TODAY},
    Obstacle.ON_HOLD: {"on_hold": True},
    Obstacle.DISPUTED: {"disputed": usd(10_000)},
    Obstacle.EINVOICE_REJECTED: {"einvoice_waits": True},
    Obstacle.ON_PLAN: {"on_plan": True},
    Obstacle.PROMISED: {"promised_until": TODAY},
    Obstacle.CLAIMED: {"claimed_until": TODAY},
    Obstacle.AUTOPAY: {"autopay_until": TODAY},
    Obstacle.PROCESSING: {"reserved": usd(10_000)},
    Obstacle.CREDIT_COVERS: {"credit": usd(10_000)},
}


def _facts(**changes: Any) -> Facts:
    known = {"due": usd(10_000), "disputed": usd(0), "reserved": usd(0), "credit": usd(0), **changes}
    return Facts(today=TODAY, **known)


def test_every_combination_waits_for_the_first_reason_that_holds() -> None:
    for chosen in product([False, True], repeat=len(Obstacle)):
        wanted = [obstacle for obstacle, holds in zip(Obstacle, chosen, strict=True) if holds]
        changes: dict[str, Any] = {}
        for obstacle in wanted:
            changes |= _HOLDS[obstacle]
        if Obstacle.PAID in wanted:  # nothing is due, so nothing of it can be disputed, held or covered
            sums = {Obstacle.DISPUTED, Obstacle.PROCESSING, Obstacle.CREDIT_COVERS}
            wanted = [one for one in wanted if one not in sums]
            changes = {**changes, "disputed": usd(0), "reserved": usd(0), "credit": usd(0)}
        facts = _facts(**changes)
        action, reason = decide(facts)
        assert obstacles(facts) == wanted
        assert reason is (wanted[0] if wanted else None)
        assert action is (
            Action.SENT if not wanted else Action.OVER if reason is Obstacle.PAID else Action.WAITS
        )


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"disputed": usd(4_000)}, 6_000),
        ({"reserved": usd(9_999)}, 1),
        ({"credit": usd(9_999)}, 10_000),
        ({"disputed": usd(4_000), "reserved": usd(5_000)}, 1_000),
    ],
)
def test_a_part_that_is_disputed_or_on_its_way_lessens_what_is_asked(
    changes: dict[str, Money], asked: int
) -> None:
    facts = _facts(**changes)
    assert decide(facts) == (Action.SENT, None)
    assert facts.asked == usd(asked)


@pytest.mark.parametrize("name", ["paused_until", "promised_until", "claimed_until", "autopay_until"])
def test_what_holds_until_a_day_holds_on_it_and_not_after(name: str) -> None:
    assert decide(_facts(**{name: TODAY}))[0] is Action.WAITS
    assert decide(_facts(**{name: TODAY - timedelta(days=1)}))[0] is Action.SENT


def _policy(*days: int, **fields: Any) -> DunningPolicy:
    levels = tuple(Level(days_after_due=one, deadline_days=10, texts=_TEXT, **fields) for one in days)
    return DunningPolicy("", "All", levels)


def _notice(level: int, deadline_on: date) -> Notice:
    return Notice(
        notice_id="dnn_1", invoice_id="inv_1", customer_id="cus_1", level=level, title="", text="",
        locale="en", amount=usd(1), issued_on=deadline_on - timedelta(days=10), deadline_on=deadline_on,
        fee_invoice_id="", letter=False, mail=True,
    )  # fmt: skip


def test_a_level_comes_on_its_day_but_never_before_the_deadline_of_the_last_one() -> None:
    policy = _policy(3, 10, 30)
    assert next_level(policy, TODAY, None) == (1, TODAY + timedelta(days=3))
    assert next_level(policy, TODAY, _notice(1, TODAY + timedelta(days=13))) == (
        2,
        TODAY + timedelta(days=14),
    )
    assert next_level(policy, TODAY, _notice(2, TODAY + timedelta(days=24))) == (
        3,
        TODAY + timedelta(days=30),
    )
    assert next_level(policy, TODAY, _notice(3, TODAY)) is None


@pytest.mark.parametrize(
    "policy",
    [_policy(3, 3), _policy(5, 4), _policy(3, mail=False), _policy(3, fee=usd(0))],
)
def test_levels_that_make_no_sense_are_refused(policy: DunningPolicy) -> None:
    with pytest.raises(ServiceError):
        policy.must_be_sound()


def test_the_policy_of_the_first_label_is_taken_and_those_turned_off_are_not() -> None:
    everybody, vip = _policy(3), DunningPolicy("vip", "VIP", ())
    off = DunningPolicy("bad", "Off", (), is_active=False)
    assert policy_for([everybody, vip, off], ["bad", "vip"]) is vip
    assert policy_for([everybody, vip, off], ["bad"]) is everybody
    assert policy_for([vip], []) is None


PRESETS = {one.name: one for one in presets(LegalRates(), date(2026, 3, 1))}


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_presets_are_sound_and_every_text_says_what_to_pay_by_when(preset: Any) -> None:
    preset.policy.must_be_sound()
    for level in preset.policy.levels:
        for text in level.texts:
            said = wording(
                text, number="INV-7", amount=Money(123_400, "NOK"), due_date=TODAY,
                deadline=TODAY + timedelta(days=14), fee=level.fee,
            )  # fmt: skip
            assert "INV-7" in said
            assert "{" not in said
            assert text.text.count("{amount}") == text.text.count("{deadline}") == 1
            assert ("{fee}" in text.text) == (level.fee is not None)


def test_norway_gives_fourteen_days_before_and_after_each_fee_and_asks_twice_at_most() -> None:
    levels = PRESETS["norway"].policy.levels
    assert all(level.deadline_days >= 14 and level.days_after_due >= 14 for level in levels)
    assert len([level for level in levels if level.fee is not None]) == 2
    assert "inkassoloven § 9" in levels[-1].text_for("nb").text


@pytest.mark.parametrize(
    ("day", "oere"), [(date(2025, 12, 31), 3_500), (date(2026, 1, 1), 3_750), (date(2028, 1, 1), 3_895)]
)
def test_a_norwegian_fee_is_a_twentieth_of_the_collection_rate_of_the_day(day: date, oere: int) -> None:
    later = LegalRate(NO_COLLECTION_RATE, date(2027, 1, 1), Decimal("779.19"), "Regulation")
    (norway,) = (one for one in presets(LegalRates([later]), day) if one.name == "norway")
    assert {level.fee for level in norway.policy.levels} == {Money(oere, "NOK")}


def test_german_consumers_pay_no_fee_and_businesses_forty_euros_once_after_the_default() -> None:
    assert all(level.fee is None for level in PRESETS["germany"].policy.levels)
    fees = [level.fee for level in PRESETS["germany_business"].policy.levels]
    assert fees == [None, None, Money(4_000, "EUR")]
    for name, points, paragraph in (("germany", "fünf", 1), ("germany_business", "neun", 2)):
        _, default, last = (level.text_for("de").text for level in PRESETS[name].policy.levels)
        assert f"{points} Prozentpunkten über dem Basiszinssatz" in default
        assert f"§ 288 Abs. {paragraph} BGB" in default
        assert "§ 286 BGB" in default
        assert f"§ 288 Abs. {paragraph} BGB" in last
    assert "40" not in PRESETS["germany"].policy.levels[-1].text_for("de").text
    assert [level.days_after_due for level in PRESETS["germany_business"].policy.levels][-1] > 30


def test_a_preset_says_which_rate_it_rests_on_and_when_to_check_it() -> None:
    assert "1.27 since 2026-01-01" in PRESETS["germany"].source
    assert "please check" not in PRESETS["germany"].source
    (later,) = (one for one in presets(LegalRates(), date(2026, 7, 1)) if one.name == "germany")
    assert "please check" in later.source


def test_a_text_is_chosen_by_language_and_braces_that_name_nothing_stay() -> None:
    level = Level(
        days_after_due=1, deadline_days=1,
        texts=(DunningText("de-DE", "Mahnung", ""), DunningText("en", "Reminder", "")),
    )  # fmt: skip
    assert level.text_for("", "en-GB", "de").title == "Reminder"
    assert level.text_for("fr", "de-AT").title == "Mahnung"
    assert level.text_for("fr").title == "Mahnung"
    assert filled("{a} {b}", {"a": "1"}) == "1 {b}"
