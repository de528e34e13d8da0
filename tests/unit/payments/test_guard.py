"""Who tries cards out is stopped, who has bad luck is not."""

import pytest

from services.payments.domain.guard import (
    NORMAL,
    STRICT,
    Count,
    is_surge,
    network_of,
    refused_for,
    subjects_of,
)


@pytest.mark.parametrize("strict", [False, True])
def test_three_declines_never_stop_anybody(strict: bool) -> None:
    counts = {f"{kind}:x": Count(3, 3) for kind in NORMAL}
    assert refused_for(counts, strict=strict) is None


def test_the_limits_stop_the_next_try_and_say_for_how_long() -> None:
    for kind, limit in NORMAL.items():
        wait = refused_for({f"{kind}:x": Count(limit.failures, limit.failures)}, strict=False)
        assert wait == limit.within
    for kind, limit in STRICT.items():
        assert refused_for({f"{kind}:x": Count(0, limit.failures)}, strict=True) == limit.within
    assert refused_for({"customer:x": Count(0, 99)}, strict=False) is None


def test_a_surge_is_many_failures_and_more_than_half_of_all_tries() -> None:
    assert is_surge(failures=20, tries=30)
    assert not is_surge(failures=19, tries=19)
    assert not is_surge(failures=40, tries=80)


def test_addresses_of_one_network_count_as_one_and_are_not_kept() -> None:
    assert network_of("203.0.113.9") == network_of("::ffff:203.0.113.9") == "203.0.113.9"
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("not an address") == ""
    subjects = subjects_of("link:inv_1", address="203.0.113.9")
    assert subjects[0] == "link:inv_1"
    assert "203.0" not in subjects[1]
    assert subjects_of("customer:cus_1", address="") == ["customer:cus_1"]
