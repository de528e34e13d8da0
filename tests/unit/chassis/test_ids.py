"""Ids sort by birth and are well formed."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import is_id, new_id, new_uuid7


def test_ids_sort_by_birth_and_never_repeat() -> None:
    ids = [new_id("inv") for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(is_id("inv", one) for one in ids)


@pytest.mark.parametrize("prefix", ["", "Inv", "inv_", "_inv", "1nv", "i" * 64])
def test_a_bad_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError):
        new_id(prefix)


def test_an_id_of_another_kind_or_shape_is_none() -> None:
    good = new_id("inv")
    assert is_id("inv", good)
    assert not is_id("pay", good)
    for wrong in (good.upper(), good[:-1], good + "0", good.replace("_", ""), "inv_8" + good[5:], "", "inv_"):
        assert not is_id("inv", wrong)


def test_a_prefix_may_have_two_words() -> None:
    assert is_id("pay_link", new_id("pay_link"))


@given(st.text(max_size=40))
def test_no_text_makes_the_check_fail(text: str) -> None:
    is_id("inv", text)


def test_event_ids_are_uuids_of_version_seven() -> None:
    assert uuid.UUID(new_uuid7()).version == 7
