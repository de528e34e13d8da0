"""Whose things a caller asks for: customers get their own, staff name a customer of their organization."""

from chassis.caller import Audience, current_call
from chassis.database import ReadTx
from chassis.errors import not_found
from services.payments.store import copies


async def customer_asked_for(tx: ReadTx, customer_id: str) -> str:
    """The customer; NOT_FOUND for anybody else's, whether it exists or not."""
    caller = current_call().caller
    if caller.audience is Audience.STAFF:
        if await copies.payer(tx, customer_id) is None:
            raise not_found("customer")
        return customer_id
    if caller.customer_id is None or customer_id not in ("", caller.customer_id):
        raise not_found("customer")
    return caller.customer_id
