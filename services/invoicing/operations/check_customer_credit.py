"""Whether a customer may be sent an invoice: holds, order numbers and the credit limit."""

from chassis import audit
from chassis.database import ReadTx, WriteTx
from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store.receivables import account_balances


async def must_take_invoice(
    tx: WriteTx, customer: Customer, invoice: Invoice, *, override_reason: str = ""
) -> None:
    """CUSTOMER_ON_HOLD, PURCHASE_ORDER_REQUIRED, PURCHASE_ORDER_INVALID, or CREDIT_LIMIT_EXCEEDED without a reason.

    Ask when the invoice's number is drawn: that is a lock, so two invoices never share the room under one limit.
    """
    customer.must_take_invoices()
    customer.order_rule.must_allow(invoice.purchase_order_number, invoice.invoice_id)
    limit = customer.credit_limit
    if limit is None or invoice.currency != limit.currency:
        return
    owed = await _owed(tx, customer) + invoice.total
    if owed <= limit:
        return
    if not override_reason:
        raise ServiceError(
            Kind.FAILED_PRECONDITION, "CREDIT_LIMIT_EXCEEDED",
            "With this invoice the customer would owe more than the credit limit allows.",
            invoice_id=invoice.invoice_id, owed_minor_units=str(owed.minor_units),
            limit_minor_units=str(limit.minor_units), currency=limit.currency,
        )  # fmt: skip
    audit.record(tx, "customer.limit_overridden", customer.customer_id, reason=override_reason)


async def _owed(tx: ReadTx, customer: Customer) -> Money:
    """All that is open, less the credit that could pay it."""
    found = await account_balances(
        tx, customer.customer_id, currency=customer.currency, today=tx.now().date()
    )
    return found[0].open - found[0].credit
