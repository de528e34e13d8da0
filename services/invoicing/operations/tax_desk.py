"""Find what decides an organization's taxes. Another source than the table, such as a tax platform, is chosen here."""

from chassis.database import ReadTx
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.taxation import TaxDesk, TaxTable
from services.invoicing.store.tax_rates import tax_rates


async def tax_desk(tx: ReadTx, organization: Organization) -> TaxDesk:
    """Everything that taxes of invoices of now and later follow from, read at once."""
    return TaxTable(organization, await tax_rates(tx))
