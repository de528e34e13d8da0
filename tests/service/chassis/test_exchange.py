"""What goes to PostgreSQL in one round trip comes back as it would have, statement by statement."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Executable, literal, select, text
from sqlalchemy.exc import DBAPIError

from chassis.database import Database
from chassis.exchange import KEPT_AFTER, exchange
from tests.service.chassis.conftest import ACME
from tests.support.database import DatabaseUrls

_TEXTS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8), max_size=4
)
_WORDS = text("SELECT CAST(:words AS text[])")
_ODD = ['"', "\\", "{}", "NULL", "", " ", ",", 'a"b\\c', "é\n\t"]


@pytest.fixture
async def driver(urls: DatabaseUrls) -> AsyncIterator[psycopg.AsyncConnection]:
    connection = await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True)
    try:
        yield connection
    finally:
        await connection.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=_TEXTS | st.permutations(_ODD))
async def test_a_list_of_texts_arrives_as_it_is(driver: psycopg.AsyncConnection, texts: list[str]) -> None:
    (answer,) = await exchange(driver, [("SELECT CAST(%(texts)s AS text[]) AS found", {"texts": texts})])
    assert answer.names == ("found",)
    assert answer.rows() == [(texts,)]


async def test_each_statement_has_its_own_answer(driver: psycopg.AsyncConnection) -> None:
    answers = await exchange(
        driver,
        [
            ("CREATE TEMPORARY TABLE kept (number integer, word text)", {}),
            ("INSERT INTO kept VALUES (%(number)s, %(word)s), (2, '100%%')", {"number": 1, "word": "one"}),
            (
                "SELECT number, word FROM kept WHERE number >= %(number)s OR number = %(number)s ORDER BY 1",
                {"number": 1},
            ),
            ("UPDATE kept SET word = NULL WHERE number = %(number)s", {"number": 9}),
        ],
    )
    assert [answer.rowcount for answer in answers] == [-1, 2, 2, 0]
    assert answers[2].rows() == [(1, "one"), (2, "100%")]


async def test_the_first_failure_is_told_and_nothing_is_run_after_it(driver: psycopg.AsyncConnection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        await exchange(
            driver,
            [("SELECT 1", {}), ("SELECT 1 / %(zero)s", {"zero": 0}), ("CREATE TEMPORARY TABLE late ()", {})],
        )
    (answer,) = await exchange(driver, [("SELECT to_regclass('late')", {})])
    assert answer.rows() == [(None,)]


async def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    driver: psycopg.AsyncConnection,
) -> None:
    with pytest.raises(psycopg.DataError):
        await exchange(
            driver, [("CREATE TEMPORARY TABLE early ()", {}), ("SELECT %(word)s", {"word": "a\0b"})]
        )
    (answer,) = await exchange(driver, [("SELECT to_regclass('early')", {})])
    assert answer.rows() == [(None,)]


async def test_a_statement_that_is_used_often_is_kept_even_if_it_fails_now_and_then(
    driver: psycopg.AsyncConnection,
) -> None:
    for divisor in [1] * (KEPT_AFTER - 2) + [0, 0, 2, 0, 2]:
        statement = ("SELECT 10 / %(divisor)s, %(divisor)s", {"divisor": divisor})
        if divisor:
            first, second = await exchange(driver, [statement, statement])
            assert first.rows() == second.rows() == [(10 // divisor, divisor)]
        else:
            with pytest.raises(psycopg.errors.DivisionByZero):
                await exchange(driver, [statement, statement])
    (kept,) = await exchange(
        driver, [("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 10 /%%'", {})]
    )
    assert kept.rows()[0][0] in (1, 2)


async def test_a_round_trip_that_is_cancelled_leaves_a_connection_that_works_or_is_closed(
    driver: psycopg.AsyncConnection,
) -> None:
    asked = asyncio.create_task(
        exchange(driver, [("SELECT 1", {}), ("SELECT pg_sleep(60)", {}), ("SELECT 2", {})])
    )
    await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not driver.closed
    (answer,) = await exchange(driver, [("SELECT 3", {})])
    assert answer.rows() == [(3,)]


async def test_kept_statements_outlive_a_rollback(db: Database) -> None:
    async def fail(statement: Executable) -> None:
        async with db.write(ACME) as tx:
            await tx.execute(statement)
            await tx.execute(_WORDS, {"words": ["a"]})
            raise LookupError

    for _ in range(2 * KEPT_AFTER):
        for statement in (select(literal(1)), text("SELECT 1")):
            with pytest.raises(LookupError):
                await fail(statement)
    async with db.read(ACME) as tx:
        kept = (await tx.execute(text("SELECT count(*) FROM pg_prepared_statements"))).scalar_one()
    assert kept >= 3


async def test_a_plan_that_does_not_fit_a_changed_table_is_not_kept_for_ever(
    driver: psycopg.AsyncConnection,
) -> None:
    await exchange(driver, [("CREATE TEMPORARY TABLE changing (one integer)", {})])
    for _ in range(KEPT_AFTER):
        await exchange(driver, [("SELECT * FROM changing", {})])
    await exchange(driver, [("ALTER TABLE changing ADD COLUMN two integer", {})])
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        await exchange(driver, [("SELECT * FROM changing", {})])
    assert driver.closed


async def test_what_fails_at_the_very_end_is_told(driver: psycopg.AsyncConnection) -> None:
    table = "CREATE TEMPORARY TABLE once (number integer UNIQUE DEFERRABLE INITIALLY DEFERRED)"
    await exchange(driver, [(table, {})])
    with pytest.raises(psycopg.errors.UniqueViolation):
        await exchange(driver, [("INSERT INTO once VALUES (1)", {}), ("INSERT INTO once VALUES (1)", {})])


async def test_a_statement_that_always_fails_is_kept_once(driver: psycopg.AsyncConnection) -> None:
    for _ in range(4 * KEPT_AFTER):
        with pytest.raises(psycopg.errors.DivisionByZero):
            await exchange(driver, [("SELECT 7 / %(zero)s", {"zero": 0})])
    (kept,) = await exchange(
        driver, [("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 7 /%%'", {})]
    )
    assert kept.rows() == [(1,)]


async def test_a_connection_that_is_gone_is_forgotten(urls: DatabaseUrls) -> None:
    connection = await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True)
    await exchange(connection, [("SELECT 1", {})])
    await connection.close()
    gone = weakref.ref(connection)
    del connection
    gc.collect()
    assert gone() is None


async def swallow_an_error(db: Database) -> None:
    async with db.read(ACME) as tx:
        with pytest.raises(DBAPIError):
            await tx.execute(_WORDS, {"words": ["a\0b"]})
        with pytest.raises(RuntimeError, match="swallowed"):
            await tx.execute(text("SELECT 1"))


async def test_a_transaction_whose_error_was_swallowed_says_nothing_more(db: Database) -> None:
    with pytest.raises(RuntimeError, match="swallowed"):
        await swallow_an_error(db)
