"""Charge a fee for money that came back: an invoice of its own, open at once."""

from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import InvoiceKind
from services.invoicing.domain.reversal import Reversal
from services.invoicing.formats.wording import Writer
from services.invoicing.operations.issue_fee import Fee, issue_fee
from services.invoicing.store.organizations import get_organization


async def charge_fee(tx: WriteTx, reversal: Reversal, amount: Money, customer: Customer) -> None:
    """An invoice with one line, known by the reversal's id as its external id, so that it is made once."""
    writer = Writer(await get_organization(tx), customer.locale)
    fee = Fee(
        kind=InvoiceKind.FEE,
        external_id=reversal.reversal_id,
        description=writer.word("returned_fee_line", number=reversal.receipt_number).rstrip(),
        amount=amount,
        why="fee for a returned payment",
        notify=reversal.notify,
    )
    await issue_fee(tx, fee, customer)
