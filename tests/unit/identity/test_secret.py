"""Refresh tokens and API keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from services.identity.domain.secret import (
    new_key_secret,
    new_refresh_secret,
    parse_key_secret,
    parse_refresh_secret,
)

ORGANIZATION = ids.new_id("org")


def test_a_refresh_token_carries_its_organization_and_reads_back() -> None:
    secret = new_refresh_secret(ORGANIZATION)
    assert parse_refresh_secret(secret.text) == secret
    assert len(secret.text) <= 200


def test_a_successor_can_be_read_with_the_token_it_replaced_and_with_no_other() -> None:
    old, new, other = (new_refresh_secret(ORGANIZATION) for _ in range(3))
    sealed = old.seal(new)
    assert old.unseal(sealed) == new
    assert other.unseal(sealed) != new
    assert new.secret not in sealed


@pytest.mark.parametrize(("live_mode", "prefix"), [(True, "sk_live_"), (False, "sk_test_")])
def test_an_api_key_has_43_characters_after_its_prefix_and_names_its_organization(
    live_mode: bool, prefix: str
) -> None:
    secret = new_key_secret(ORGANIZATION, live_mode=live_mode)
    assert secret.text.startswith(prefix)
    assert len(secret.text) == len(prefix) + 43
    assert parse_key_secret(secret.text) == secret
    assert secret.text not in secret.hint


@given(st.text(max_size=120))
def test_foreign_texts_are_not_secrets(text: str) -> None:
    assert parse_refresh_secret(text) is None
    assert parse_key_secret(text) is None
    assert parse_key_secret("sk_test_" + text) is None or len(text) == 43
