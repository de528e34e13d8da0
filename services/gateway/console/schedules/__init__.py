"""Schedules: what is billed again and again, and the calendar of what is to come."""

from typing import Any

from services.gateway.console.schedules import form, listing, one, usage

STAFF: list[Any] = [
    listing.show,
    listing.calendar,
    form.new,
    form.create,
    form.edit,
    form.update,
    one.show,
    one.pause,
    one.resume,
    one.cancel,
    one.change_quantity,
    one.change_price,
    usage.enter,
]
