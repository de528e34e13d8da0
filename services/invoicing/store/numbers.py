"""The numbers of documents: without gaps, by series."""

from sqlalchemy import text

from chassis.database import WriteTx


async def draw_number(tx: WriteTx, series: str = "") -> tuple[str, bool]:
    """Draw the next number of a series, and whether a document has it already, which an imported one may.

    The counter stays locked until the transaction ends, so that a rollback gives the number back and the series has no
    gaps. It must therefore be drawn as late as can be.
    """
    row = (await tx.execute(_NEXT_NUMBER, {"organization_id": tx.organization_id, "series": series})).one()
    return row.number, row.taken


async def free_number(tx: WriteTx, series: str = "") -> str:
    """The next number of the series that no imported document brought along."""
    while True:
        number, taken = await draw_number(tx, series)
        if not taken:
            return number


_NEXT_NUMBER = text("""
    WITH drawn AS (
        INSERT INTO number_series (organization_id, series, prefix, last_number)
        VALUES (
            :organization_id, :series, CASE :series WHEN '' THEN 'INV-' WHEN 'credit-note' THEN 'CN-'
                ELSE upper(:series) || '-' END, 1
        )
        ON CONFLICT (organization_id, series) DO UPDATE SET last_number = number_series.last_number + 1
        RETURNING prefix || lpad(last_number::text, greatest(digits, length(last_number::text)), '0') AS number
    )
    SELECT number, CASE :series WHEN 'credit-note' THEN EXISTS (
        SELECT 1 FROM credit_notes AS n WHERE n.organization_id = :organization_id AND n.number = drawn.number
    ) ELSE EXISTS (
        SELECT 1 FROM invoices AS i WHERE i.organization_id = :organization_id AND i.number = drawn.number
    ) END AS taken
    FROM drawn
""")
