"""What starts by the clock."""

from collections.abc import Sequence

from chassis import books
from chassis.database import Database
from chassis.jobs import Job, earliest
from services.invoicing.domain.invoice_import import BATCH_ROWS
from services.invoicing.operations.answer_dispute import escalate_late_disputes
from services.invoicing.operations.expire_reservations import expire_reservations
from services.invoicing.operations.run_dunning import run_dunning
from services.invoicing.operations.run_imports import run_imports
from services.invoicing.operations.run_late_fees import run_late_fees
from services.invoicing.operations.run_plans import run_plans
from services.invoicing.operations.run_schedules import run_schedules
from services.invoicing.operations.verify_books import verify
from services.invoicing.store.late_days import DUNNING_DUE, LATE_FEES_DUE

EXPIRY_PERIOD_SECONDS = 5.0
EXPIRY_BATCH = 200
IMPORT_PERIOD_SECONDS = 0.5
SCHEDULE_PERIOD_SECONDS = 5.0
SCHEDULE_BATCH = 100
PLAN_PERIOD_SECONDS = 2.0
PLAN_BATCH = 100
PLANS_WAKE = """
    SELECT least(
        (SELECT min(wake_at) FROM instalment_plans WHERE organization_id = :organization_id AND wake_at > :now),
        (SELECT min(wake_at) FROM payment_promises WHERE organization_id = :organization_id AND wake_at > :now)
    )
"""
DISPUTE_PERIOD_SECONDS = 10.0
DISPUTE_BATCH = 100
DISPUTES_LATE = (
    "SELECT min(wake_at) FROM disputes WHERE organization_id = :organization_id AND wake_at > :now"
)
DUNNING_PERIOD_SECONDS = 60.0
DUNNING_BATCH = 200
LATE_FEE_PERIOD_SECONDS = 60.0
LATE_FEE_BATCH = 200


def jobs(db: Database) -> Sequence[Job]:
    """Schedules make invoices, reservations lapse, plans and promises are looked at, imports and checks run."""
    return (
        Job(
            "run schedules",
            SCHEDULE_PERIOD_SECONDS,
            lambda: run_schedules(db, limit=SCHEDULE_BATCH),
            batch_limit=SCHEDULE_BATCH,
            next_due=earliest(
                db,
                "SELECT min(wake_at) FROM schedules"
                " WHERE organization_id = :organization_id AND wake_at > :now",
            ),
        ),
        Job(
            "expire_reservations",
            EXPIRY_PERIOD_SECONDS,
            lambda: expire_reservations(db, limit=EXPIRY_BATCH),
            batch_limit=EXPIRY_BATCH,
            next_due=earliest(
                db,
                "SELECT min(expires_at) FROM reservations"
                " WHERE organization_id = :organization_id AND state = 'held' AND expires_at > :now",
            ),
        ),
        Job(
            "run plans",
            PLAN_PERIOD_SECONDS,
            lambda: run_plans(db, limit=PLAN_BATCH),
            batch_limit=PLAN_BATCH,
            next_due=earliest(db, PLANS_WAKE),
        ),
        Job(
            "escalate disputes",
            DISPUTE_PERIOD_SECONDS,
            lambda: escalate_late_disputes(db, limit=DISPUTE_BATCH),
            batch_limit=DISPUTE_BATCH,
            next_due=earliest(db, DISPUTES_LATE),
        ),
        Job(
            "charge late fees",
            LATE_FEE_PERIOD_SECONDS,
            lambda: run_late_fees(db, limit=LATE_FEE_BATCH),
            batch_limit=LATE_FEE_BATCH,
            next_due=earliest(db, LATE_FEES_DUE),
        ),
        Job(
            "remind of late invoices",
            DUNNING_PERIOD_SECONDS,
            lambda: run_dunning(db, limit=DUNNING_BATCH),
            batch_limit=DUNNING_BATCH,
            next_due=earliest(db, DUNNING_DUE),
        ),
        Job("run_imports", IMPORT_PERIOD_SECONDS, lambda: run_imports(db), batch_limit=BATCH_ROWS),
        Job(
            "check books",
            books.CHECK_PERIOD_SECONDS,
            lambda: books.check_due(db, verify),
            batch_limit=books.BATCH,
            only_watches=True,
        ),
    )
