"""What invoicing asks of payments: where to transfer what is due of an invoice to."""

from typing import Final, Protocol

import structlog

from chassis.errors import ServiceError
from chassis.money import Money
from chassis.rpc.client import Channel, as_service
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.translate.values import to_proto_money
from tallyport.payments.v1 import transfers_pb2, transfers_pb2_grpc

TIMEOUT_SECONDS: Final = 1.0
"""A document does not wait longer for its transfer box."""
_NOT_OFFERED: Final = frozenset(
    {"BANK_TRANSFER_NOT_OFFERED", "PAYMENT_METHOD_NOT_ALLOWED", "AMOUNT_NOT_ALLOWED"}
)
_log = structlog.get_logger("invoicing.payments")


class FindTransferSlip(Protocol):
    """By organization and invoice; None if it cannot be paid by transfer, or nobody can say now."""

    async def __call__(
        self, organization_id: str, invoice: Invoice, amount: Money | None = None
    ) -> TransferSlip | None:
        """For an amount, or for all that is due."""
        ...


async def no_transfer_slip(
    organization_id: str, invoice: Invoice, amount: Money | None = None
) -> TransferSlip | None:
    """Where payments is not asked."""
    return None


class TransferSlips:
    """Payments' TransferSlips over mTLS."""

    def __init__(self, channel: Channel) -> None:
        stub = transfers_pb2_grpc.TransferSlipsStub(channel)
        self._ask = as_service(stub.GetTransferSlip, timeout_seconds=TIMEOUT_SECONDS)

    async def find(
        self, organization_id: str, invoice: Invoice, amount: Money | None = None
    ) -> TransferSlip | None:
        """The slip of an invoice that can be paid; never raises, for the document comes out without it too."""
        if not invoice.is_payable or not invoice.number:
            return None
        request = transfers_pb2.GetTransferSlipRequest(
            organization_id=organization_id,
            customer_id=invoice.customer_id,
            invoice_id=invoice.invoice_id,
            invoice_number=invoice.number,
            amount=to_proto_money(amount or invoice.due),
        )
        try:
            slip = await self._ask(request)
        except ServiceError as error:
            if error.reason not in _NOT_OFFERED:
                _log.warning("pdf.transfer_left_out", invoice_id=invoice.invoice_id, reason=error.reason)
            return None
        return TransferSlip(
            account_holder=slip.account_holder,
            account_number=slip.iban,
            bic=slip.bic,
            bank_name=slip.bank_name,
            reference=slip.reference,
            epc_qr_payload=slip.epc_qr_payload,
        )
