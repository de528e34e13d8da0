"""Rates that change by law."""

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import invalid
from services.invoicing.domain.legal_rates import NAMES, LegalRate, LegalRates
from services.invoicing.store import legal_rates as store
from services.invoicing.store.organizations import get_organization


async def put_legal_rate(db: Database, rate: LegalRate) -> LegalRate:
    """Set a rate from a day on. VALIDATION_FAILED for a name that nothing uses."""
    if rate.name not in NAMES:
        raise invalid("rate.name", "unknown", f"One of {', '.join(sorted(NAMES))}.")

    async def work(tx: WriteTx) -> LegalRate:
        await store.put_rate(tx, rate)
        audit.record(tx, "legal_rate.set", rate.name, after=repr(rate).encode(), reason=rate.source)
        return rate

    return await db.run_write(current_call().organization_id, work)


async def list_legal_rates(db: Database) -> tuple[LegalRates, list[str]]:
    """All rates, and the names of those that may have changed by law since."""
    async with db.read(current_call().organization_id) as tx:
        rates = await store.get_rates(tx)
        today = (await get_organization(tx)).date_of(tx.now())
        return rates, rates.to_check(today)
