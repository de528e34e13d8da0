"""How to pay by transfer, and payers who say they have."""

from datetime import timedelta
from typing import Any

import pytest

from chassis.caller import Audience
from chassis.errors import Kind, ServiceError
from chassis.rpc.client import as_service, connect
from chassis.settings import BaseServiceSettings
from services.payments.domain.creditor_reference import creditor_reference
from services.payments.operations.close_transfer_claims import close_matching_claims, expire_claims
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import transfers_pb2 as pb
from tallyport.payments.v1 import transfers_pb2_grpc
from tests.service.payments.bank.desk import IBAN, BankDesk

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


async def _instructions(desk: BankDesk, *invoice_ids: str, metadata: Any = None) -> pb.TransferInstructions:
    request = pb.GetTransferInstructionsRequest(invoice_ids=invoice_ids)
    return await desk.transfers.GetTransferInstructions(request, metadata=metadata or desk.customer())


async def _claim(desk: BankDesk, *, day: str = "", metadata: Any = None, **more: Any) -> pb.TransferClaim:
    request = pb.ClaimTransferRequest(
        invoice_ids=["inv_1"],
        amount=money_pb2.Money(minor_units=1230, currency="EUR"),
        transferred_on=day or desk.till.clock.now().date().isoformat(),
        **more,
    )
    return await desk.transfers.ClaimTransfer(request, metadata=metadata or desk.customer())


async def test_instructions_name_account_reference_and_sum(bank_desk: BankDesk) -> None:
    await bank_desk.account(shown_to_payers=True)
    bank_desk.till.invoices.add("inv_1", 1230, currency="EUR")
    answer = await _instructions(bank_desk, "inv_1")
    assert (answer.iban, answer.account_holder, answer.amount.minor_units) == (IBAN, "Acme GmbH", 1230)
    assert answer.reference == creditor_reference("INV0001")
    assert answer.reference_for_people.replace(" ", "") == answer.reference
    assert answer.epc_qr_payload.split("\n")[5:8] == ["Acme GmbH", IBAN, "EUR12.30"]
    assert answer.epc_qr_svg.startswith("<svg")


async def test_what_is_asked_for_now_is_the_sum_of_the_transfer(bank_desk: BankDesk) -> None:
    """An instalment, or less for paying early; all that is due where nothing is asked for now."""
    await bank_desk.account(shown_to_payers=True)
    for number, asked in ((1, 400), (2, 0), (3, None)):
        bank_desk.till.invoices.add(f"inv_{number}", 1230, currency="EUR")
        bank_desk.till.invoices.by_id[f"inv_{number}"].asked_now = asked
    answer = await _instructions(bank_desk, "inv_1")
    assert answer.amount.minor_units == 400
    assert "EUR4.00" in answer.epc_qr_payload
    assert (await _instructions(bank_desk, "inv_1", "inv_2")).amount.minor_units == 400
    assert (await _instructions(bank_desk, "inv_2")).amount.minor_units == 1230
    assert (await _instructions(bank_desk, "inv_1", "inv_3")).amount.minor_units == 1630


async def test_several_invoices_share_the_reference_of_their_customer(bank_desk: BankDesk) -> None:
    await bank_desk.account(shown_to_payers=True)
    for number in (1, 2):
        bank_desk.till.invoices.add(f"inv_{number}", 1000, currency="EUR")
    answer = await _instructions(bank_desk, "inv_1", "inv_2")
    assert (answer.amount.minor_units, answer.reference) == (2000, creditor_reference("C1"))


async def test_without_an_account_for_payers_transfers_are_not_offered(bank_desk: BankDesk) -> None:
    await bank_desk.account()
    bank_desk.till.invoices.add("inv_1", 1230, currency="EUR")
    with pytest.raises(ServiceError) as refused:
        await _instructions(bank_desk, "inv_1")
    assert refused.value.reason == "BANK_TRANSFER_NOT_OFFERED"


async def test_invoicing_gets_the_slip_of_an_invoice_and_nobody_else_does(bank_desk: BankDesk) -> None:
    request = pb.GetTransferSlipRequest(
        organization_id=bank_desk.till.organization_id, customer_id="cus_1", invoice_id="inv_1",
        invoice_number="INV-0001", amount=money_pb2.Money(minor_units=1230, currency="EUR"),
    )  # fmt: skip
    settings = BaseServiceSettings(
        **bank_desk.till.mesh.settings("invoicing"), payments_address=bank_desk.till.address
    )
    async with connect(settings, "payments") as channel:
        ask = as_service(transfers_pb2_grpc.TransferSlipsStub(channel).GetTransferSlip)
        with pytest.raises(ServiceError) as refused:
            await ask(request)
        assert refused.value.reason == "BANK_TRANSFER_NOT_OFFERED"
        await bank_desk.account(shown_to_payers=True)
        slip = await ask(request)
    assert (slip.iban, slip.reference) == (IBAN, creditor_reference("INV0001"))
    assert slip.epc_qr_payload.split("\n")[5:8] == ["Acme GmbH", IBAN, "EUR12.30"]
    with pytest.raises(ServiceError) as refused:
        await as_service(transfers_pb2_grpc.TransferSlipsStub(bank_desk.till.channel).GetTransferSlip)(
            request
        )
    assert refused.value.kind is Kind.PERMISSION_DENIED


