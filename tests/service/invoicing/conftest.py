"""Invoicing on a real database: an office of one organization, whose clock stands still until it is turned."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest_asyncio

from chassis.clock import FrozenClock
from chassis.database import Database
from tests.service.invoicing.office import Office
from tests.support.database import Databases, DatabaseUrls


@pytest_asyncio.fixture(scope="session")
async def invoicing_urls(databases: Databases) -> AsyncIterator[DatabaseUrls]:
    """One database for all of these tests: each test has an organization of its own in it."""
    urls = await databases.create("invoicing")
    yield urls
    await databases.drop(urls)


@pytest_asyncio.fixture
async def db(invoicing_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """The service's database as its app role."""
    clock = FrozenClock(datetime(2026, 11, 21, 15, 0, tzinfo=UTC))
    database = Database(invoicing_urls.app, pool_size=8, name="invoicing", clock=clock)
    await database.open()
    yield database
    await database.close()


@pytest_asyncio.fixture
async def office(db: Database) -> Office:
    """A new organization in New York that invoices in dollars."""
    return await Office.opened(db)


@pytest_asyncio.fixture
async def other_office(db: Database) -> Office:
    """Somebody else's organization in the same database."""
    return await Office.opened(db)
