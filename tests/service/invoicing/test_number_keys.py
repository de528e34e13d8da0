"""The migration that keys numbers does so for all organizations, though its role is bound by their policies."""

import asyncio

import psycopg
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from chassis.migrations import alembic_config
from tests.support.database import Databases

INVOICE = """
    INSERT INTO invoices (
        organization_id, invoice_id, customer_id, status, number, currency, invoice_date, due_date,
        subtotal_minor_units, tax_minor_units, total_minor_units, paid_minor_units, reserved_minor_units,
        customer_name, customer_address_lines, customer_country, customer_tax_id, purchase_order_number, memo,
        disputed, version, event_version, created_at
    )
    SELECT organization_id, 'inv_1', 'cus_1', 'open', number, 'USD', '2026-11-01', '2026-12-01',
        1, 0, 1, 0, 0, 'Blue Anchor', '{}', 'US', '', '', '', false, 1, 1, now()
    FROM (VALUES ('org_1', 'inv-2026/17'), ('org_2', 'Re. 4')) AS new (organization_id, number)
"""
FORCED = "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'invoices'::regclass"


async def test_numbers_that_were_there_before_are_found_as_well(databases: Databases) -> None:
    urls = await databases.create("invoicing")
    try:
        async with await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute(INVOICE)
            await connection.execute("DROP INDEX ix_invoices_number_key")
            await connection.execute("UPDATE alembic_version SET version_num = '0002'")
            await asyncio.to_thread(_upgrade, urls.owner)
            rows = await (await connection.execute("SELECT number_key FROM invoices ORDER BY 1")).fetchall()
            forced = await (await connection.execute(FORCED)).fetchone()
        assert [key for (key,) in rows] == ["INV202617", "RE4"]
        assert forced == (True,)
    finally:
        await databases.drop(urls)


def _upgrade(owner_url: str) -> None:
    config = alembic_config("services.invoicing", app_role="invoicing_app")
    engine = create_engine("postgresql+psycopg://" + owner_url.partition("://")[2], poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    engine.dispose()
