"""When somebody tries cards out: how many refused tries a payer may have before the provider is spared.

A payer with a few declines always gets another try. Whoever goes through numbers has them declined, and every
decline counts against what the tries have in common: the pay link or the signed-in customer, and the device's
network, of which those who have signed in have a count of their own. Addresses are cheap to change, pay links
are not, so rotating addresses gains nothing; and who misuses a link does not use up the tries of the customer
who signs in.
"""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SURGE_WINDOW: Final = timedelta(minutes=10)
SURGE_FAILURES: Final = 20
"""So many refused tries of unknown payers in the window, and more than half of all, are a surge."""
UNKNOWN_PAYERS: Final = "unknown"
"""Subject under which all refused tries of payers are counted who have never paid here."""

COUNTED_FAILURES: Final = frozenset(
    {
        "card_declined",
        "insufficient_funds",
        "expired_card",
        "incorrect_cvc",
        "incorrect_number",
        "invalid_card_token",
        "authentication_failed",
        "lost_card",
        "stolen_card",
        "card_not_supported",
        "do_not_honor",
        "fraudulent",
        "pickup_card",
        "restricted_card",
        "invalid_account",
    }
)
"""Refusals by a bank. Outages and refusals of ours are nobody's try."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At so many refused tries within the time, further ones are not sent to the provider."""

    failures: int
    within: timedelta


NORMAL: Final[Mapping[str, Limit]] = {
    "link": Limit(5, HOUR),
    "address": Limit(5, HOUR),
    "customer": Limit(10, HOUR),
    "members": Limit(40, HOUR),
}
STRICT: Final[Mapping[str, Limit]] = {
    "link": Limit(4, DAY),
    "address": Limit(4, DAY),
    "customer": Limit(4, DAY),
    "members": Limit(12, DAY),
}
"""In a surge, for payers who have never paid here: still three declines and a try that succeeds."""


@dataclass(frozen=True, slots=True)
class Count:
    """Refused tries of one subject."""

    last_hour: int = 0
    last_day: int = 0


def subjects_of(payer: str, *, address: str, is_signed_in: bool = False) -> list[str]:
    """What a try has in common with others: the payer (link:inv_1, customer:cus_1), the address as a hash.

    Many customers may share an address: who has signed in is not stopped by what strangers did there.
    """
    subjects = [payer]
    network = network_of(address)
    if network:
        kind = "members" if is_signed_in else "address"
        subjects.append(f"{kind}:{hashlib.sha256(network.encode()).hexdigest()[:32]}")
    return subjects


def network_of(address: str) -> str:
    """What one payer has of addresses: an IPv4 address, or a /64 of IPv6. Empty for what is none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
    return str(parsed)


def is_surge(*, failures: int, tries: int) -> bool:
    """Whether refused tries of unknown payers are so many just now that somebody tries cards out."""
    return failures >= SURGE_FAILURES and failures * 2 > tries


def refused_for(counts: Mapping[str, Count], *, strict: bool) -> timedelta | None:
    """How long to wait when there were too many refused tries of anything; None lets the try pass."""
    limits = STRICT if strict else NORMAL
    waits = [
        limit.within
        for subject, count in counts.items()
        if (limit := limits.get(subject.partition(":")[0])) is not None
        and (count.last_hour if limit.within == HOUR else count.last_day) >= limit.failures
    ]
    return max(waits, default=None)
