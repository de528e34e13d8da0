"""What payments and notifications ask of invoicing, over gRPC. They name the organization themselves."""

from datetime import UTC
from typing import Any

from chassis.database import Database
from services.invoicing.operations.get_invoice_delivery import get_invoice_delivery
from services.invoicing.operations.release import release
from services.invoicing.operations.reserve import reserve
from services.invoicing.translate.reservations import from_proto_parts
from services.invoicing.translate.values import to_proto_money
from tallyport.invoicing.v1 import reservations_pb2 as pb
from tallyport.invoicing.v1 import reservations_pb2_grpc


class Reservations(reservations_pb2_grpc.ReservationsServicer):
    """Holds parts of invoices for payments."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def Reserve(self, request: pb.ReserveRequest, context: Any) -> pb.Reservation:
        return await reserve(
            self._db,
            request.organization_id,
            request.payment_id,
            customer_id=request.customer_id,
            parts=from_proto_parts(request.parts),
            expires_at=request.expires_at.ToDatetime(UTC),
        )

    async def Release(self, request: pb.ReleaseRequest, context: Any) -> pb.ReleaseResponse:
        await release(self._db, request.organization_id, request.payment_id)
        return pb.ReleaseResponse()


class Deliveries(reservations_pb2_grpc.DeliveriesServicer):
    """What a mail about an invoice needs; `key` proves pay links."""

    def __init__(self, db: Database, key: bytes) -> None:
        self._db = db
        self._key = key

    async def GetInvoiceDelivery(
        self, request: pb.GetInvoiceDeliveryRequest, context: Any
    ) -> pb.InvoiceDelivery:
        delivery = await get_invoice_delivery(
            self._db, self._key, request.organization_id, request.invoice_id
        )
        return pb.InvoiceDelivery(
            pay_link_token=delivery.pay_link_token,
            amount_due=to_proto_money(delivery.amount_due),
            file_name=delivery.file_name,
            pdf=delivery.pdf,
        )
