"""How money is posted: what a provider or the till owes us against what we hold for the customer."""

from chassis.ledger import Entry, credit, debit
from services.payments.domain.payment import Method, Payment

SURCHARGE_INCOME = "surcharge_income"
"""Owner: none. What payers paid on top for their way to pay."""
DISCOUNTS_GIVEN = "discounts_given"
"""Owner: none. Counted as received for the invoices though no money came."""
CASH_ON_HAND = "cash_on_hand"
"""Owner: none. Cash in the till."""
BANK = "bank"
"""Owner: bank account. Shown by lines of bank statements that are matched."""
BANK_CLEARING = "bank_clearing"
"""Owner: none. On its way to or at the organization's bank, until a line of a bank statement shows it."""
PROVIDER_CLEARING = "provider_clearing"
"""Owner: provider. Charged and not paid out to the organization yet."""
RECEIVED_DIRECTLY = "received_directly"
"""Owner: method. Money that another system had received before; until 2026-11 also cash, cheques and transfers."""
CUSTOMER_FUNDS = "customer_funds"
"""Owner: customer. Received, whichever invoices it is put to."""
SOURCE = "payment"
RECEIVED = "received"


def received_entry(payment: Payment, *, provider: str = "") -> Entry | None:
    """The entry for a payment's money, posted once for each payment, ever; None if only credit was used."""
    if payment.funds.is_zero and payment.amount.is_zero:
        return None
    account, owner = asset_account(payment.method, provider)
    lines = [debit(account, owner, payment.amount)] if not payment.amount.is_zero else []
    if payment.surcharge.is_negative:
        lines.append(debit(DISCOUNTS_GIVEN, "", -payment.surcharge))
    lines.append(credit(CUSTOMER_FUNDS, payment.customer_id, payment.funds))
    if payment.surcharge_minor_units > 0:
        lines.append(credit(SURCHARGE_INCOME, "", payment.surcharge))
    return Entry(
        source=SOURCE,
        source_id=payment.payment_id,
        kind=RECEIVED,
        lines=tuple(lines),
        occurred_at=payment.finished_at or payment.created_at,
    )


def asset_account(method: Method, provider: str) -> tuple[str, str]:
    """Account and owner that now owe us the money."""
    if method.is_at_provider:
        return PROVIDER_CLEARING, provider
    if method is Method.CASH:
        return CASH_ON_HAND, ""
    if method is Method.EXTERNAL:
        return RECEIVED_DIRECTLY, method.value
    return BANK_CLEARING, ""
