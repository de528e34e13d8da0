"""What failures below mean to a caller."""

import psycopg
import pytest
import sqlalchemy.exc
from google.rpc import status_pb2

from chassis.errors import Kind, ServiceError
from chassis.rpc.errors import STATUS_OF, from_exception, from_status, to_status


def wrapped(error: Exception) -> Exception:
    return sqlalchemy.exc.DBAPIError("SELECT 1", {}, error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.QueryCanceled("canceling statement"), Kind.DEADLINE_EXCEEDED),
        (wrapped(psycopg.errors.QueryCanceled("canceling statement")), Kind.DEADLINE_EXCEEDED),
        (TimeoutError(), Kind.DEADLINE_EXCEEDED),
        (wrapped(psycopg.errors.SerializationFailure("x")), Kind.ABORTED),
        (wrapped(psycopg.errors.DeadlockDetected("x")), Kind.ABORTED),
        (wrapped(psycopg.errors.LockNotAvailable("x")), Kind.ABORTED),
        (wrapped(psycopg.errors.AdminShutdown("x")), Kind.UNAVAILABLE),
        (wrapped(psycopg.OperationalError("connection refused")), Kind.UNAVAILABLE),
        (sqlalchemy.exc.TimeoutError("pool"), Kind.UNAVAILABLE),
    ],
)
def test_database_failure_becomes(error: Exception, kind: Kind) -> None:
    known = from_exception(error)
    assert known is not None
    assert known.kind is kind


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), wrapped(psycopg.errors.UniqueViolation("x")), wrapped(psycopg.errors.SyntaxError("x"))],
)
def test_defect_stays_a_defect(error: Exception) -> None:
    assert from_exception(error) is None


def test_every_kind_has_a_status_of_its_own() -> None:
    assert set(STATUS_OF) == set(Kind)
    assert len(set(STATUS_OF.values())) == len(Kind)


def test_foreign_status_is_not_taken_for_ours() -> None:
    status = to_status(ServiceError(Kind.NOT_FOUND, "X", "x"))
    status.code = 2
    assert from_status(status) is None
    assert from_status(status_pb2.Status(code=5, message="plain")) is None
