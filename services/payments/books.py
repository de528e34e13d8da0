"""How money is posted: what a provider or the till owes us against what we hold for the customer."""

from chassis.ledger import Entry, credit, debit
from services.payments.domain.payment import Method, Payment

PROVIDER_CLEARING = "provider_clearing"
"""Owner: provider. Charged and not paid out to the organization yet."""
RECEIVED_DIRECTLY = "received_directly"
"""Owner: method. Money that came to the organization itself: cash, cheque, transfer, or another system."""
CUSTOMER_FUNDS = "customer_funds"
"""Owner: customer. Received, whichever invoices it is put to."""
SOURCE = "payment"
RECEIVED = "received"


def received_entry(payment: Payment, *, provider: str = "") -> Entry:
    """The entry for a payment's money; posted once for each payment, ever."""
    if payment.method is Method.CARD:
        asset = debit(PROVIDER_CLEARING, provider, payment.amount)
    else:
        asset = debit(RECEIVED_DIRECTLY, payment.method.value, payment.amount)
    return Entry(
        source=SOURCE,
        source_id=payment.payment_id,
        kind=RECEIVED,
        lines=(asset, credit(CUSTOMER_FUNDS, payment.customer_id, payment.amount)),
        occurred_at=payment.finished_at or payment.created_at,
    )
