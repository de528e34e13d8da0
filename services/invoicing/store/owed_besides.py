"""What is owed on account of an invoice besides itself."""

from sqlalchemy import text

from chassis.database import ReadTx
from chassis.money import Money


async def owed_besides(tx: ReadTx, invoice_id: str, currency: str) -> tuple[Money, Money]:
    """What is due of late fees, and of fees of reminders, that are about an invoice."""
    params = {"organization_id": tx.organization_id, "invoice_id": invoice_id, "currency": currency}
    row = (await tx.execute(_BESIDES, params)).one()
    return Money(int(row.late_fees), currency), Money(int(row.fees), currency)


_BESIDES = text("""
    SELECT
        coalesce(sum(total_minor_units - paid_minor_units - credited_minor_units)
            FILTER (WHERE kind = 'late_fee'), 0) AS late_fees,
        coalesce(sum(total_minor_units - paid_minor_units - credited_minor_units)
            FILTER (WHERE kind = 'fee'), 0) AS fees
    FROM invoices
    WHERE organization_id = :organization_id AND relates_to = :invoice_id AND currency = :currency
      AND status IN ('open', 'partly_paid')
""")
