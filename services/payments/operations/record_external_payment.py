"""Takes over money that another system had received: imported history, about which nobody is told."""

from dataclasses import replace
from datetime import date

from chassis.database import WriteTx
from chassis.ids import new_id
from chassis.money import Money
from services.payments.books import received_entry
from services.payments.domain.case import Organization
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Method, Part, Payment
from services.payments.operations.settle_payment import announce
from services.payments.store import cases
from tallyport.invoicing.v1 import events_pb2

INITIATED_BY = "import"


async def record_external_payment(
    tx: WriteTx, organization: Organization, report: events_pb2.ExternalPaymentReported
) -> Payment | None:
    """A succeeded payment on its day with receipt, ledger entry and news; None if it was taken over before."""
    day = date.fromisoformat(report.received_on)
    amount = Money(report.amount.minor_units, report.amount.currency)
    moment = min(organization.moment_of(day, hour=12), tx.now())  # lists of history follow its days
    before = Payment(
        payment_id=new_id("pay"),
        customer_id=report.customer_id,
        status=Status.SUBMITTING,
        amount=amount,
        parts=(Part(report.invoice_id, amount, report.number),),
        method=Method.EXTERNAL,
        initiated_by=INITIATED_BY,
        created_at=moment,
        note=report.external_id,
    )
    done = replace(before, status=Status.SUCCEEDED, received_on=day, finished_at=moment, events=1)
    recorded = await cases.insert_received(
        tx, done, received_entry(done), external_reference=f"invoice {report.invoice_id}"
    )
    if recorded is not None:
        announce(tx, before, recorded, notify=False)
    return recorded
