"""Shows a payment to those who may see it; to all others it does not exist."""

from chassis.caller import Audience, Call, current_call
from chassis.errors import not_found
from services.payments.desk import Desk
from services.payments.domain.case import Case
from services.payments.domain.payment import Payment
from services.payments.store import cases


async def get_payment(desk: Desk, payment_id: str) -> Payment:
    """A payment of the caller's organization that the caller may see; NOT_FOUND."""
    return (await visible_case(desk, payment_id)).payment


async def visible_case(desk: Desk, payment_id: str) -> Case:
    """The same with its attempt."""
    call = current_call()
    async with desk.db.read(call.organization_id) as tx:
        case = await cases.load(tx, payment_id)
    check_visible(call, case.payment)
    return case


def check_visible(call: Call, payment: Payment) -> None:
    """Customers see their own; the holder of a pay link only payments of that very invoice. NOT_FOUND."""
    call.may_see_customer(payment.customer_id, "payment")
    if call.caller.audience is Audience.PAY_LINK:
        invoices = {part.invoice_id for part in payment.parts}
        if invoices != {call.caller.invoice_id}:
            raise not_found("payment")
