"""What payments does by the clock."""

from collections.abc import Sequence

from chassis import books
from chassis.jobs import Job
from services.payments.desk import Desk
from services.payments.operations.close_transfer_claims import BATCH as CLAIMS_BATCH
from services.payments.operations.close_transfer_claims import expire_claims
from services.payments.operations.guard_books import verify
from services.payments.operations.reconcile_attempts import BATCH, count_overdue, reconcile_attempts
from services.payments.operations.start_payment import BATCH as START_BATCH
from services.payments.operations.start_payment import start_scheduled_payments
from services.payments.operations.watch_reversals import BATCH as REVERSALS_BATCH
from services.payments.operations.watch_reversals import reconcile_refunds, watch_payments

START_PERIOD_SECONDS = 20.0
WATCH_PERIOD_SECONDS = 60.0
OVERDUE_PERIOD_SECONDS = 30.0
CLAIMS_PERIOD_SECONDS = 60.0


def jobs(desk: Desk) -> Sequence[Job]:
    """Asking about unsettled attempts (which also closes abandoned pages), and the figure that alarms."""
    return (
        Job(
            name="reconcile attempts",
            period_seconds=desk.settings.check_period_seconds,
            run=lambda: reconcile_attempts(desk),
            batch_limit=BATCH,
        ),
        Job(
            name="start scheduled payments",
            period_seconds=START_PERIOD_SECONDS,
            run=lambda: start_scheduled_payments(desk),
            batch_limit=START_BATCH,
        ),
        Job(
            name="count overdue payments",
            period_seconds=OVERDUE_PERIOD_SECONDS,
            run=lambda: count_overdue(desk),
            batch_limit=1,
        ),
        Job(
            name="reconcile refunds",
            period_seconds=desk.settings.check_period_seconds,
            run=lambda: reconcile_refunds(desk),
            batch_limit=REVERSALS_BATCH,
        ),
        Job(
            name="watch for late returns",
            period_seconds=WATCH_PERIOD_SECONDS,
            run=lambda: watch_payments(desk),
            batch_limit=REVERSALS_BATCH,
        ),
        Job(
            name="expire transfer claims",
            period_seconds=CLAIMS_PERIOD_SECONDS,
            run=lambda: expire_claims(desk),
            batch_limit=CLAIMS_BATCH,
        ),
        Job(
            name="check books",
            period_seconds=books.CHECK_PERIOD_SECONDS,
            run=lambda: books.check_due(desk.db, verify),
            batch_limit=books.BATCH,
        ),
    )
