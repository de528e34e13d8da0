"""The baselines: pgbench with the rows that the services write, on the same server, without any service.

The tables are made by the services' own migrations, in two schemas of one database, so that a payment can be one
transaction. pgbench logs in as superuser: row-level security, which the services live with, costs it nothing.
"""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from bench.results import NothingPrintedError, percentile
from bench.seed import CUSTOMERS_PER_ORGANIZATION, INVOICES, ORGANIZATIONS
from chassis.migrations import migrate
from devstack.postgres import binaries

CLIENTS = 8
CLIENTS_IN_FLIGHT = 64
"""As many as the services' own callers, for comparing how long the slowest wait."""
THREADS = 2
SERVICES = ("payments", "invoicing")
DESCRIPTION = f"pgbench, the same rows in one transaction, {CLIENTS} clients"
_RUN_SECONDS = 60.0
_COUNT = re.compile(r"number of transactions actually processed: (\d+)")
_RATE = re.compile(r"tps = ([\d.]+)")
_FAILED = re.compile(r"number of failed transactions: (\d+)")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of pgbench did."""

    transactions: int
    per_second: float
    p99_milliseconds: float


@dataclass(frozen=True, slots=True)
class Script:
    """What a transaction does. It writes its number as an event's place in the outbox of `service`."""

    name: str
    service: str
    schemas: Sequence[str]
    prepare: str = ""

    @property
    def file(self) -> Path:
        return Path(__file__).with_name("sql") / f"{self.name}.sql"


PAYMENT = Script("payment", "payments", SERVICES)
FINALIZING = Script(
    "finalizing", "invoicing", ["invoicing"], "UPDATE invoicing.invoices SET status = 'draft', number = NULL"
)


class Baseline:
    """Its database on the stack's server; runs go on where the last one ended, so no invoice is taken twice."""

    def __init__(self, admin_url: str, script: Script = PAYMENT) -> None:
        self._admin_url = admin_url
        self._script = script
        self._database = f"bench_{script.name}"
        self._url = admin_url.rpartition("/")[0] + f"/{self._database}"
        self._next = 0

    @property
    def url(self) -> str:
        return self._url

    async def prepare(self) -> None:
        """Make the database, the tables and the open invoices."""
        async with await psycopg.AsyncConnection.connect(self._admin_url, autocommit=True) as admin:
            await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._database)))
        for service in self._script.schemas:
            async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as database:
                await database.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(service)))
            inside = f"{self._url}?options=-csearch_path%3D{service}"
            await migrate(inside, f"services.{service}", app_role=f"{service}_app")
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as database:
            for service in self._script.schemas:
                await _qualify_functions(database, service)
            size = {
                "organizations": ORGANIZATIONS,
                "customers": CUSTOMERS_PER_ORGANIZATION,
                "invoices": INVOICES,
            }
            await database.execute(_CUSTOMERS, size)
            await database.execute(_INVOICES, size)
            if self._script.prepare:
                await database.execute(self._script.prepare.encode())
            await database.execute("VACUUM ANALYZE")

    async def run(self, *, seconds: float, clients: int = CLIENTS) -> Run:
        """Raises NothingPrintedError when a transaction failed."""
        folder = Path(tempfile.mkdtemp(prefix="tallyport-pgbench-"))
        try:
            text, status = await self._pgbench(clients, seconds, folder)
            latencies = [
                int(line.split()[2]) / 1000
                for log in folder.glob("pgbench_log*")
                for line in log.read_text().splitlines()
            ]
        finally:
            shutil.rmtree(folder)
        count, rate, failed = (pattern.search(text) for pattern in (_COUNT, _RATE, _FAILED))
        if status or count is None or rate is None or failed is None or int(failed[1]) or not int(count[1]):
            raise NothingPrintedError(f"pgbench failed:\n{text[-2000:]}")
        self._next = await self._first_unused()
        return Run(int(count[1]), float(rate[1]), percentile(latencies, 99))

    async def _first_unused(self) -> int:
        """The script writes its number as the event's place in the stream."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as database:
            outbox = sql.Identifier(self._script.service, "outbox")
            row = await (
                await database.execute(sql.SQL("SELECT max(puback_seq) FROM {}").format(outbox))
            ).fetchone()
        assert row is not None
        return int(row[0]) + 1

    async def _pgbench(self, clients: int, seconds: float, folder: Path) -> tuple[str, int]:
        variables = {
            "start": self._next, "k": 0, "clients": clients, "invoices": INVOICES, "organizations": ORGANIZATIONS,
        }  # fmt: skip
        arguments = [
            "-n",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            str(THREADS),
            "-T",
            str(max(1, round(seconds))),
        ]
        arguments += [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
        arguments += [
            "-l",
            "--log-prefix",
            str(folder / "pgbench_log"),
            "-f",
            str(self._script.file),
            self._url,
        ]
        process = await asyncio.create_subprocess_exec(
            binaries() / "pgbench", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"LC_ALL": "C"},
        )  # fmt: skip
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds + _RUN_SECONDS)
        except BaseException:
            process.kill()
            raise
        return output.decode(errors="replace"), process.returncode or 0


async def _qualify_functions(database: psycopg.AsyncConnection, schema: str) -> None:
    """Triggers name their tables without a schema; here two schemas have some of the same name."""
    tables = await (await database.execute(_TABLES, [schema])).fetchall()
    names = "|".join(re.escape(name) for (name,) in tables)
    for (definition,) in await (await database.execute(_FUNCTIONS, [schema])).fetchall():
        qualified = re.sub(rf"\b(FROM|JOIN) ({names})\b", rf"\1 {schema}.\2", definition)
        await database.execute(qualified.encode())


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
_FUNCTIONS = """
    SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
    WHERE p.pronamespace = %s::regnamespace AND l.lanname = 'plpgsql'
"""
_CUSTOMERS = """
    INSERT INTO invoicing.customers (
        organization_id, customer_id, name, email, currency, locale, address_lines, country, tax_id,
        payment_terms_days, version, created_at
    )
    SELECT 'org_' || lpad(o::text, 26, '0'), 'cus_' || lpad(c::text, 26, '0'), 'Customer ' || c,
           'customer-' || c || '@bench.example', 'USD', 'en-US', ARRAY['1 Quay Street', 'Portsmouth'], 'US', '',
           30, 1, now()
    FROM generate_series(1, %(organizations)s) AS o, generate_series(0, %(customers)s - 1) AS c
"""
_INVOICES = """
    INSERT INTO invoicing.invoices (
        organization_id, invoice_id, customer_id, status, number, currency, invoice_date, due_date,
        subtotal_minor_units, tax_minor_units, total_minor_units, paid_minor_units, reserved_minor_units,
        customer_name, customer_address_lines, customer_country, customer_tax_id, purchase_order_number,
        memo, disputed, version, event_version, created_at, finalized_at
    )
    SELECT 'org_' || lpad((i %% %(organizations)s + 1)::text, 26, '0'), 'inv_' || lpad(i::text, 26, '0'),
           'cus_' || lpad((i %% %(customers)s)::text, 26, '0'), 'open', 'INV-' || lpad(i::text, 6, '0'), 'USD',
           current_date, current_date + 30, 1000 + i %% 9000, 0, 1000 + i %% 9000, 0, 0, 'Customer',
           ARRAY['1 Quay Street', 'Portsmouth'], 'US', '', '', '', false, 1, 0, now(), now()
    FROM generate_series(1, %(invoices)s) AS i
"""
