"""A database of the sample service for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from chassis.database import Database
from tests.support.database import Databases, DatabaseUrls

SAMPLE = "tests.service.chassis.sample"
ACME, BETA = "org_acme", "org_beta"


@pytest_asyncio.fixture
async def sample(databases: Databases) -> AsyncIterator[tuple[Database, DatabaseUrls]]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(databases.fresh("sample", package=SAMPLE, pool_size=16))


@pytest_asyncio.fixture
async def db(sample: tuple[Database, DatabaseUrls]) -> Database:
    return sample[0]


@pytest_asyncio.fixture
async def urls(sample: tuple[Database, DatabaseUrls]) -> DatabaseUrls:
    return sample[1]
