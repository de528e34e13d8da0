"""The baselines keep up with the services' tables."""

from bench import ledgers
from bench.pgbench import FINALIZING, SERVICES, Baseline
from devstack.postgres import Postgres

ROWS = {
    "payments": {
        "audit_log": 1,
        "guarded_payments": 1,
        "idempotency_keys": 1,
        "ledger_entries": 1,
        "ledger_lines": 2,
        "outbox": 1,
        "payment_attempts": 1,
        "payment_parts": 1,
        "payments": 1,
        "receipts": 1,
    },
    "invoicing": {
        "allocations": 1,
        "audit_log": 3,
        "inbox": 1,
        "inbox_positions": 1,
        "ledger_entries": 1,
        "ledger_lines": 2,
        "outbox": 2,
        "payment_applications": 1,
        "reservations": 1,
    },
}

ROWS_OF_FINALIZING = {
    "audit_log": 1,
    "idempotency_keys": 1,
    "ledger_entries": 1,
    "ledger_lines": 2,
    "outbox": 1,
}


async def test_pgbench_writes_the_rows_of_a_payment_and_goes_on_where_it_ended(postgres: Postgres) -> None:
    for service in SERVICES:
        await postgres.ensure_service(service)  # the migrations grant rights to its roles
    baseline = Baseline(postgres.admin_url)
    await baseline.prepare()
    try:
        before = {name: await ledgers.count_rows(baseline.url, name) for name in SERVICES}
        runs = [await baseline.run(seconds=1), await baseline.run(seconds=1)]
        payments = sum(run.transactions for run in runs)
        grown = {
            name: ledgers.rows_per_payment(
                before[name], await ledgers.count_rows(baseline.url, name), payments
            )
            for name in SERVICES
        }
        assert grown == ROWS
        assert all(run.p99_milliseconds > 0 for run in runs)
    finally:
        await postgres.drop_database(baseline.url.rpartition("/")[2])


async def test_pgbench_writes_the_rows_of_a_final_invoice(postgres: Postgres) -> None:
    await postgres.ensure_service("invoicing")
    baseline = Baseline(postgres.admin_url, FINALIZING)
    await baseline.prepare()
    try:
        before = await ledgers.count_rows(baseline.url, "invoicing")
        run = await baseline.run(seconds=1)
        grown = ledgers.rows_per_payment(
            before, await ledgers.count_rows(baseline.url, "invoicing"), run.transactions
        )
        assert grown == ROWS_OF_FINALIZING
    finally:
        await postgres.drop_database(baseline.url.rpartition("/")[2])
