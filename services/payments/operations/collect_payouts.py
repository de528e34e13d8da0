"""Collects what providers have paid out, and compares it with our books line by line, both ways.

What our books cannot explain is no error: it is posted as an unmatched receipt, which somebody has to look at. Each
run compares such lines again, because news may have come since.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import text

from chassis import audit, ledger
from chassis.caller import call_scope, service_call
from chassis.database import WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.payments.bank_books import paid_out, unexplained
from services.payments.desk import Desk
from services.payments.domain.payout import Payout, PayoutLine, compare, figures
from services.payments.providers import PayoutLineView, PayoutView, Provider, ProviderSilentError
from services.payments.store import payouts, reconciliation

LOOK_BACK = timedelta(days=35)
COMPARED_FOR = timedelta(days=120)
"""A chargeback is decided within months; after that a difference is for people only."""
TIMEOUT_SECONDS = 10.0
NOBODY = "unknown"
"""Payouts of which nobody can tell whose they are are kept under this name, like webhooks."""
_log = structlog.get_logger("payments.payouts")


async def collect_payouts(desk: Desk) -> int:
    """Ask the usual provider, and others at which somebody has paid. For a job; returns how many payouts were new."""
    new, is_in_turn = 0, await desk.db.in_turn()
    async with desk.db.sweep() as sweep:
        since = (sweep.now() - LOOK_BACK).date()
    for provider in desk.providers.values():
        users = await _users(desk, provider)
        if not users and provider is not desk.provider:
            continue  # so Stripe's library, which is large, is not loaded where nobody uses it
        try:
            views = await provider.payouts(since, timeout_seconds=TIMEOUT_SECONDS)
        except ProviderSilentError as error:
            _log.warning("payouts not collected", provider=provider.name, error=str(error))
            continue
        parts = [
            part for view in views for part in _by_organization(view, users).items() if is_in_turn(part[0])
        ]
        for organization_id, view in parts:
            new += await _collect(desk, provider.name, organization_id, view)
        for organization_id in {organization_id for organization_id, _ in parts}:
            await _compare_again(desk, provider.name, organization_id)
    return new


async def _users(desk: Desk, provider: Provider) -> list[str]:
    """Organizations that have paid in at this provider."""
    async with desk.db.sweep() as tx:
        rows = await tx.execute(_USERS, {"provider": provider.name})
        return [row.organization_id for row in rows]


def _by_organization(view: PayoutView, users: Sequence[str]) -> dict[str, PayoutView]:
    """Each organization's part. Lines of nobody go with the others', or to the only one who uses the provider."""
    named = {line.organization_id for line in view.lines} - {""}
    whose = named if len(named) == 1 else set(users) if len(users) == 1 else set()
    nobodys = next(iter(whose), NOBODY)
    grouped: dict[str, list[PayoutLineView]] = defaultdict(list)
    for line in view.lines:
        grouped[line.organization_id or nobodys].append(line)
    return {organization_id: replace(view, lines=tuple(lines)) for organization_id, lines in grouped.items()}


async def _collect(desk: Desk, provider: str, organization_id: str, view: PayoutView) -> int:
    async def write(tx: WriteTx) -> int:
        if await payouts.is_known(tx, provider, view.provider_reference):
            return 0
        lines, covers_until = [], None
        for position, one in enumerate(view.lines, start=1):
            line = _line(position, one)
            known = await reconciliation.known(tx, line)
            verdict = compare(line, known)
            if known is not None and known.settled_at is not None:
                covers_until = max(known.settled_at, covers_until or known.settled_at)
            lines.append(
                replace(
                    line,
                    payment_id=verdict.payment_id,
                    difference=verdict.difference,
                    unexplained=verdict.unexplained,
                )
            )
        payout = Payout(
            payout_id=new_id("po"),
            provider=provider,
            provider_reference=view.provider_reference,
            figures=figures(lines, view.net.currency),
            arrives_on=view.arrives_on,
            covers_until=covers_until,
        )
        if not await payouts.insert(tx, payout, lines):
            return 0
        await _post(tx, payout, lines)
        audit.record(tx, "payout.collected", payout.payout_id, reason=view.provider_reference)
        return 1

    with call_scope(service_call("payments", organization_id, method="collect payouts")):
        new = await desk.db.run_write(organization_id, write)
    if new:
        _log.info(
            "payout collected", provider=provider, reference=view.provider_reference, lines=len(view.lines)
        )
    return new


async def _post(tx: WriteTx, payout: Payout, lines: Sequence[PayoutLine]) -> None:
    entry = paid_out(payout.payout_id, payout.provider, payout.figures, at=tx.now())
    if entry is not None:
        await ledger.post(tx, entry)
    for line in lines:
        if not line.unexplained.is_zero:
            await _post_unexplained(tx, payout.payout_id, payout.provider, line, line.unexplained)


async def _post_unexplained(
    tx: WriteTx, payout_id: str, provider: str, line: PayoutLine, amount: Money
) -> None:
    source_id = f"{payout_id}/{line.position}"
    entry = unexplained(source_id, provider, amount, correction=line.corrections, at=tx.now())
    await ledger.post(tx, entry)


async def _compare_again(desk: Desk, provider: str, organization_id: str) -> None:
    since = await desk.db.now_of(organization_id) - COMPARED_FOR
    async with desk.db.read(organization_id) as read:
        open_lines = await payouts.differing(read, provider, since=since)
    with call_scope(service_call("payments", organization_id, method="collect payouts")):
        for payout_id, line in open_lines:

            async def write(tx: WriteTx, payout_id: str = payout_id, line: PayoutLine = line) -> None:
                verdict = compare(line, await reconciliation.known(tx, line))
                if (verdict.difference, verdict.unexplained) == (line.difference, line.unexplained):
                    return
                after = replace(
                    line,
                    payment_id=verdict.payment_id,
                    difference=verdict.difference,
                    unexplained=verdict.unexplained,
                    corrections=line.corrections + 1,
                )
                if (
                    await payouts.save_verdict(tx, payout_id, after)
                    and verdict.unexplained != line.unexplained
                ):
                    change = verdict.unexplained - line.unexplained
                    await _post_unexplained(tx, payout_id, provider, after, change)

            await desk.db.run_write(organization_id, write)


def _line(position: int, view: PayoutLineView) -> PayoutLine:
    return PayoutLine(
        position=position,
        kind=view.kind,
        provider_reference=view.provider_reference,
        attempt_id=view.attempt_id,
        amount=view.amount,
        fee=view.fee,
        unexplained=Money.zero(view.amount.currency),
    )


_USERS = text("SELECT DISTINCT organization_id FROM payment_attempts WHERE provider = :provider LIMIT 2")
