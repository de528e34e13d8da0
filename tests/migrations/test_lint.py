"""Migrations that lock or break a running database are found before they run anywhere."""

from pathlib import Path

import pytest

from devstack import migrations_lint

FIRST = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    op.create_table("boats", sa.Column("boat_id", sa.Text(), primary_key=True))
    op.create_index("ix_boats_new", "boats", ["boat_id"])
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
{body}
"""
BAD = {
    "adding-required-field": 'op.add_column("boats", sa.Column("name", sa.Text(), nullable=False))',
    "require-concurrent-index-creation": 'op.create_index("ix_boats_id", "boats", ["boat_id"])',
    "constraint-missing-not-valid": 'op.create_check_constraint("ck_boats", "boats", "boat_id > \'\'")',
    "ban-drop-column": 'op.drop_column("boats", "boat_id")',
    "renaming-table": 'op.rename_table("boats", "ships")',
}
CONCURRENTLY = """
    with op.get_context().autocommit_block():
        op.create_index("ix_boats", "boats", ["boat_id"], postgresql_concurrently=True, if_not_exists=True)
"""
GOOD = ('op.add_column("boats", sa.Column("name", sa.Text()))', CONCURRENTLY)


def lint(folder: Path, body: str) -> list[str]:
    (folder / "0001_boats.py").write_text(FIRST)
    (folder / "0002_change.py").write_text(SECOND.format(body=f"    {body.strip()}"))
    return migrations_lint.lint(migrations_lint.rendered(folder, app_role="boats_app"))


@pytest.mark.parametrize(("rule", "body"), BAD.items())
def test_a_bad_change_of_a_table_in_use_is_found(tmp_path: Path, rule: str, body: str) -> None:
    found = lint(tmp_path, body)
    assert any(finding.startswith(f"0002_change.py: {rule}: ") for finding in found)
    assert not any(finding.startswith("0001") for finding in found)


@pytest.mark.parametrize("body", GOOD)
def test_a_change_that_holds_nobody_up_passes(tmp_path: Path, body: str) -> None:
    assert lint(tmp_path, body) == []


def test_the_migrations_of_all_services_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert migrations_lint.main() == 0
    assert "4 services, nothing found" in capsys.readouterr().out
