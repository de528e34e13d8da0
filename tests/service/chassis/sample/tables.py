"""Tables of a service that exists only to test the chassis: notes, some of them looked for by sweeps."""

from sqlalchemy import Column, Integer, MetaData, PrimaryKeyConstraint, Table, Text

from chassis.tables import convention, ledger_tables, transport_tables

metadata = MetaData(naming_convention=convention)
transport = transport_tables(metadata)
ledger_entries, ledger_lines = ledger_tables(metadata)
notes = Table(
    "notes",
    metadata,
    Column("organization_id", Text, nullable=False),
    Column("note_id", Text, nullable=False),
    Column("times_seen", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("organization_id", "note_id", name="pk_notes"),
)
