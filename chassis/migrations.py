"""What migrations share: roles and row-level security, and running Alembic as the owner, one at a time.

A service's folder `migrations/versions/` holds just its versions:

    from alembic import op
    from chassis import migrations

    def upgrade() -> None:
        migrations.create_transport_tables(op)
        op.create_table("invoices", ...)
        migrations.create_tenant_policies(op, "invoices", "reservations", sweep=("reservations",))
        migrations.grant_app(op, "invoices", "reservations")

Helpers that made tables must never change what an applied version made: a change is a new helper.
"""

import asyncio
import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData, create_engine, text
from sqlalchemy.pool import NullPool

from chassis.transport_schema import (
    AUDIT,
    BOOKS,
    CLOCKS,
    IMMUTABLE,
    LEDGER,
    LEDGER_BY_STATEMENT,
    ORGANIZATION_DOMAIN,
    PERIOD_LOCKS,
    TRANSPORT,
)

if TYPE_CHECKING:
    from chassis.settings import BaseServiceSettings

LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "60s"
_ADVISORY_LOCK = 0x7461_6C6C_7970_6D69  # "tallypmi"

Op = Operations | ModuleType
"""Alembic's `op` as versions know it."""


def create_transport_tables(op: Op) -> None:
    """Make outbox, inbox, dead letters, relay state, idempotency keys and audit log, with their rights."""
    for statement in (*ORGANIZATION_DOMAIN, *IMMUTABLE, *TRANSPORT, *AUDIT):
        op.execute(statement)
    create_tenant_policies(op, "idempotency_keys", "audit_log", "audit_heads")
    refuse_changes(op, "audit_log")
    grant_app(op, "outbox", "outbox_counters", "relay_state", privileges="SELECT, INSERT, UPDATE")
    grant_app(op, "inbox", "inbox_positions", "dead_letters", "idempotency_keys")
    grant_app(op, "audit_log", privileges="SELECT, INSERT")
    grant_app(op, "audit_heads", privileges="SELECT, INSERT, UPDATE")


def create_ledger(op: Op) -> None:
    """Make the double-entry ledger: unbalanced entries are refused at COMMIT, changes always."""
    for statement in LEDGER:
        op.execute(statement)
    create_tenant_policies(op, "ledger_entries", "ledger_lines")
    refuse_changes(op, "ledger_entries", "ledger_lines")
    grant_app(op, "ledger_entries", "ledger_lines", privileges="SELECT, INSERT")


def create_books_state(op: Op, *guarded: str) -> None:
    """Make `books_state`; the guarded tables then refuse new rows of an organization that is frozen (TPF01)."""
    for statement in BOOKS:
        op.execute(statement)
    create_tenant_policies(op, "books_state", sweep=("books_state",))
    grant_app(op, "books_state", privileges="SELECT, INSERT, UPDATE")
    refuse_when_frozen(op, *guarded)


def refuse_when_frozen(op: Op, *guarded: str) -> None:
    """Let more tables refuse new rows of an organization that is frozen."""
    for table in guarded:
        op.execute(
            f"CREATE TRIGGER refuse_when_frozen BEFORE INSERT ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_when_frozen()"
        )


def create_period_locks(op: Op) -> None:
    """Make `period_locks`: what is booked into a locked period counts from the first moment after it."""
    for statement in PERIOD_LOCKS:
        op.execute(statement)
    create_tenant_policies(op, "period_locks")
    grant_app(op, "period_locks", privileges="SELECT, INSERT")


def check_ledger_by_statement(op: Op) -> None:
    """Check balances once for each INSERT of lines, which must then hold all lines of its entries."""
    for statement in LEDGER_BY_STATEMENT:
        op.execute(statement)


def create_tenant_policies(op: Op, *tables: str, sweep: Sequence[str] = ()) -> None:
    """Row-level security for business tables, binding the owner too. Raises there if no organization is set.

    Tables in `sweep` (a part of `tables`) can also be searched across organizations by `Database.sweep()`.
    """
    unknown = set(sweep) - set(tables)
    if unknown:
        raise ValueError(f"sweep tables that are not in the list: {sorted(unknown)}")
    mine = "organization_id = current_setting('app.organization_id')::organization_setting"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")
    for table in sweep:
        op.execute(
            f"CREATE POLICY sweep ON {table} FOR SELECT USING (current_setting('app.sweep', true) = 'on')"
        )
        _leave_out_clocked(op, f"= '{table}'")


