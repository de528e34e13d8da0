"""Finds migrations that would lock or break a running database: `python -m devstack.migrations_lint`.

Each version is rendered as the SQL that Alembic would run and given to squawk by itself, so that a table made by an
earlier version counts as one with rows and readers. `.squawk.toml` says which rules do not hold here, and why.
"""

import io
import json
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory

from chassis.migrations import LOCK_TIMEOUT, STATEMENT_TIMEOUT, alembic_config
from devstack.layout import REPOSITORY
from devstack.ports import SERVICES

_CONFIG_FILE = REPOSITORY / ".squawk.toml"
_FIRST_LINES = f"SET lock_timeout = '{LOCK_TIMEOUT}';\nSET statement_timeout = '{STATEMENT_TIMEOUT}';\n"
"""As chassis.migrations sets them on its connection."""


def rendered(versions: Path, *, app_role: str) -> dict[Path, str]:
    """The SQL of each version in a folder by its file, from the first to the newest."""
    config = alembic_config("", app_role=app_role, versions=versions)
    config.set_main_option("sqlalchemy.url", "postgresql+psycopg://")
    revisions = reversed(list(ScriptDirectory.from_config(config).walk_revisions()))
    return {Path(one.path): _sql(versions, app_role, one.down_revision, one.revision) for one in revisions}


def lint(sql: Mapping[Path, str]) -> list[str]:
    """What squawk finds in the SQL, a line each: the file it came from, the rule, the statement's line, why."""
    with tempfile.TemporaryDirectory(prefix="tallyport-migrations-") as folder:
        files = {f"{number}.sql": path for number, path in enumerate(sql)}
        for name, path in files.items():
            (Path(folder) / name).write_text(sql[path])
        squawk = str(Path(sysconfig.get_path("scripts")) / "squawk")
        done = subprocess.run(
            [squawk, "--config", str(_CONFIG_FILE), "--reporter", "json", *files],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    found = json.loads(done.stdout) if done.stdout.strip() else []
    if done.returncode and not found:
        raise RuntimeError(f"squawk failed: {done.stderr}")
    return [_line(one, files[one["file"]], sql[files[one["file"]]]) for one in found]


def main(services: Sequence[str] = SERVICES) -> int:
    """Lint all services; 1 when something was found."""
    sql: dict[Path, str] = {}
    for service in services:
        versions = REPOSITORY / "services" / service / "migrations" / "versions"
        sql |= rendered(versions, app_role=f"{service}_app")
    findings = lint(sql)
    if findings:
        print("\n".join(findings), file=sys.stderr)
        return 1
    print(f"Migrations: {len(sql)} versions of {len(services)} services, nothing found.")
    return 0


def _line(finding: Mapping[str, Any], path: Path, sql: str) -> str:
    where = path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path.name
    statement = sql.splitlines()[finding["line"]].strip()
    return f"{where}: {finding['rule_name']}: {statement}\n    {finding['message']}"


def _sql(versions: Path, app_role: str, down_revision: object, revision: str) -> str:
    config = alembic_config("", app_role=app_role, versions=versions)
    config.set_main_option("sqlalchemy.url", "postgresql+psycopg://")
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{down_revision or 'base'}:{revision}", sql=True)
    text = config.output_buffer.getvalue()
    before, marker, own = text.partition("-- Running upgrade")
    if "CREATE TABLE alembic_version" in before:  # Alembic's own, which is not ours to lint
        before = "BEGIN;\n\n"
    return _FIRST_LINES + before + marker + own


if __name__ == "__main__":
    sys.exit(main())
