"""Which of a customer's invoices add up to a sum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, gcd

MOST_ITEMS = 24
"""More open invoices than this at one customer: only "all of them" is tried."""
MOST_PICKED = 8
MOST_STEPS = 20_000
"""A search is given up after so many steps: no proposal is better than one that keeps an import waiting."""


@dataclass(frozen=True, slots=True)
class SumOf:
    """Keys of what adds up. `chance` is how many such sets one would find for a sum that is mere coincidence."""

    keys: tuple[str, ...]
    is_only: bool
    chance: float


def adding_up(amounts: Mapping[str, int], target: int) -> SumOf | None:
    """Two or more of the amounts (positive, in the order preferred) that make the target exactly.

    The first set found; `is_only` if the whole search found no other and was not given up.
    """
    positive = {key: units for key, units in amounts.items() if 0 < units < target}
    everything = sum(amounts.values())
    if len(amounts) > 1 and everything == target:
        others = _search(list(positive.items()), target, most=2) if len(positive) <= MOST_ITEMS else [()]
        return SumOf(tuple(amounts), is_only=len(others) <= 1, chance=_chance(list(positive.values()), 1))
    if len(positive) < 2 or len(positive) > MOST_ITEMS:
        return None
    found = _search(list(positive.items()), target, most=2)
    if not found:
        return None
    sets = sum(comb(len(positive), size) for size in range(2, min(MOST_PICKED, len(positive)) + 1))
    return SumOf(found[0], is_only=len(found) == 1, chance=_chance(list(positive.values()), sets))


def _chance(amounts: Sequence[int], sets: int) -> float:
    """Sets tried for each sum that they could make: near 0 for odd cents, large for round prices."""
    step = gcd(*amounts)
    return sets / max(1, sum(amounts) // step)


def _search(amounts: list[tuple[str, int]], target: int, *, most: int) -> list[tuple[str, ...]]:
    """At most `most` sets, the preferred first; when given up, as many as asked for, so that none is the only one."""
    rest = [0] * (len(amounts) + 1)
    for index in range(len(amounts) - 1, -1, -1):
        rest[index] = rest[index + 1] + amounts[index][1]
    found: list[tuple[str, ...]] = []
    steps = 0
    stack: list[tuple[int, int, tuple[str, ...]]] = [(0, target, ())]
    while stack and len(found) < most:
        index, open_units, picked = stack.pop()
        steps += 1
        if steps > MOST_STEPS:
            return [*found, ()][:most] if found else []
        if open_units == 0:
            found.append(picked)
            continue
        if index == len(amounts) or open_units < 0 or rest[index] < open_units or len(picked) == MOST_PICKED:
            continue
        key, units = amounts[index]
        stack.append((index + 1, open_units, picked))
        stack.append((index + 1, open_units - units, (*picked, key)))
    return found
