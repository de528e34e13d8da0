"""Whether a customer may be sent an invoice: holds, order numbers and the credit limits."""

from chassis import audit
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice
from services.invoicing.store.credit_limits import CreditLimit, lock_limits, owed_under


async def must_take_invoice(
    tx: WriteTx, customer: Customer, invoice: Invoice, *, override_reason: str = ""
) -> None:
    """CUSTOMER_ON_HOLD, PURCHASE_ORDER_REQUIRED, PURCHASE_ORDER_INVALID, or CREDIT_LIMIT_EXCEEDED without a reason.

    A customer's own limit counts what the customer and all below it owe, and so do the limits of those above.
    """
    customer.must_take_invoices()
    customer.order_rule.must_allow(invoice.purchase_order_number, invoice.invoice_id)
    if customer.credit_limit is None and not customer.ancestor_ids:
        return
    family = (customer.customer_id, *customer.ancestor_ids)
    for limit in await lock_limits(tx, family, invoice.currency):
        owed = await owed_under(tx, limit) + invoice.total
        if owed <= limit.amount:
            continue
        if not override_reason:
            raise _exceeded(invoice, limit, owed)
        audit.record(tx, "customer.limit_overridden", limit.customer_id, reason=override_reason)


def _exceeded(invoice: Invoice, limit: CreditLimit, owed: Money) -> ServiceError:
    message = "With this invoice the customer would owe more than the credit limit allows."
    if limit.customer_id != invoice.customer_id:
        message = (
            f"With this invoice {limit.customer_name} and all below it would owe more than its limit allows."
        )
    return ServiceError(
        Kind.FAILED_PRECONDITION, "CREDIT_LIMIT_EXCEEDED", message,
        invoice_id=invoice.invoice_id, customer_id=limit.customer_id, owed_minor_units=str(owed.minor_units),
        limit_minor_units=str(limit.amount.minor_units), currency=owed.currency,
    )  # fmt: skip
