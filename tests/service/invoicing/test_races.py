"""Twenty at once on one invoice, paying, refunding, using credit, giving up, voiding: it takes no more than it has."""

import asyncio
import random

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import customers_pb2, invoices_pb2
from tests.service.invoicing.office import Office, usd

TOTAL = 1_000
AT_ONCE = 20
BUSY = frozenset({"BUSY", "DATABASE_BUSY", "DEADLINE_EXCEEDED"})
"""What a slow machine may answer; whoever asked tries again."""
ROUNDS_IN_CI, ROUNDS_IN_CHAOS = 100, 1_000


async def test_twenty_at_once_never_over_allocate_an_invoice(office: Office) -> None:
    await _race(office, ROUNDS_IN_CI)


@pytest.mark.chaos
@pytest.mark.timeout(1_800)
async def test_twenty_at_once_never_over_allocate_an_invoice_in_a_thousand_rounds(office: Office) -> None:
    await _race(office, ROUNDS_IN_CHAOS)


async def _race(office: Office, rounds: int) -> None:
    customer = await office.customer()
    refused: set[str] = set()
    for at in range(rounds):
        invoice = await office.invoice(customer.customer_id, TOTAL)
        refused |= await _one_round(office, customer, invoice, at)
        after = await office.read(invoice.invoice_id)
        sums = (
            after.amount_paid.minor_units,
            after.amount_credited.minor_units,
            after.amount_processing.minor_units,
        )
        assert min(sums) >= 0, sums
        assert sum(sums) <= TOTAL, sums
        if at % 10 == 0 or at == rounds - 1:
            assert await office.wrongs() == []
    assert refused <= {
        "INVOICE_BEING_PAID", "INVOICE_ALREADY_PAID", "AMOUNT_EXCEEDS_DUE", "INVOICE_NOT_PAYABLE",
        "INVOICE_NOT_VOIDABLE", "CREDIT_CHANGED", "PAYMENT_NOT_FOUND", *BUSY,
    }, refused  # fmt: skip


async def _one_round(
    office: Office, customer: customers_pb2.Customer, invoice: invoices_pb2.Invoice, at: int
) -> set[str]:
    luck = random.Random(at)
    await office.paid(f"pay_{at}_credit", customer.customer_id, 300, {})
    tasks = [
        _act(office, customer.customer_id, invoice.invoice_id, f"{at}_{one}", luck) for one in range(AT_ONCE)
    ]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    found = set()
    for result in results:
        if isinstance(result, ServiceError):
            found.add(result.reason)
        elif isinstance(result, BaseException):
            raise result
    return found


async def _act(office: Office, customer_id: str, invoice_id: str, name: str, luck: random.Random) -> None:
    """One of the twenty: chosen before anything runs, so that a round can be repeated."""
    what, cents = (
        luck.choice(("pay", "pay", "late", "refund", "credit", "give up", "void")),
        luck.randint(1, 700),
    )
    payment_id = f"pay_{name}"
    parts = {invoice_id: cents}
    if what == "void":
        request = invoices_pb2.VoidInvoiceRequest(invoice_id=invoice_id, reason="Race")
        await office.call(office.invoices.VoidInvoice, request)
    elif what == "late":
        await office.paid(payment_id, customer_id, cents, parts)
    elif what == "credit":
        credit = min(cents, 200)
        await office.reserve(payment_id, customer_id, parts, credit=credit)
        await office.paid(payment_id, customer_id, cents - credit, parts, credit_used=usd(credit))
    else:
        await office.reserve(payment_id, customer_id, parts)
        if what == "give up":
            await office.release(payment_id)
            return
        await office.paid(payment_id, customer_id, cents, parts)
        if what == "refund":
            await office.reversed(
                payment_id, customer_id, luck.randint(1, cents), forgive=luck.random() < 0.5
            )