async def test_others_invoices_do_not_exist(bank_desk: BankDesk) -> None:
    await bank_desk.account(shown_to_payers=True)
    bank_desk.till.invoices.add("inv_1", 1230, currency="EUR")
    bank_desk.till.invoices.add("inv_2", 1230, currency="EUR")
    link = bank_desk.till.by(Audience.PAY_LINK, customer_id="cus_1", invoice_id="inv_2")
    for metadata in (bank_desk.customer("cus_2"), link):
        with pytest.raises(ServiceError) as refused:
            await _instructions(bank_desk, "inv_1", metadata=metadata)
        assert refused.value.reason == "INVOICE_NOT_FOUND"
        with pytest.raises(ServiceError) as refused:
            await _claim(bank_desk, metadata=metadata)
    assert (await _instructions(bank_desk, "inv_2", metadata=link)).amount.minor_units == 1230


async def test_a_claim_is_kept_with_its_proof_and_told(bank_desk: BankDesk) -> None:
    bank_desk.till.invoices.add("inv_1", 1230, currency="EUR")
    claim = await _claim(bank_desk, proof=PNG, proof_file_name="../../etc/passwd.exe", note="paid today")
    assert (claim.status, claim.proof_file_name) == (pb.TRANSFER_CLAIM_STATUS_OPEN, "passwd.png")
    request = pb.GetTransferProofRequest(claim_id=claim.claim_id)
    proof = await bank_desk.transfers.GetTransferProof(request, metadata=bank_desk.staff())
    assert (proof.media_type, proof.content) == ("image/png", PNG)
    assert await bank_desk.till.events(claim.claim_id) == ["TransferClaimed"]
    with pytest.raises(ServiceError) as refused:
        await bank_desk.transfers.GetTransferProof(request, metadata=bank_desk.customer("cus_2"))
    assert refused.value.reason == "TRANSFER_CLAIM_NOT_FOUND"


@pytest.mark.parametrize("proof", [b"MZ\x90", b"<html>", b"GIF89a", b" %PDF-1.7"])
async def test_a_proof_that_is_no_document_is_refused(bank_desk: BankDesk, proof: bytes) -> None:
    bank_desk.till.invoices.add("inv_1", 1230, currency="EUR")
    with pytest.raises(ServiceError) as refused:
        await _claim(bank_desk, proof=proof, proof_file_name="proof.pdf")
    assert refused.value.fields[0].code == "not_a_document"


async def test_a_claim_expires_after_ten_days(bank_desk: BankDesk) -> None:
    bank_desk.till.invoices.add("inv_1", 1230, currency="EUR")
    claim = await _claim(bank_desk)
    await expire_claims(bank_desk.till.desk)
    assert await bank_desk.till.events(claim.claim_id) == ["TransferClaimed"]
    bank_desk.till.clock.advance(seconds=timedelta(days=12).total_seconds())
    assert await expire_claims(bank_desk.till.desk) >= 1
    assert await bank_desk.till.events(claim.claim_id) == ["TransferClaimed", "TransferClaimClosed"]
    request = pb.ListTransferClaimsRequest()
    page = await bank_desk.transfers.ListTransferClaims(request, metadata=bank_desk.customer())
    assert [one.status for one in page.claims] == [pb.TRANSFER_CLAIM_STATUS_EXPIRED]


async def test_a_match_closes_the_claims_of_its_invoices(bank_desk: BankDesk) -> None:
    bank_desk.till.invoices.add("inv_1", 1230, currency="EUR")
    claim = await _claim(bank_desk)
    async with bank_desk.till.db.write(bank_desk.till.organization_id) as tx:
        assert await close_matching_claims(tx, "cus_2", ["inv_1"], "pay_1") == 0
        assert await close_matching_claims(tx, "cus_1", ["inv_1", "inv_9"], "pay_1") == 1
    request = pb.ListTransferClaimsRequest()
    page = await bank_desk.transfers.ListTransferClaims(request, metadata=bank_desk.staff())
    assert (page.claims[0].status, page.claims[0].payment_id) == (pb.TRANSFER_CLAIM_STATUS_MATCHED, "pay_1")
    close = pb.CloseTransferClaimRequest(claim_id=claim.claim_id, reason="seen")
    with pytest.raises(ServiceError) as refused:
        await bank_desk.transfers.CloseTransferClaim(close, metadata=bank_desk.staff())
    assert refused.value.reason == "TRANSFER_CLAIM_NOT_OPEN"


async def test_staff_close_a_claim_once(bank_desk: BankDesk) -> None:
    bank_desk.till.invoices.add("inv_1", 1230, currency="EUR")
    claim = await _claim(bank_desk)
    request = pb.CloseTransferClaimRequest(claim_id=claim.claim_id, reason="fake")
    closed = await bank_desk.transfers.CloseTransferClaim(request, metadata=bank_desk.staff())
    assert closed.status == pb.TRANSFER_CLAIM_STATUS_CLOSED
    only_open = pb.ListTransferClaimsRequest(open_only=True)
    page = await bank_desk.transfers.ListTransferClaims(only_open, metadata=bank_desk.staff())
    assert not page.claims
