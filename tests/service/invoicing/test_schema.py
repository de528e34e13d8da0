"""The migrated database is what the tables say, and keeps organizations apart."""

import psycopg

from chassis.migrations import schema_differences
from services.invoicing.tables import SWEEP_TABLES, TENANT_TABLES
from tests.support.database import DatabaseUrls

POLICIES = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,
           array(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY 1) AS policies
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r'
"""


async def test_migrations_make_what_the_tables_say(invoicing_urls: DatabaseUrls) -> None:
    import asyncio

    differences = await asyncio.to_thread(
        schema_differences, invoicing_urls.owner, "services.invoicing", app_role="invoicing_app"
    )
    assert differences == []


async def test_every_business_table_is_behind_its_policy(invoicing_urls: DatabaseUrls) -> None:
    async with await psycopg.AsyncConnection.connect(invoicing_urls.superuser) as connection:
        rows = await (await connection.execute(POLICIES)).fetchall()
    found = {name: (forced, policies) for name, forced, policies in rows}
    for table in TENANT_TABLES:
        wanted = ["sweep", "tenant"] if table in SWEEP_TABLES else ["tenant"]
        assert found[table] == (True, wanted), table
