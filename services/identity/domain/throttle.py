"""How often somebody may try to sign in: slower and slower for an account, a bucket for a network."""

import ipaddress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

FREE_FAILURES: Final = 4
"""Failures without any delay; from the next one on the delay doubles."""
FIRST_DELAY_SECONDS: Final = 1
LONGEST_DELAY_SECONDS: Final = 3600
FORGET_AFTER: Final = timedelta(hours=24)
"""An account's failures are forgotten this long after the last."""
NETWORK_TRIES: Final = 60
"""Failures that one network may have at once."""
NETWORK_REFILL_SECONDS: Final = 5
"""Time after which a network gets one more try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountThrottle:
    """Failed tries on one e-mail address, whether or not it belongs to anybody."""

    failures: int = 0
    last_failure_at: datetime | None = None
    blocked_until: datetime | None = None

    def wait_seconds(self, now: datetime) -> float:
        """How long to wait before the next try counts; 0 when it may be made now."""
        if self.blocked_until is None:
            return 0.0
        return max(0.0, (self.blocked_until - now).total_seconds())

    def with_try(self, now: datetime) -> "AccountThrottle":
        """Counts a try as failed before its password is checked, so that parallel tries cannot slip through."""
        stale = self.last_failure_at is not None and now - self.last_failure_at > FORGET_AFTER
        failures = 1 if stale else self.failures + 1
        delay_seconds = delay_after(failures)
        return AccountThrottle(
            failures=failures,
            last_failure_at=now,
            blocked_until=now + timedelta(seconds=delay_seconds) if delay_seconds else None,
        )


def delay_after(failures: int) -> int:
    """Seconds to wait after that many failures in a row."""
    if failures <= FREE_FAILURES:
        return 0
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS << min(failures - FREE_FAILURES - 1, 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkBucket:
    """Tries left to a network; they come back one by one, and a successful try gives its own back."""

    tries_left: float = float(NETWORK_TRIES)
    counted_at: datetime | None = None

    def wait_seconds(self, now: datetime) -> float:
        left = self._refilled(now)
        return 0.0 if left >= 1 else (1 - left) * NETWORK_REFILL_SECONDS

    def with_try(self, now: datetime) -> "NetworkBucket":
        return replace(self, tries_left=self._refilled(now) - 1, counted_at=now)

    def with_success(self) -> "NetworkBucket":
        return replace(self, tries_left=min(float(NETWORK_TRIES), self.tries_left + 1))

    def _refilled(self, now: datetime) -> float:
        if self.counted_at is None:
            return self.tries_left
        passed_seconds = max(0.0, (now - self.counted_at).total_seconds())
        return min(float(NETWORK_TRIES), self.tries_left + passed_seconds / NETWORK_REFILL_SECONDS)


def network_of(address: str) -> str | None:
    """The network that is throttled together: /24 of IPv4, /64 of IPv6; None when the address is unknown."""
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    prefix_length = 24 if parsed.version == 4 else 64
    return str(ipaddress.ip_network(f"{parsed}/{prefix_length}", strict=False))
