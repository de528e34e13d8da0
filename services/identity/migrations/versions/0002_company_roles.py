"""Roles for people of paying companies: approvers and those who set the company's rules."""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # the wider rule comes at once, in the same transaction
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE people DROP CONSTRAINT ck_people_role")
    op.execute(
        "ALTER TABLE people ADD CONSTRAINT ck_people_role CHECK (role IN "
        "('owner', 'accountant', 'auditor', 'payer', 'viewer', 'approver', 'company_admin')) NOT VALID"
    )
