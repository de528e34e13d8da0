"""Deciding about late invoices one by one, each in a transaction of its own: for late fees and for reminders."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import structlog

from chassis.caller import call_scope, service_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import ServiceError
from services.invoicing.store.organizations import get_organization

_log = structlog.get_logger(__name__)


class LateInvoices(Protocol):
    """Finds invoices of the transaction's organization that are to be decided about on a day."""

    async def __call__(self, tx: ReadTx, today: date, *, limit: int) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Round:
    """Which organizations decide, about which invoices, how, and the word in the log for one that fails."""

    organizations: Callable[[ReadTx], Awaitable[Collection[str]]]
    late_invoices: LateInvoices
    decision_on: Callable[[str], Callable[[WriteTx], Awaitable[None]]]
    failed: str


async def decide_late_invoices(db: Database, one: Round, *, limit: int) -> int:
    """Decide about up to `limit` invoices of each organization; returns the most of one. What fails stops no other."""
    async with db.sweep() as tx:
        organizations = await one.organizations(tx)
    most = 0
    for organization_id in organizations:
        async with db.read(organization_id) as tx:
            today = (await get_organization(tx)).date_of(tx.now())
            found = await one.late_invoices(tx, today, limit=limit)
        decided = 0
        for invoice_id in found:
            with call_scope(service_call("invoicing", organization_id)):
                try:
                    await db.run_write(organization_id, one.decision_on(invoice_id))
                    decided += 1
                except ServiceError as error:
                    _log.warning(one.failed, invoice_id=invoice_id, reason=error.reason)
        most = max(most, decided)
    return most
