"""Files that are being imported."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.invoicing.tables.base import count_column, metadata, text_column, time_column, to

imports = Table(
    "imports",
    metadata,
    text_column("organization_id"),
    text_column("import_id"),
    text_column("file_name"),
    text_column("state"),
    Column("notify", Boolean, nullable=False),
    Column("total_rows", Integer, nullable=False),
    Column("handled_rows", Integer, nullable=False),
    Column("created_rows", Integer, nullable=False),
    Column("unchanged_rows", Integer, nullable=False),
    Column("failed_rows", Integer, nullable=False),
    Column("errors", JSONB, nullable=False),
    text_column("actor"),
    time_column("created_at"),
    time_column("finished_at", nullable=True),
    PrimaryKeyConstraint("organization_id", "import_id"),
    CheckConstraint("state IN ('preview', 'running', 'done')", name="state"),
    Index("ix_imports_running", "organization_id", "created_at", postgresql_where=text("state = 'running'")),
)

import_rows = Table(
    "import_rows",
    metadata,
    text_column("organization_id"),
    text_column("import_id"),
    Column("line", Integer, nullable=False),
    text_column("external_id"),
    text_column("customer_external_id"),
    text_column("customer_name"),
    text_column("customer_email"),
    Column("invoice_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    count_column("total_minor_units"),
    text_column("currency"),
    text_column("description"),
    Column("disputed", Boolean, nullable=False),
    Column("settled_date", Date),
    Column("handled", Boolean, nullable=False),
    PrimaryKeyConstraint("organization_id", "import_id", "line"),
    to("imports", "import_id"),
)
