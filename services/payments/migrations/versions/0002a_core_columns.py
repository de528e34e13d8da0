"""Credit, surcharges, schedules and reversals on payments; policies. What takes long follows in 0002."""

from collections.abc import Sequence

from alembic import op

from chassis import migrations

revision: str = "0002a"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATUSES = (
    "IN ('awaiting_approval', 'scheduled', 'submitting', 'unknown', 'requires_action', 'processing', 'review',"
    " 'canceled', 'failed', 'succeeded')"
)
_SUMS = (
    "credit_used_minor_units",
    "surcharge_minor_units",
    "prepayment_minor_units",
    "refunded_minor_units",
    "disputed_minor_units",
)
_TEXTS = ("return_code", "payment_method_id", "saved_payment_method_id", "on_behalf_of", "source")

_COLUMNS = (
    *(f"ALTER TABLE payments ADD COLUMN {name} bigint NOT NULL DEFAULT 0" for name in _SUMS),
    *(f"ALTER TABLE payments ADD COLUMN {name} text NOT NULL DEFAULT ''" for name in _TEXTS),
    "ALTER TABLE payments ADD COLUMN returned_at timestamptz",
    "ALTER TABLE payments ADD COLUMN scheduled_for date",
    "ALTER TABLE payments ADD COLUMN starts_at timestamptz",
    "ALTER TABLE payments ADD COLUMN expected_on date",
    "ALTER TABLE payments ADD COLUMN save_method boolean NOT NULL DEFAULT false",
    "ALTER TABLE payment_parts ADD COLUMN expected_version bigint NOT NULL DEFAULT 0",
    "ALTER TABLE payment_attempts ADD COLUMN kind text NOT NULL DEFAULT 'card'",
    "ALTER TABLE payment_attempts ADD COLUMN wallet text NOT NULL DEFAULT ''",
    "ALTER TABLE payment_attempts ADD COLUMN method_token text NOT NULL DEFAULT ''",
    "ALTER TABLE payment_attempts ADD COLUMN customer_token text NOT NULL DEFAULT ''",
    "ALTER TABLE payment_attempts ADD COLUMN save_method boolean NOT NULL DEFAULT false",
    "ALTER TABLE payment_attempts ADD COLUMN off_session boolean NOT NULL DEFAULT false",
)

# Each wider than the one before, under the same name: rows that are there already fit.
_RULES = {
    "ck_payments_status": f"status {_STATUSES}",
    "ck_payments_amount": "amount_minor_units >= 0",
}
_NEW_RULES = {
    "ck_payments_sums": (
        "credit_used_minor_units >= 0 AND prepayment_minor_units >= 0 AND refunded_minor_units >= 0"
        " AND disputed_minor_units >= 0 AND refunded_minor_units <= amount_minor_units"
    ),
}

_POLICIES = (
    """
    CREATE TABLE payment_policies (
        organization_id text NOT NULL,
        policy jsonb NOT NULL,
        version bigint NOT NULL,
        changed_at timestamptz NOT NULL,
        CONSTRAINT pk_payment_policies PRIMARY KEY (organization_id)
    )
    """,
    """
    CREATE TABLE customer_segments (
        organization_id text NOT NULL,
        customer_id text NOT NULL,
        segment text NOT NULL,
        CONSTRAINT pk_customer_segments PRIMARY KEY (organization_id, customer_id)
    )
    """,
)


def upgrade() -> None:
    for statement in (*_COLUMNS, *_POLICIES):
        op.execute(statement)
    for name in _RULES:
        # squawk-ignore stands in the SQL: the wider rule comes at once, in the same transaction
        op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE payments DROP CONSTRAINT {name}")
    for name, rule in (_RULES | _NEW_RULES).items():
        op.execute(f"ALTER TABLE payments ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID")
    migrations.create_tenant_policies(op, "payment_policies", "customer_segments")
    migrations.grant_app(op, "payment_policies", privileges="SELECT, INSERT, UPDATE")
    migrations.grant_app(op, "customer_segments")
    migrations.grant_app(
        op, "payment_parts", privileges="DELETE"
    )  # what is paid before its day leaves a schedule
    op.execute("CREATE POLICY sweep ON payments FOR SELECT USING (current_setting('app.sweep', true) = 'on')")
