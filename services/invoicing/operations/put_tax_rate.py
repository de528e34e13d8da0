"""Say what a tax code means from a day on."""

from datetime import date

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from services.invoicing.domain.pricing import Tax
from services.invoicing.domain.tax_table import TaxRate
from services.invoicing.store import tax_rates
from services.invoicing.store.organizations import get_organization
from services.invoicing.translate.items import to_proto_tax_rate
from tallyport.invoicing.v1 import taxes_pb2 as pb


async def put_tax_rate(
    db: Database, code: str, *, name: str, taxes: tuple[Tax, ...], valid_from: date | None
) -> pb.TaxRate:
    """The code as it is from `valid_from` on, today when None. Invoices that were made keep what they say."""

    async def work(tx: WriteTx) -> pb.TaxRate:
        today = (await get_organization(tx)).date_of(tx.now())
        rate = TaxRate(code=code, name=name, taxes=taxes, valid_from=valid_from or today)
        await tax_rates.put_tax_rate(tx, rate)
        answer = to_proto_tax_rate(rate)
        audit.record(tx, "tax_rate.put", code, after=answer.SerializeToString(deterministic=True))
        return answer

    return await db.run_write(current_call().organization_id, work)
