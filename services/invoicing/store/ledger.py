"""The receivables ledger: any number of bookings in one statement."""

from collections.abc import Sequence

from sqlalchemy import text

from chassis.database import WriteTx
from chassis.ids import new_id
from services.invoicing.domain.ledger import Booking


async def post(tx: WriteTx, bookings: Sequence[Booking]) -> None:
    """Post bookings; one whose (source, source id, kind) is there already changes nothing."""
    if not bookings:
        return
    entry_ids = [new_id("ent") for _ in bookings]
    lines = [
        (entry_id, line_no, posting)
        for entry_id, booking in zip(entry_ids, bookings, strict=True)
        for line_no, posting in enumerate(booking.postings, start=1)
    ]
    tx.enqueue(
        _POST,
        {
            "organization_id": tx.organization_id,
            "posted_at": tx.now(),
            "entry_ids": entry_ids,
            "sources": [booking.source for booking in bookings],
            "source_ids": [booking.source_id for booking in bookings],
            "kinds": [booking.kind for booking in bookings],
            "corrected_kinds": [booking.corrects_kind for booking in bookings],
            "descriptions": [booking.description for booking in bookings],
            "occurred_at": [booking.occurred_at for booking in bookings],
            "line_entry_ids": [entry_id for entry_id, _, _ in lines],
            "line_nos": [line_no for _, line_no, _ in lines],
            "accounts": [posting.account.value for _, _, posting in lines],
            "owners": [posting.owner for _, _, posting in lines],
            "currencies": [posting.amount.currency for _, _, posting in lines],
            "sides": [posting.side.value for _, _, posting in lines],
            "amounts": [posting.amount.minor_units for _, _, posting in lines],
        },
    )


_POST = text("""
    WITH entries AS (
        INSERT INTO ledger_entries (
            organization_id, entry_id, source, source_id, kind, corrects_entry_id, description,
            occurred_at, posted_at
        )
        SELECT :organization_id, new.entry_id, new.source, new.source_id, new.kind, old.entry_id,
               new.description, new.occurred_at, :posted_at
        FROM unnest(
            CAST(:entry_ids AS text[]), CAST(:sources AS text[]), CAST(:source_ids AS text[]),
            CAST(:kinds AS text[]), CAST(:corrected_kinds AS text[]), CAST(:descriptions AS text[]),
            CAST(:occurred_at AS timestamptz[])
        ) AS new (entry_id, source, source_id, kind, corrected_kind, description, occurred_at)
        LEFT JOIN ledger_entries AS old
            ON old.organization_id = :organization_id AND old.source = new.source
           AND old.source_id = new.source_id AND old.kind = new.corrected_kind
        ON CONFLICT (organization_id, source, source_id, kind) DO NOTHING
        RETURNING entry_id
    )
    INSERT INTO ledger_lines (
        organization_id, entry_id, line_no, account, owner, currency, side, amount_minor_units
    )
    SELECT :organization_id, entry_id, line_no, account, owner, currency, side, amount
    FROM unnest(
        CAST(:line_entry_ids AS text[]), CAST(:line_nos AS smallint[]), CAST(:accounts AS text[]),
        CAST(:owners AS text[]), CAST(:currencies AS text[]), CAST(:sides AS text[]),
        CAST(:amounts AS bigint[])
    ) AS line (entry_id, line_no, account, owner, currency, side, amount)
    JOIN entries USING (entry_id)
""")
