"""The paper of a final invoice keeps its total; what it asks for now is what the account asks for."""

import pytest

from chassis.money import Money
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.rpc.invoices import Invoices
from tallyport.invoicing.v1 import disputes_pb2, invoices_pb2
from tests.service.invoicing.documents.test_documents import text_of
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.plans.test_instalment_plans import accept, allow, ask, on


class Transfers:
    """Payments, which notes for how much it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def find(
        self, organization_id: str, invoice: Invoice, amount: Money | None = None
    ) -> TransferSlip | None:
        self.asked.append((amount or invoice.due).minor_units)
        return TransferSlip(
            account_holder="Harbor Supply", account_number="DE02120300000000202051", bic="BYLADEM1001",
            bank_name="Bank", reference="RF12", epc_qr_payload="BCD",
        )  # fmt: skip


async def paper_of(office: Office, invoice_id: str) -> tuple[str, int]:
    transfers = Transfers()
    request = invoices_pb2.GetInvoicePdfRequest(invoice_id=invoice_id)
    file = await office.call(Invoices(office.db, transfers.find).GetInvoicePdf, request)
    return text_of(file.content), transfers.asked[0]


async def test_under_a_plan_only_instalments_are_asked_for(office: Office) -> None:
    await allow(office)
    customer_id = (await office.customer()).customer_id
    invoice = await office.invoice(customer_id, 40_000, due_date="2026-11-22")
    await accept(office, await ask(office, customer_id, invoice_ids=[invoice.invoice_id]))
    await on(office, "2026-11-29")
    before, _ = await paper_of(office, invoice.invoice_id)
    assert "Total $400.00" in before
    assert "Not due yet by the instalment plan − $400.00" in before
    assert "Amount due $0.00" in before
    assert "An instalment plan is agreed on" in before
    for wrong in ("overdue", "Scan with your banking app", "Please pay by"):
        assert wrong not in before
    await on(office, "2026-12-01")
    on_its_day, transferred = await paper_of(office, invoice.invoice_id)
    assert transferred == 10_000
    assert "Amount due $100.00" in on_its_day
    assert "Scan with your banking app" in on_its_day


@pytest.mark.parametrize(("cents", "due"), [(11_900, "$281.00"), (40_000, "$0.00")])
async def test_what_is_in_dispute_is_not_asked_for(office: Office, cents: int, due: str) -> None:
    customer_id = (await office.customer()).customer_id
    invoice = await office.invoice(customer_id, 40_000, due_date="2026-11-22")
    request = disputes_pb2.OpenDisputeRequest(
        invoice_id=invoice.invoice_id,
        reason=disputes_pb2.DISPUTE_REASON_WRONG_AMOUNT,
        text="Two of five boxes came",
        amount=usd(cents),
    )
    await office.call(office.disputes.OpenDispute, request)
    await on(office, "2026-11-29")
    paper, _ = await paper_of(office, invoice.invoice_id)
    assert "Total $400.00" in paper
    assert f"Amount due {due}" in paper
    assert "Disputed − $" in paper
    assert ("overdue" in paper, "Scan with your banking app" in paper) == (cents < 40_000,) * 2
