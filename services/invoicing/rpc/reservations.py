"""What payments and notifications ask of invoicing, over gRPC. They name the organization themselves."""

from typing import Any

from chassis.database import Database
from chassis.errors import ServiceError
from services.invoicing.domain.reservation import Wish
from services.invoicing.operations.get_invoice_delivery import get_invoice_delivery
from services.invoicing.operations.plan_payment import PlanQuery, plan_payment
from services.invoicing.operations.release import release
from services.invoicing.operations.reserve import reserve, reserve_many
from services.invoicing.payments import FindTransferSlip, no_transfer_slip
from services.invoicing.translate.reservations import (
    from_proto_wish,
    from_proto_wishes,
    to_proto_answer,
    to_proto_plan,
    to_proto_reservation,
)
from services.invoicing.translate.values import from_proto_currency, from_proto_money, to_proto_money
from tallyport.invoicing.v1 import invoices_pb2, reservations_pb2_grpc
from tallyport.invoicing.v1 import reservations_pb2 as pb


class Reservations(reservations_pb2_grpc.ReservationsServicer):
    """Holds parts of invoices, and credit, for payments."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def PlanPayment(self, request: pb.PlanPaymentRequest, context: Any) -> pb.PaymentPlan:
        query = PlanQuery(
            customer_id=request.customer_id,
            invoice_ids=tuple(dict.fromkeys(request.invoice_ids)),
            amount=from_proto_money("amount", request.amount) if request.HasField("amount") else None,
            keep_credit=request.keep_credit,
            currency=from_proto_currency("currency", request.currency),
            payment_ids=[one for one in (request.payment_id, *request.replaced_payment_ids) if one],
            whole_debt=request.whole_debt,
        )
        return to_proto_plan(await plan_payment(self._db, request.organization_id, query))

    async def Reserve(self, request: pb.ReserveRequest, context: Any) -> pb.Reservation:
        held = await reserve(self._db, request.organization_id, from_proto_wish(request))
        return to_proto_reservation(request.payment_id, held)

    async def ReserveMany(self, request: pb.ReserveManyRequest, context: Any) -> pb.ReserveManyResponse:
        read = from_proto_wishes(request)
        wishes: dict[str, list[Wish]] = {}
        for organization_id, wish in read:
            if not isinstance(wish, ServiceError):
                wishes.setdefault(organization_id, []).append(wish)
        decided = {one: iter(mine) for one, mine in (await reserve_many(self._db, wishes)).items()}
        answers = [
            wish if isinstance(wish, ServiceError) else next(decided[organization_id])
            for organization_id, wish in read
        ]
        return pb.ReserveManyResponse(
            answers=[
                to_proto_answer(one.payment_id, answer)
                for one, answer in zip(request.requests, answers, strict=True)
            ]
        )

    async def Release(self, request: pb.ReleaseRequest, context: Any) -> pb.ReleaseResponse:
        await release(self._db, request.organization_id, request.payment_id)
        return pb.ReleaseResponse()


class Deliveries(reservations_pb2_grpc.DeliveriesServicer):
    """What a mail about an invoice needs; `key` proves pay links."""

    def __init__(self, db: Database, key: bytes, find_slip: FindTransferSlip = no_transfer_slip) -> None:
        self._db = db
        self._key = key
        self._find_slip = find_slip

    async def GetInvoiceDelivery(
        self, request: pb.GetInvoiceDeliveryRequest, context: Any
    ) -> pb.InvoiceDelivery:
        delivery = await get_invoice_delivery(
            self._db, self._key, self._find_slip, request.organization_id, request.invoice_id
        )
        return pb.InvoiceDelivery(
            pay_link_token=delivery.pay_link_token,
            amount_due=to_proto_money(delivery.amount_due),
            file_name=delivery.file_name,
            pdf=delivery.pdf,
            kind=invoices_pb2.InvoiceKind.Value(f"INVOICE_KIND_{delivery.kind.name}"),
            about_invoice_number=delivery.about_number,
            early_discount=to_proto_money(delivery.early_discount) if delivery.early_discount else None,
            early_discount_until=delivery.early_discount_until.isoformat()
            if delivery.early_discount_until
            else "",
        )
