"""What starts by the clock."""

from collections.abc import Sequence

from chassis import books
from chassis.database import Database
from chassis.jobs import Job
from services.invoicing.domain.invoice_import import BATCH_ROWS
from services.invoicing.operations.expire_reservations import expire_reservations
from services.invoicing.operations.run_imports import run_imports
from services.invoicing.operations.verify_books import verify

EXPIRY_PERIOD_SECONDS = 5.0
EXPIRY_BATCH = 200
IMPORT_PERIOD_SECONDS = 0.5


def jobs(db: Database) -> Sequence[Job]:
    """Lapsed reservations are given back, waiting rows of imports are imported, the books are checked."""
    return (
        Job(
            "expire_reservations",
            EXPIRY_PERIOD_SECONDS,
            lambda: expire_reservations(db, limit=EXPIRY_BATCH),
            batch_limit=EXPIRY_BATCH,
        ),
        Job("run_imports", IMPORT_PERIOD_SECONDS, lambda: run_imports(db), batch_limit=BATCH_ROWS),
        Job(
            "check books",
            books.CHECK_PERIOD_SECONDS,
            lambda: books.check_due(db, verify),
            batch_limit=books.BATCH,
        ),
    )
