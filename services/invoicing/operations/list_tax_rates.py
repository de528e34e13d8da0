"""List tax codes."""

from chassis.caller import current_call
from chassis.database import Database, ReadTx
from services.invoicing.domain.tax_table import TaxRate, built_in
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.tax_rates import tax_rates


async def list_tax_rates(db: Database) -> list[TaxRate]:
    """The organization's own codes and the built-in ones of its country, by code and day."""
    async with db.read(current_call().organization_id) as tx:
        rates = await known_rates(tx)
    return sorted(rates, key=lambda one: (one.code, one.valid_from, one.is_built_in))


async def known_rates(tx: ReadTx) -> list[TaxRate]:
    """The organization's own and the built-in ones, in no order."""
    return [*await tax_rates(tx), *built_in((await get_organization(tx)).country)]
