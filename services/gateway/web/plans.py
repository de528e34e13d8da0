"""Instalment plans and promises in words, for the portal and the console."""

from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from services.gateway.web.statuses import Status
from tallyport.invoicing.v1.instalment_plans_pb2 import (
    InstalmentInterval,
    InstalmentPlanState,
    InstalmentState,
    PlanSuggestion,
)
from tallyport.invoicing.v1.payment_promises_pb2 import PaymentPromiseState

_PLAN = {
    InstalmentPlanState.INSTALMENT_PLAN_STATE_REQUESTED: (_("Being looked at"), "clock", "info"),
    InstalmentPlanState.INSTALMENT_PLAN_STATE_OFFERED: (_("Offered"), "mail", "warn"),
    InstalmentPlanState.INSTALMENT_PLAN_STATE_REJECTED: (_("Turned down"), "ban", "neutral"),
    InstalmentPlanState.INSTALMENT_PLAN_STATE_ACTIVE: (_("Agreed"), "check-circle", "good"),
    InstalmentPlanState.INSTALMENT_PLAN_STATE_COMPLETED: (_("All paid"), "check-circle", "good"),
    InstalmentPlanState.INSTALMENT_PLAN_STATE_BROKEN: (_("Ended: instalments missed"), "alert", "bad"),
    InstalmentPlanState.INSTALMENT_PLAN_STATE_CANCELED: (_("Given up"), "ban", "neutral"),
}
_INSTALMENT = {
    InstalmentState.INSTALMENT_STATE_UPCOMING: (_("To come"), "calendar", "neutral"),
    InstalmentState.INSTALMENT_STATE_DUE: (_("Due today"), "clock", "warn"),
    InstalmentState.INSTALMENT_STATE_LATE: (_("Late"), "alert", "warn"),
    InstalmentState.INSTALMENT_STATE_MISSED: (_("Missed"), "alert", "bad"),
    InstalmentState.INSTALMENT_STATE_PAID: (_("Paid"), "check-circle", "good"),
}
_PROMISE = {
    PaymentPromiseState.PAYMENT_PROMISE_STATE_OPEN: (_("Promised"), "clock", "info"),
    PaymentPromiseState.PAYMENT_PROMISE_STATE_KEPT: (_("Kept"), "check-circle", "good"),
    PaymentPromiseState.PAYMENT_PROMISE_STATE_BROKEN: (_("Not kept"), "alert", "bad"),
    PaymentPromiseState.PAYMENT_PROMISE_STATE_WITHDRAWN: (_("Taken back"), "ban", "neutral"),
    PaymentPromiseState.PAYMENT_PROMISE_STATE_RELEASED: (_("Nothing left to pay"), "check-circle", "neutral"),
}
_INTERVALS = {
    InstalmentInterval.INSTALMENT_INTERVAL_MONTH: _("Every month"),
    InstalmentInterval.INSTALMENT_INTERVAL_TWO_WEEKS: _("Every two weeks"),
    InstalmentInterval.INSTALMENT_INTERVAL_WEEK: _("Every week"),
}
_REASONS = {
    "illness": _("Illness"),
    "job_loss": _("Loss of work"),
    "family": _("Something in the family"),
    "business": _("Business is slow"),
    "disaster": _("Fire, flood or the like"),
    "other": _("Something else"),
}
_REFUSALS = {
    "PLAN_EXISTS": _("There is a plan or a request for it already."),
    "PLAN_DEBT_TOO_SMALL": _("What you owe is too little to be paid in instalments."),
    "PLAN_DEBT_TOO_LARGE": _("This is more than we can agree to here. Please talk to us."),
}
_SIGNS = {
    "failed_payments": _("payments that did not go through"),
    "late_invoices": _("invoices that are late"),
    "part_payments": _("invoices that are paid in part"),
    "broken_promises": _("promises that could not be kept"),
}
_UNKNOWN = (_("Unknown"), "info", "neutral")


def plan_status(state: InstalmentPlanState.ValueType) -> Status:
    """The state of a plan."""
    word, icon, tone = _PLAN.get(state, _UNKNOWN)
    return Status(gettext(word), icon, tone)


def instalment_status(state: InstalmentState.ValueType) -> Status:
    """The state of an instalment."""
    word, icon, tone = _INSTALMENT.get(state, _UNKNOWN)
    return Status(gettext(word), icon, tone)


def promise_status(state: PaymentPromiseState.ValueType) -> Status:
    """The state of a promise."""
    word, icon, tone = _PROMISE.get(state, _UNKNOWN)
    return Status(gettext(word), icon, tone)


def interval_word(interval: int) -> str:
    """How often."""
    return gettext(next((word for one, word in _INTERVALS.items() if one == interval), _("Every month")))


def interval_options() -> list[tuple[int, str]]:
    """For a select field."""
    return [(one, gettext(word)) for one, word in _INTERVALS.items()]


def reason_words() -> list[tuple[str, str]]:
    """Reasons of hardship, by their word in the contract."""
    return [(one, gettext(word)) for one, word in _REASONS.items()]


def refusal_word(refusal: str) -> str:
    """Why there can be no plan; empty when there can."""
    return gettext(_REFUSALS.get(refusal, _("This cannot be paid in instalments."))) if refusal else ""


def sign_words(suggestion: PlanSuggestion) -> list[str]:
    """What a suggestion rests on."""
    return [gettext(_SIGNS[one.kind]) for one in suggestion.signs if one.kind in _SIGNS]
