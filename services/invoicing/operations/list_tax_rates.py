"""List tax codes."""

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.tax_table import TaxRate, built_in
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.tax_rates import tax_rates


async def list_tax_rates(db: Database) -> list[TaxRate]:
    """The organization's own codes and the built-in ones of its country, by code and day."""
    async with db.read(current_call().organization_id) as tx:
        rates = [*await tax_rates(tx), *built_in((await get_organization(tx)).country)]
    return sorted(rates, key=lambda one: (one.code, one.valid_from, one.is_built_in))