def create_organization_clocks(op: Op) -> None:
    """Make `organization_clocks`; sweeps of jobs then leave out who has a clock (chassis.turns)."""
    for statement in CLOCKS:
        op.execute(statement)
    create_tenant_policies(op, "organization_clocks")
    op.execute(
        "CREATE POLICY sweep ON organization_clocks FOR SELECT USING (current_setting('app.sweep', true) <> 'off')"
    )
    grant_app(op, "organization_clocks")
    _leave_out_clocked(op, "<> 'organization_clocks'")


def _leave_out_clocked(op: Op, tables: str) -> None:
    """Let sweep policies know of test clocks; before the version that makes those there is nothing to do."""
    op.execute(f"""
        DO $do$
        DECLARE swept name;
        BEGIN
            IF to_regproc('follows_machine_time') IS NULL THEN RETURN; END IF;
            FOR swept IN SELECT tablename FROM pg_policies
                WHERE schemaname = 'public' AND policyname = 'sweep' AND tablename {tables}
            LOOP
                EXECUTE format($sql$ALTER POLICY sweep ON %I USING (
                    current_setting('app.sweep', true) = 'on'
                    OR (current_setting('app.sweep', true) = 'unclocked' AND follows_machine_time(organization_id))
                )$sql$, swept);
            END LOOP;
        END $do$
    """)  # noqa: S608


def refuse_changes(op: Op, *tables: str) -> None:
    """Make tables append-only for everybody: UPDATE, DELETE and TRUNCATE raise."""
    for table in tables:
        op.execute(
            f"CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def grant_app(op: Op, *tables: str, privileges: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Give the service's app role rights on tables; append-only ones get "SELECT, INSERT"."""
    op.execute(f'GRANT {privileges} ON {", ".join(tables)} TO "{app_role(op)}"')


def app_role(op: Op) -> str:
    """The app role of the service being migrated."""
    config = op.get_context().config
    if config is None:
        raise RuntimeError("migrations run through chassis.migrations")
    role: str = config.attributes["app_role"]
    return role


async def run_migrations(settings: "BaseServiceSettings", service: str) -> None:
    """The `migrate` command: upgrade the service's database to its newest version. Safe to repeat."""
    owner_url = settings.required("migration_database_url")
    role = (urlsplit(settings.database_url).username if settings.database_url else None) or f"{service}_app"
    await migrate(owner_url, f"services.{service}", app_role=role)


async def migrate(owner_url: str, package: str, *, app_role: str) -> None:
    """Upgrade to head as the owner role under an advisory lock: concurrent runs wait and find it done."""
    await asyncio.to_thread(_with_connection, owner_url, package, app_role, _upgrade)


def schema_differences(owner_url: str, package: str, *, app_role: str) -> list[Any]:
    """What `<package>.tables.metadata` says and the migrated database does not; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    found: list[Any] = []

    def compare(config: Config, connection: Connection) -> None:
        metadata: MetaData = importlib.import_module(f"{package}.tables").metadata
        options = {"include_name": lambda name, kind, _: (kind, name) != ("table", "alembic_version")}
        found.extend(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    _with_connection(owner_url, package, app_role, compare)
    return found


def alembic_config(package: str, *, app_role: str, versions: Path | None = None) -> Config:
    """Alembic's settings for a service; also for making a new version by `alembic.command.revision`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migration_environment"))
    config.set_main_option("version_locations", str(versions or _versions_of(package)))
    config.set_main_option("path_separator", "os")
    config.attributes["app_role"] = app_role
    return config


def _with_connection(owner_url: str, package: str, app_role: str, work: Any) -> None:
    url = "postgresql+psycopg://" + owner_url.partition("://")[2]
    config = alembic_config(package, app_role=app_role)
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
            connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
            connection.commit()
            work(config, connection)
    finally:
        engine.dispose()


def _upgrade(config: Config, connection: Connection) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _versions_of(package: str) -> Path:
    module = importlib.import_module(package)
    if module.__file__ is None:
        raise ValueError(f"{package} has no folder")
    return Path(module.__file__).parent / "migrations" / "versions"
