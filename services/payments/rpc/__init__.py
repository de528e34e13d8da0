"""Servicers of the payments service, a file a noun."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.rpc import books, chargebacks, payments, policies, refunds


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return (
        *payments.servicers(desk),
        *books.servicers(desk),
        *policies.servicers(desk),
        *refunds.servicers(desk),
        *chargebacks.servicers(desk),
    )
