"""Slowing down whoever guesses."""

from datetime import UTC, datetime, timedelta

import pytest

from services.identity.domain.throttle import (
    FORGET_AFTER,
    LONGEST_DELAY_SECONDS,
    NETWORK_REFILL_SECONDS,
    NETWORK_TRIES,
    AccountThrottle,
    NetworkBucket,
    delay_after,
    network_of,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_delay_doubles_from_the_fifth_failure_up_to_a_limit() -> None:
    assert [delay_after(failures) for failures in range(1, 9)] == [0, 0, 0, 0, 1, 2, 4, 8]
    assert delay_after(1_000) == LONGEST_DELAY_SECONDS


def test_an_account_waits_out_its_delay_and_failures_are_forgotten_after_a_day() -> None:
    throttle = AccountThrottle()
    for _ in range(6):
        throttle = throttle.with_try(NOW)
    assert throttle.wait_seconds(NOW) == 2
    assert throttle.wait_seconds(NOW + timedelta(seconds=2)) == 0
    later = NOW + FORGET_AFTER + timedelta(seconds=1)
    assert throttle.with_try(later).failures == 1


def test_a_network_has_so_many_tries_and_gets_them_back_one_by_one() -> None:
    bucket = NetworkBucket()
    for _ in range(NETWORK_TRIES):
        assert bucket.wait_seconds(NOW) == 0
        bucket = bucket.with_try(NOW)
    assert bucket.wait_seconds(NOW) == NETWORK_REFILL_SECONDS
    assert bucket.wait_seconds(NOW + timedelta(seconds=NETWORK_REFILL_SECONDS)) == 0
    assert bucket.with_success().wait_seconds(NOW) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", None),
        ("unknown", None),
    ],
)
def test_addresses_of_one_network_share_a_bucket(address: str, network: str | None) -> None:
    assert network_of(address) == network
