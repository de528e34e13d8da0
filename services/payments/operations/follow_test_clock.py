"""Lets time pass at providers as it does for an organization with a test clock: debits settle, pages expire there."""

from datetime import datetime

from chassis.caller import call_scope, service_call
from chassis.turns import current_turn
from services.payments.desk import Desk
from services.payments.providers import FollowsClocks

TIMEOUT_SECONDS = 15.0


async def follow_test_clock(desk: Desk) -> int:
    """In the turn of an organization with a clock; how much has happened at its providers."""
    turn = current_turn()
    if turn is None or turn.organization_id is None:
        return 0
    organization_id, happened = turn.organization_id, 0
    now = await desk.db.now_of(organization_id)
    with call_scope(service_call("payments", organization_id, method="follow test clock")):
        for provider in _followers(desk):
            happened += await provider.go_to(organization_id, now, timeout_seconds=TIMEOUT_SECONDS)
    return happened


async def next_due_at_providers(desk: Desk, organization_id: str) -> datetime | None:
    """The earliest moment at which something will happen there."""
    moments = [
        await provider.next_due_at(organization_id, timeout_seconds=TIMEOUT_SECONDS)
        for provider in _followers(desk)
    ]
    return min((moment for moment in moments if moment is not None), default=None)


async def let_go_of_clock(desk: Desk, organization_id: str) -> None:
    """The organization lives by the machine's time again."""
    for provider in _followers(desk):
        await provider.let_go(organization_id, timeout_seconds=TIMEOUT_SECONDS)


def _followers(desk: Desk) -> list[FollowsClocks]:
    return [provider for provider in desk.providers.values() if isinstance(provider, FollowsClocks)]
