"""Servicer of transfers: translate, call one operation, translate back."""

from collections.abc import Sequence
from typing import Any

from chassis.errors import invalid
from services.payments.desk import Desk
from services.payments.operations.claim_transfer import Claimed, claim_transfer
from services.payments.operations.close_transfer_claims import close_transfer_claim
from services.payments.operations.get_transfer_instructions import (
    SlipInvoice,
    get_transfer_instructions,
    get_transfer_slip,
)
from services.payments.operations.list_transfer_claims import get_transfer_proof, list_transfer_claims
from services.payments.translate.payments import from_proto_day, from_proto_money
from services.payments.translate.transfers import to_proto_claim, to_proto_proof
from tallyport.payments.v1 import transfers_pb2 as pb
from tallyport.payments.v1 import transfers_pb2_grpc

Context = Any


class Transfers(transfers_pb2_grpc.TransfersServicer):
    """Instructions for transfers, and claims."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetTransferInstructions(
        self, request: pb.GetTransferInstructionsRequest, context: Context
    ) -> pb.TransferInstructions:
        return await get_transfer_instructions(self._desk, request.invoice_ids)

    async def ClaimTransfer(self, request: pb.ClaimTransferRequest, context: Context) -> pb.TransferClaim:
        transferred_on = from_proto_day(request.transferred_on, "transferred_on")
        if transferred_on is None:
            raise invalid("transferred_on", "required", "Tell the day of the transfer.")
        claimed = Claimed(
            invoice_ids=request.invoice_ids,
            amount=from_proto_money(request.amount, "amount"),
            transferred_on=transferred_on,
            note=request.note,
            proof_file_name=request.proof_file_name,
            proof=request.proof,
        )
        return await claim_transfer(self._desk, claimed)

    async def ListTransferClaims(
        self, request: pb.ListTransferClaimsRequest, context: Context
    ) -> pb.ListTransferClaimsResponse:
        page = await list_transfer_claims(
            self._desk,
            customer_id=request.customer_id,
            open_only=request.open_only,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return pb.ListTransferClaimsResponse(
            claims=[to_proto_claim(claim) for claim in page.claims], next_page_token=page.next_page_token
        )

    async def GetTransferProof(
        self, request: pb.GetTransferProofRequest, context: Context
    ) -> pb.TransferProof:
        return to_proto_proof(await get_transfer_proof(self._desk, request.claim_id))

    async def CloseTransferClaim(
        self, request: pb.CloseTransferClaimRequest, context: Context
    ) -> pb.TransferClaim:
        return await close_transfer_claim(self._desk, request.claim_id, request.reason)


class TransferSlips(transfers_pb2_grpc.TransferSlipsServicer):
    """How one invoice is paid by transfer, for its document."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetTransferSlip(self, request: pb.GetTransferSlipRequest, context: Context) -> pb.TransferSlip:
        amount = from_proto_money(request.amount, "amount")
        if amount.minor_units <= 0:
            raise invalid("amount", "not_positive", "Nothing is due of this invoice.")
        invoice = SlipInvoice(
            invoice_id=request.invoice_id,
            number=request.invoice_number,
            customer_id=request.customer_id,
            amount_due=amount,
        )
        return await get_transfer_slip(self._desk, request.organization_id, invoice)


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return (
        (transfers_pb2_grpc.add_TransfersServicer_to_server, Transfers(desk)),
        (transfers_pb2_grpc.add_TransferSlipsServicer_to_server, TransferSlips(desk)),
    )
