"""Servicers of the payments service, a file a noun."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.rpc import (
    autopay,
    bank_statements,
    books,
    chargebacks,
    payer_rules,
    payment_methods,
    payments,
    policies,
    reconciliation,
    refunds,
    transfers,
)


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
        *payment_methods.servicers(desk),
        *autopay.servicers(desk),
        *payer_rules.servicers(desk),
        *reconciliation.servicers(desk),
    )
