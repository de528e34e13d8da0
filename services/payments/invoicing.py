"""What payments asks of invoicing: hold parts of invoices for a payment, or give them back; what is due."""

from collections.abc import Sequence
from datetime import date, timedelta

import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from chassis.rpc.client import Channel, as_service
from services.payments.domain.case import Case
from services.payments.domain.due_item import Due, DueItem
from services.payments.domain.failure import REFUSALS, refusal
from services.payments.translate.payments import to_proto_money
from tallyport.invoicing.v1 import reservations_pb2, reservations_pb2_grpc

RESERVED_FOR = timedelta(hours=24)
"""Only a safety net: every payment ends long before, and its end releases."""
RESERVE_TIMEOUT_SECONDS = 2.5
RELEASE_TIMEOUT_SECONDS = 1.0
DUE_TIMEOUT_SECONDS = 2.5
_REFUSING = frozenset({Kind.FAILED_PRECONDITION, Kind.INVALID_ARGUMENT, Kind.NOT_FOUND})
_log = structlog.get_logger("payments.invoicing")


class Refused(Exception):
    """Invoicing holds nothing for this payment, and `error` says why."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(error.reason)
        self.error = error

    @property
    def reason(self) -> str:
        """One of REFUSALS, or something that is wrong with the request."""
        return self.error.reason

    @property
    def holder_payment_id(self) -> str:
        """The payment that stands in the way; empty if none was named."""
        return self.error.metadata.get("payment_id", "")

    def for_payer(self) -> ServiceError:
        """The error to answer with: in our own words where we have them."""
        if self.reason not in REFUSALS:
            return self.error
        known = ("invoice_id", "payment_id")
        return refusal(
            self.reason, {name: self.error.metadata[name] for name in known if name in self.error.metadata}
        )


class Reservations:
    """Invoicing's Reservations over mTLS. Repeating a call for the same payment changes nothing."""

    def __init__(self, channel: Channel) -> None:
        self._stub = reservations_pb2_grpc.ReservationsStub(channel)
        self._open_items = reservations_pb2_grpc.OpenItemsStub(channel)

    async def reserve(self, case: Case) -> dict[str, str]:
        """Hold the payment's parts; returns invoice numbers by id.

        Raises Refused if invoicing says no, and ServiceError if it is not known whether it holds them.
        """
        payment = case.payment
        expires_at = Timestamp()
        expires_at.FromDatetime(payment.created_at + RESERVED_FOR)
        request = reservations_pb2.ReserveRequest(
            organization_id=case.organization_id,
            payment_id=payment.payment_id,
            customer_id=payment.customer_id,
            parts=[
                reservations_pb2.InvoicePart(invoice_id=part.invoice_id, amount=to_proto_money(part.amount))
                for part in payment.parts
            ],
            expires_at=expires_at,
        )
        call = as_service(
            self._stub.Reserve, idempotency_key=payment.payment_id, timeout_seconds=RESERVE_TIMEOUT_SECONDS
        )
        try:
            reservation = await call(request)
        except ServiceError as error:
            if error.kind in _REFUSING:
                raise Refused(error) from error
            raise
        return {part.invoice_id: part.number for part in reservation.parts}

    async def release(self, organization_id: str, payment_id: str) -> None:
        """Give back at once what a payment held. Best effort: the payment's event does it for certain."""
        request = reservations_pb2.ReleaseRequest(organization_id=organization_id, payment_id=payment_id)
        call = as_service(
            self._stub.Release, idempotency_key=payment_id, timeout_seconds=RELEASE_TIMEOUT_SECONDS
        )
        try:
            await call(request)
        except ServiceError as error:
            _log.info("reservation will be released by event", payment_id=payment_id, reason=error.reason)

    async def due(
        self, organization_id: str, customer_ids: Sequence[str], *, until: date | None = None
    ) -> Due:
        """What customers (at most 500) have to pay, due until a day or at all. Raises ServiceError."""
        request = reservations_pb2.ListDueItemsRequest(
            organization_id=organization_id,
            customer_ids=customer_ids,
            due_until=until.isoformat() if until is not None else "",
        )
        answer = await as_service(self._open_items.ListDueItems, timeout_seconds=DUE_TIMEOUT_SECONDS)(request)
        credits = [
            (one.customer_id, Money(one.credit.minor_units, one.credit.currency)) for one in answer.credits
        ]
        return Due(
            items=tuple(
                DueItem(
                    invoice_id=item.invoice_id,
                    number=item.number,
                    customer_id=item.customer_id,
                    amount_due=Money(item.amount_due.minor_units, item.amount_due.currency),
                    due_date=date.fromisoformat(item.due_date),
                    purchase_order_number=item.purchase_order_number,
                )
                for item in answer.items
            ),
            credit={(customer_id, credit.currency): credit for customer_id, credit in credits},
        )
