"""Bank accounts, statements, CSV mappings, transfer claims."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATEMENTS = (
    """
    CREATE TABLE bank_accounts (
        organization_id text NOT NULL,
        bank_account_id text NOT NULL,
        name text NOT NULL,
        account_holder text NOT NULL,
        account_number text NOT NULL,
        bic text NOT NULL DEFAULT '',
        bank_name text NOT NULL DEFAULT '',
        currency text NOT NULL,
        shown_to_payers boolean NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_bank_accounts PRIMARY KEY (organization_id, bank_account_id),
        CONSTRAINT uq_bank_accounts_number UNIQUE (organization_id, account_number, currency)
    )
    """,
    """
    CREATE TABLE bank_statements (
        organization_id text NOT NULL,
        bank_statement_id text NOT NULL,
        bank_account_id text NOT NULL,
        account_identification text NOT NULL,
        statement_reference text NOT NULL DEFAULT '',
        format text NOT NULL,
        file_name text NOT NULL DEFAULT '',
        currency text NOT NULL,
        from_day date,
        to_day date,
        opening_minor_units bigint,
        closing_minor_units bigint,
        line_count integer NOT NULL,
        digest bytea NOT NULL,
        imported_at timestamptz NOT NULL,
        imported_by text NOT NULL,
        CONSTRAINT pk_bank_statements PRIMARY KEY (organization_id, bank_statement_id),
        CONSTRAINT uq_bank_statements_digest UNIQUE (organization_id, bank_account_id, digest),
        CONSTRAINT fk_bank_statements_bank_accounts FOREIGN KEY (organization_id, bank_account_id)
            REFERENCES bank_accounts (organization_id, bank_account_id)
    )
    """,
    (
        "CREATE INDEX ix_bank_statements_imported_at"
        " ON bank_statements (organization_id, imported_at, bank_statement_id)"
    ),
    "CREATE INDEX ix_bank_statements_to_day ON bank_statements (organization_id, bank_account_id, to_day)",
    """
    CREATE TABLE bank_lines (
        organization_id text NOT NULL,
        bank_line_id text NOT NULL,
        bank_account_id text NOT NULL,
        bank_statement_id text NOT NULL,
        position integer NOT NULL,
        booked_on date NOT NULL,
        value_on date,
        amount_minor_units bigint NOT NULL,
        currency text NOT NULL,
        counterparty_name text NOT NULL DEFAULT '',
        counterparty_account text NOT NULL DEFAULT '',
        remittance_text text NOT NULL DEFAULT '',
        structured_reference text NOT NULL DEFAULT '',
        end_to_end_id text NOT NULL DEFAULT '',
        bank_reference text NOT NULL DEFAULT '',
        content_key bytea NOT NULL,
        occurrence integer NOT NULL,
        part integer NOT NULL,
        status text NOT NULL,
        payment_id text NOT NULL DEFAULT '',
        payout_id text NOT NULL DEFAULT '',
        matched_by text NOT NULL DEFAULT '',
        matched_at timestamptz,
        assignee text NOT NULL DEFAULT '',
        note text NOT NULL DEFAULT '',
        version integer NOT NULL DEFAULT 1,
        CONSTRAINT pk_bank_lines PRIMARY KEY (organization_id, bank_line_id),
        CONSTRAINT uq_bank_lines_content UNIQUE (organization_id, bank_account_id, content_key, occurrence, part),
        CONSTRAINT fk_bank_lines_bank_statements FOREIGN KEY (organization_id, bank_statement_id)
            REFERENCES bank_statements (organization_id, bank_statement_id),
        CONSTRAINT ck_bank_lines_status CHECK (status IN ('unmatched', 'matched', 'ignored', 'outgoing'))
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX ix_bank_lines_status ON bank_lines (organization_id, status, booked_on, bank_line_id)",
    "CREATE INDEX ix_bank_lines_statement ON bank_lines (organization_id, bank_statement_id, position)",
    "CREATE INDEX ix_bank_lines_payment ON bank_lines (organization_id, payment_id) WHERE payment_id <> ''",
    (
        "CREATE INDEX ix_bank_lines_counterparty ON bank_lines (organization_id, counterparty_account)"
        " WHERE counterparty_account <> ''"
    ),
    """
    CREATE TABLE csv_mappings (
        organization_id text NOT NULL,
        name text NOT NULL,
        mapping jsonb NOT NULL,
        saved_at timestamptz NOT NULL,
        saved_by text NOT NULL,
        CONSTRAINT pk_csv_mappings PRIMARY KEY (organization_id, name)
    )
    """,
    """
    CREATE TABLE transfer_claims (
        organization_id text NOT NULL,
        claim_id text NOT NULL,
        customer_id text NOT NULL,
        invoice_ids text[] NOT NULL,
        amount_minor_units bigint NOT NULL,
        currency text NOT NULL,
        transferred_on date NOT NULL,
        note text NOT NULL DEFAULT '',
        proof_file_name text NOT NULL DEFAULT '',
        proof_media_type text NOT NULL DEFAULT '',
        proof bytea,
        status text NOT NULL,
        expires_on date NOT NULL,
        payment_id text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL,
        claimed_by text NOT NULL,
        closed_at timestamptz,
        close_reason text NOT NULL DEFAULT '',
        CONSTRAINT pk_transfer_claims PRIMARY KEY (organization_id, claim_id),
        CONSTRAINT ck_transfer_claims_status CHECK (status IN ('open', 'matched', 'expired', 'closed')),
        CONSTRAINT ck_transfer_claims_amount CHECK (amount_minor_units > 0)
    )
    """,
    "CREATE INDEX ix_transfer_claims_created_at ON transfer_claims (organization_id, created_at, claim_id)",
    (
        "CREATE INDEX ix_transfer_claims_customer"
        " ON transfer_claims (organization_id, customer_id, created_at, claim_id)"
    ),
    "CREATE INDEX ix_transfer_claims_open ON transfer_claims (expires_on) WHERE status = 'open'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    tables = ("bank_accounts", "bank_statements", "bank_lines", "csv_mappings", "transfer_claims")
    migrations.create_tenant_policies(op, *tables, sweep=("transfer_claims",))
    migrations.grant_app(op, *tables, privileges="SELECT, INSERT, UPDATE")
