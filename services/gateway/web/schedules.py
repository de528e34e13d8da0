"""Schedules in words: how often, when, and how they stand; for the portal and the console alike."""

from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import ngettext
from services.gateway.web.statuses import Status
from tallyport.invoicing.v1.schedules_pb2 import (
    Schedule,
    ScheduleRule,
    ScheduleStatus,
    ScheduleUnit,
)

_LAST_DAY = 31


def schedule_status(schedule: Schedule) -> Status:
    """A running one that is canceled says so."""
    if schedule.status == ScheduleStatus.SCHEDULE_STATUS_PAUSED:
        return Status(_("Paused"), "clock", "warn")
    if schedule.status == ScheduleStatus.SCHEDULE_STATUS_CANCELED:
        return Status(_("Canceled"), "ban", "neutral")
    if schedule.status == ScheduleStatus.SCHEDULE_STATUS_ENDED:
        return Status(_("Over"), "check-circle", "neutral")
    if is_ending(schedule):
        return Status(_("Ends soon"), "ban", "warn")
    return Status(_("Running"), "repeat", "good")


def is_live(schedule: Schedule) -> bool:
    """Whether it makes invoices still."""
    return schedule.status in (
        ScheduleStatus.SCHEDULE_STATUS_ACTIVE,
        ScheduleStatus.SCHEDULE_STATUS_PAUSED,
    )


def is_ending(schedule: Schedule) -> bool:
    """Whether somebody canceled it and it runs on until its last day."""
    planned = schedule.rule.ends_on
    has_earlier_end = bool(schedule.service_ends_on) and schedule.service_ends_on != planned
    return is_live(schedule) and has_earlier_end and not schedule.rule.max_periods


def rule_words(rule: ScheduleRule) -> str:
    """Every month; every 3 months, on day 15."""
    words = {
        ScheduleUnit.SCHEDULE_UNIT_DAY: ngettext("every day", "every %(num)s days", rule.every),
        ScheduleUnit.SCHEDULE_UNIT_WEEK: ngettext("every week", "every %(num)s weeks", rule.every),
        ScheduleUnit.SCHEDULE_UNIT_MONTH: ngettext("every month", "every %(num)s months", rule.every),
        ScheduleUnit.SCHEDULE_UNIT_YEAR: ngettext("every year", "every %(num)s years", rule.every),
    }.get(rule.unit, "") % {"num": rule.every}
    if rule.unit != ScheduleUnit.SCHEDULE_UNIT_MONTH or not rule.anchor_day:
        return words
    if rule.anchor_day == _LAST_DAY:
        return _("%(often)s, on the last day") % {"often": words}
    return _("%(often)s, on day %(day)s") % {"often": words, "day": rule.anchor_day}
