"""What payments does by the clock."""

from collections.abc import Sequence

from chassis import books
from chassis.jobs import Job, earliest
from services.payments.desk import Desk
from services.payments.domain.saved_method import EXPIRES_SOON_DAYS
from services.payments.operations.close_transfer_claims import BATCH as CLAIMS_BATCH
from services.payments.operations.close_transfer_claims import expire_claims
from services.payments.operations.collect_payouts import collect_payouts
from services.payments.operations.follow_test_clock import follow_test_clock, next_due_at_providers
from services.payments.operations.guard_payments import FORGET_BATCH, forget_old_tries
from services.payments.operations.manage_payment_methods import BATCH as EXPIRY_BATCH
from services.payments.operations.manage_payment_methods import tell_of_expiring_cards
from services.payments.operations.match_lines import match_waiting_lines
from services.payments.operations.plan_autopay import plan_autopay
from services.payments.operations.read_reconciliation import watch_reconciliation
from services.payments.operations.reconcile_attempts import BATCH, count_overdue, reconcile_attempts
from services.payments.operations.run_autopay import BATCH as RUNS_BATCH
from services.payments.operations.run_autopay import act_on_runs
from services.payments.operations.set_up_payment_method import BATCH as SETUPS_BATCH
from services.payments.operations.set_up_payment_method import settle_setups
from services.payments.operations.start_payment import BATCH as START_BATCH
from services.payments.operations.start_payment import start_scheduled_payments
from services.payments.operations.verify_books import verify
from services.payments.operations.watch_reversals import BATCH as REVERSALS_BATCH
from services.payments.operations.watch_reversals import reconcile_refunds, watch_payments

START_PERIOD_SECONDS = 20.0
WATCH_PERIOD_SECONDS = 60.0
OVERDUE_PERIOD_SECONDS = 30.0
CLAIMS_PERIOD_SECONDS = 60.0
PLAN_PERIOD_SECONDS = 300.0
RUNS_PERIOD_SECONDS = 15.0
SETUPS_PERIOD_SECONDS = 60.0
EXPIRY_PERIOD_SECONDS = 3600.0
FORGET_PERIOD_SECONDS = 600.0
PAYOUTS_PERIOD_SECONDS = 3600.0
MATCH_PERIOD_SECONDS = 900.0
CLEARING_PERIOD_SECONDS = 3600.0
NEVER_FULL = 1_000_000
"""A run takes all that there is: it is not repeated at once."""

_CARD_EXPIRES_SOON = f"""
    SELECT min(told_from) FROM (
        SELECT make_timestamptz(expiry_year, expiry_month, 1, 0, 0, 0, 'UTC')
               - make_interval(days => {EXPIRES_SOON_DAYS}) AS told_from
        FROM payment_methods
        WHERE organization_id = :organization_id AND state = 'active' AND expiry_year > 0
    ) AS cards WHERE told_from > :now
"""  # noqa: S608
_CLAIM_EXPIRES = """
    SELECT min(over_at) FROM (
        SELECT CAST(expires_on + 1 AS timestamp) AT TIME ZONE 'UTC' AS over_at
        FROM transfer_claims WHERE organization_id = :organization_id AND status = 'open'
    ) AS claims WHERE over_at > :now
"""


def jobs(desk: Desk) -> Sequence[Job]:
    """Everything that payments starts by the clock."""
    return (
        Job(
            name="follow test clock",
            period_seconds=None,
            run=lambda: follow_test_clock(desk),
            batch_limit=NEVER_FULL,
            next_due=lambda organization_id: next_due_at_providers(desk, organization_id),
        ),
        *_of_payments(desk),
        *_of_reversals(desk),
        *_of_saved_methods(desk),
        *_of_reconciliation(desk),
        Job(
            name="check books",
            period_seconds=books.CHECK_PERIOD_SECONDS,
            run=lambda: books.check_due(desk.db, verify),
            batch_limit=books.BATCH,
            only_watches=True,
        ),
    )


def _of_payments(desk: Desk) -> Sequence[Job]:
    """Unsettled attempts (abandoned pages are closed by the way), scheduled payments, and the figure that alarms."""
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
            next_due=earliest(
                desk.db,
                "SELECT min(starts_at) FROM payments"
                " WHERE organization_id = :organization_id AND starts_at > :now",
            ),
        ),
        Job(
            name="count overdue payments",
            period_seconds=OVERDUE_PERIOD_SECONDS,
            run=lambda: count_overdue(desk),
            batch_limit=1,
            only_watches=True,
        ),
    )


def _of_reversals(desk: Desk) -> Sequence[Job]:
    """Refunds without an answer, and debits that may still come back."""
    return (
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
    )


def _of_saved_methods(desk: Desk) -> Sequence[Job]:
    """Autopay, saved methods, and what guards no longer need to know."""
    return (
        Job(
            name="plan autopay",
            period_seconds=PLAN_PERIOD_SECONDS,
            run=lambda: plan_autopay(desk),
            batch_limit=1,
        ),
        Job(
            name="announce and start autopay",
            period_seconds=RUNS_PERIOD_SECONDS,
            run=lambda: act_on_runs(desk),
            batch_limit=RUNS_BATCH,
            next_due=earliest(
                desk.db,
                "SELECT min(act_at) FROM autopay_runs"
                " WHERE organization_id = :organization_id AND act_at > :now",
            ),
        ),
        Job(
            name="settle setups",
            period_seconds=SETUPS_PERIOD_SECONDS,
            run=lambda: settle_setups(desk),
            batch_limit=SETUPS_BATCH + 1,
        ),
        Job(
            name="tell of expiring cards",
            period_seconds=EXPIRY_PERIOD_SECONDS,
            run=lambda: tell_of_expiring_cards(desk),
            batch_limit=EXPIRY_BATCH,
            next_due=earliest(desk.db, _CARD_EXPIRES_SOON),
        ),
        Job(
            name="forget old tries",
            period_seconds=FORGET_PERIOD_SECONDS,
            run=lambda: forget_old_tries(desk),
            batch_limit=FORGET_BATCH,
            only_watches=True,
        ),
    )


def _of_reconciliation(desk: Desk) -> Sequence[Job]:
    """Claims of transfers, bank lines, payouts, and clearing accounts."""
    return (
        Job(
            name="expire transfer claims",
            period_seconds=CLAIMS_PERIOD_SECONDS,
            run=lambda: expire_claims(desk),
            batch_limit=CLAIMS_BATCH,
            next_due=earliest(desk.db, _CLAIM_EXPIRES),
        ),
        Job(
            name="match waiting bank lines",
            period_seconds=MATCH_PERIOD_SECONDS,
            run=lambda: match_waiting_lines(desk),
            batch_limit=1,
        ),
        Job(
            name="collect payouts",
            period_seconds=PAYOUTS_PERIOD_SECONDS,
            run=lambda: collect_payouts(desk),
            batch_limit=NEVER_FULL,
        ),
        Job(
            name="watch clearing accounts",
            period_seconds=CLEARING_PERIOD_SECONDS,
            run=lambda: watch_reconciliation(desk),
            batch_limit=1,
            only_watches=True,
        ),
    )
