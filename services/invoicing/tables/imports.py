"""Files that are being imported, what was made of them, and how their columns were understood."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
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
    text_column("kind", default="invoices"),
    text_column("format", default="csv"),
    Column("understanding", JSONB, nullable=False, server_default="{}"),
    Column("undone_records", Integer, nullable=False, server_default="0"),
    Column("kept_records", Integer, nullable=False, server_default="0"),
    text_column("undo_reason", default=""),
    PrimaryKeyConstraint("organization_id", "import_id"),
    CheckConstraint("state IN ('preview', 'running', 'done', 'undoing', 'undone')", name="state"),
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
    Column("invoice_date", Date),
    Column("due_date", Date),
    Column("total_minor_units", BigInteger),
    text_column("currency"),
    text_column("description"),
    Column("disputed", Boolean, nullable=False),
    Column("settled_date", Date),
    Column("handled", Boolean, nullable=False),
    Column("document", JSONB),
    PrimaryKeyConstraint("organization_id", "import_id", "line"),
    to("imports", "import_id"),
)
"""Of customers and items only `external_id` and `document` say something."""

import_files = Table(
    "import_files",
    metadata,
    text_column("organization_id"),
    text_column("import_id"),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("organization_id", "import_id"),
    to("imports", "import_id"),
)
"""Files of previews, kept until the import starts."""

import_makings = Table(
    "import_makings",
    metadata,
    text_column("organization_id"),
    text_column("import_id"),
    text_column("object_id"),
    text_column("noun"),
    Column("line", Integer, nullable=False),
    count_column("version"),
    text_column("outcome"),
    PrimaryKeyConstraint("organization_id", "import_id", "object_id"),
    to("imports", "import_id"),
    CheckConstraint("noun IN ('invoice', 'customer', 'item', 'credit_note')", name="noun"),
    CheckConstraint("outcome IN ('made', 'undone', 'kept')", name="outcome"),
)

import_mappings = Table(
    "import_mappings",
    metadata,
    text_column("organization_id"),
    text_column("kind"),
    text_column("fingerprint"),
    Column("understanding", JSONB, nullable=False),
    time_column("used_at"),
    PrimaryKeyConstraint("organization_id", "kind", "fingerprint"),
)
