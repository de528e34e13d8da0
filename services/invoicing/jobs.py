"""What starts by the clock."""

from collections.abc import Sequence

from chassis.database import Database
from chassis.jobs import Job
from services.invoicing.domain.invoice_import import BATCH_ROWS
from services.invoicing.operations.expire_reservations import expire_reservations
from services.invoicing.operations.run_imports import run_imports

EXPIRY_PERIOD_SECONDS = 5.0
EXPIRY_BATCH = 200
IMPORT_PERIOD_SECONDS = 0.5


def jobs(db: Database) -> Sequence[Job]:
    """Lapsed reservations are given back; waiting rows of imports are imported."""
    return (
        Job(
            "expire_reservations",
            EXPIRY_PERIOD_SECONDS,
            lambda: expire_reservations(db, limit=EXPIRY_BATCH),
            batch_limit=EXPIRY_BATCH,
        ),
        Job("run_imports", IMPORT_PERIOD_SECONDS, lambda: run_imports(db), batch_limit=BATCH_ROWS),
    )
