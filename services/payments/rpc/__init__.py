"""Servicers of the payments service, a file a noun."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.rpc import bank_statements, books, chargebacks, payments, policies, refunds, transfers


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return (
        *payments.servicers(desk),
        *books.servicers(desk),
        *policies.servicers(desk),
        *refunds.servicers(desk),
        *chargebacks.servicers(desk),
        *bank_statements.servicers(desk),
        *transfers.servicers(desk),
    )
