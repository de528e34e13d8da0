"""The fields of the schedule form: as typed, and as the contract wants them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.gateway.console import invoice_entries
from services.gateway.console.invoice_entries import InvoiceEntry
from services.gateway.web.forms import Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.typed import plain_number, read_day
from tallyport.invoicing.v1.schedules_pb2 import (
    CreateScheduleRequest,
    ScheduleLineInput,
    ScheduleRule,
    ScheduleTiming,
    ScheduleUnit,
)

UNITS = {
    "month": ScheduleUnit.SCHEDULE_UNIT_MONTH,
    "week": ScheduleUnit.SCHEDULE_UNIT_WEEK,
    "day": ScheduleUnit.SCHEDULE_UNIT_DAY,
    "year": ScheduleUnit.SCHEDULE_UNIT_YEAR,
}
_NUMBERS = {
    "every": (1, 366),
    "anchor_day": (0, 31),
    "max_periods": (0, 10_000),
    "trial_days": (0, 730),
    "upcoming_notice_days": (0, 60),
    "price_notice_days": (0, 365),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry:
    """The whole form as typed; `metered` is by line."""

    name: str = ""
    unit: str = "month"
    every: str = "1"
    anchor_day: str = ""
    starts_on: str = ""
    ends_on: str = ""
    max_periods: str = ""
    trial_days: str = ""
    timing: str = "advance"
    review: bool = False
    upcoming_notice_days: str = "3"
    price_notice_days: str = "30"
    customer_may_cancel: bool = True
    purchase_order_number: str = ""
    memo: str = ""
    invoice: InvoiceEntry = field(default_factory=InvoiceEntry)
    metered: Sequence[str] = ()


def from_form(form: Form) -> ScheduleEntry:
    """What was sent."""
    names = (
        "name", "unit", "every", "anchor_day", "starts_on", "ends_on", "max_periods", "trial_days", "timing",
        "upcoming_notice_days", "price_notice_days", "purchase_order_number", "memo",
    )  # fmt: skip
    return ScheduleEntry(
        **{name: form.text(name) for name in names},
        review=form.checked("review"),
        customer_may_cancel=form.checked("customer_may_cancel"),
        invoice=invoice_entries.from_form(form),
        metered=form.all("metered"),
    )


def mistakes(entry: ScheduleEntry, currency: str) -> dict[str, str]:
    """Field of the form to what is wrong with it."""
    wrong = invoice_entries.mistakes(entry.invoice, currency)
    if not entry.name:
        wrong["name"] = _("Please give it a name.")
    if entry.unit not in UNITS:
        wrong["unit"] = _("Please choose.")
    for name in ("starts_on", "ends_on"):
        text = getattr(entry, name)
        if text and read_day(text) is None:
            wrong[name] = _("Please choose a day.")
    for name, (low, high) in _NUMBERS.items():
        text = plain_number(getattr(entry, name))
        if text and not (text.isdecimal() and low <= int(text[:6]) <= high):
            wrong[name] = _("Please write a number from %(low)s to %(high)s.") % {"low": low, "high": high}
    return wrong


def to_request(entry: ScheduleEntry, customer_id: str, currency: str) -> CreateScheduleRequest:
    """As the contract wants it. Only for an entry without `mistakes`."""
    number = {name: int(plain_number(getattr(entry, name)) or 0) for name in _NUMBERS}
    lines = [
        ScheduleLineInput(
            item_id=line.item_id,
            description=line.description[:300],
            quantity=line.quantity,
            unit_price=line.unit_price if line.HasField("unit_price") else None,
            tax_rate_percent=line.tax_rate_percent,
            metered=index < len(entry.metered) and entry.metered[index] == "usage",
        )
        for line, (index, _typed) in zip(
            invoice_entries.to_lines(entry.invoice, currency), entry.invoice.used_lines, strict=True
        )
    ]
    is_advance = entry.timing != "arrears"
    return CreateScheduleRequest(
        customer_id=customer_id,
        name=entry.name[:200],
        rule=ScheduleRule(
            unit=UNITS[entry.unit],
            every=number["every"] or 1,
            anchor_day=number["anchor_day"],
            starts_on=entry.starts_on,
            ends_on=entry.ends_on,
            max_periods=number["max_periods"],
            trial_days=number["trial_days"],
        ),
        lines=lines,
        timing=(
            ScheduleTiming.SCHEDULE_TIMING_ADVANCE if is_advance else ScheduleTiming.SCHEDULE_TIMING_ARREARS
        ),
        review=entry.review,
        upcoming_notice_days=number["upcoming_notice_days"],
        price_notice_days=number["price_notice_days"],
        customer_may_cancel=entry.customer_may_cancel,
        purchase_order_number=entry.purchase_order_number[:100],
        memo=entry.memo[:2000],
    )
