"""Find invoices by their number however it is written; check the rows that were there before 0002."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A column, not an index on an expression: behind row-level security only a plain comparison finds an index.
_BACKFILL = """
    UPDATE invoices SET number_key = upper(regexp_replace(number, '[^A-Za-z0-9]', '', 'g'))
    WHERE number IS NOT NULL AND number_key IS NULL
"""


def upgrade() -> None:
    # The owner is bound by the policies too, except for this one statement, which writes for all organizations.
    # It may be repeated, which squawk cannot know.
    op.execute("-- squawk-ignore prefer-robust-stmts\nALTER TABLE invoices NO FORCE ROW LEVEL SECURITY")
    with op.get_context().autocommit_block():
        op.execute(_BACKFILL)
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_invoices_number_key"
            " ON invoices (organization_id, number_key)"
        )
    op.execute("ALTER TABLE invoices FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE invoices VALIDATE CONSTRAINT ck_invoices_guard")
    op.execute("ALTER TABLE customer_credits VALIDATE CONSTRAINT ck_customer_credits_held")
