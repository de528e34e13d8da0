"""Matches of bank lines, match rules, payouts."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_MATCHES = (
    """
    CREATE TABLE match_rules (
        organization_id text NOT NULL,
        match_rule_id text NOT NULL,
        name text NOT NULL,
        text_contains text NOT NULL DEFAULT '',
        counterparty_account text NOT NULL DEFAULT '',
        customer_id text NOT NULL DEFAULT '',
        ignores boolean NOT NULL,
        position integer NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        CONSTRAINT pk_match_rules PRIMARY KEY (organization_id, match_rule_id),
        CONSTRAINT ck_match_rules_condition CHECK (text_contains <> '' OR counterparty_account <> ''),
        CONSTRAINT ck_match_rules_effect CHECK (ignores = (customer_id = ''))
    )
    """,
    """
    CREATE TABLE bank_matches (
        organization_id text NOT NULL,
        match_id text NOT NULL,
        bank_line_id text NOT NULL,
        payment_id text NOT NULL DEFAULT '',
        payout_id text NOT NULL DEFAULT '',
        customer_id text NOT NULL DEFAULT '',
        matched_by text NOT NULL,
        match_rule_id text NOT NULL DEFAULT '',
        confidence_per_mille integer NOT NULL,
        reasons jsonb NOT NULL,
        matched_at timestamptz NOT NULL,
        undone_at timestamptz,
        undone_by text NOT NULL DEFAULT '',
        undo_reason text NOT NULL DEFAULT '',
        CONSTRAINT pk_bank_matches PRIMARY KEY (organization_id, match_id),
        CONSTRAINT fk_bank_matches_bank_lines FOREIGN KEY (organization_id, bank_line_id)
            REFERENCES bank_lines (organization_id, bank_line_id),
        CONSTRAINT ck_bank_matches_subject CHECK ((payment_id = '') <> (payout_id = ''))
    )
    """,
    (
        "CREATE UNIQUE INDEX uq_bank_matches_line ON bank_matches (organization_id, bank_line_id)"
        " WHERE undone_at IS NULL"
    ),
    "CREATE INDEX ix_bank_matches_matched_at ON bank_matches (organization_id, matched_at)",
)
_PAYOUTS = (
    """
    CREATE TABLE payouts (
        organization_id text NOT NULL,
        payout_id text NOT NULL,
        provider text NOT NULL,
        provider_reference text NOT NULL,
        currency text NOT NULL,
        gross_minor_units bigint NOT NULL,
        fees_minor_units bigint NOT NULL,
        refunded_minor_units bigint NOT NULL,
        net_minor_units bigint NOT NULL,
        arrives_on date NOT NULL,
        covers_until timestamptz,
        bank_line_id text NOT NULL DEFAULT '',
        collected_at timestamptz NOT NULL,
        CONSTRAINT pk_payouts PRIMARY KEY (organization_id, payout_id),
        CONSTRAINT uq_payouts_reference UNIQUE (organization_id, provider, provider_reference)
    )
    """,
    "CREATE INDEX ix_payouts_arrives_on ON payouts (organization_id, arrives_on, payout_id)",
    (
        "CREATE UNIQUE INDEX uq_payouts_bank_line ON payouts (organization_id, bank_line_id)"
        " WHERE bank_line_id <> ''"
    ),
    """
    CREATE TABLE payout_lines (
        organization_id text NOT NULL,
        payout_id text NOT NULL,
        position integer NOT NULL,
        kind text NOT NULL,
        provider_reference text NOT NULL,
        attempt_id text NOT NULL DEFAULT '',
        payment_id text NOT NULL DEFAULT '',
        amount_minor_units bigint NOT NULL,
        fee_minor_units bigint NOT NULL,
        currency text NOT NULL,
        difference text NOT NULL DEFAULT '',
        unexplained_minor_units bigint NOT NULL DEFAULT 0,
        corrections integer NOT NULL DEFAULT 0,
        compared_at timestamptz NOT NULL,
        CONSTRAINT pk_payout_lines PRIMARY KEY (organization_id, payout_id, position),
        CONSTRAINT fk_payout_lines_payouts FOREIGN KEY (organization_id, payout_id)
            REFERENCES payouts (organization_id, payout_id)
    )
    """,
    "CREATE INDEX ix_payout_lines_payment ON payout_lines (organization_id, payment_id)",
    (
        "CREATE INDEX ix_payout_lines_difference ON payout_lines (organization_id, compared_at)"
        " WHERE difference <> ''"
    ),
)


def upgrade() -> None:
    for statement in (*_MATCHES, *_PAYOUTS):
        op.execute(statement)
    tables = ("match_rules", "bank_matches", "payouts", "payout_lines")
    migrations.create_tenant_policies(op, *tables)
    migrations.grant_app(op, "match_rules")
    migrations.grant_app(op, "bank_matches", "payouts", "payout_lines", privileges="SELECT, INSERT, UPDATE")
