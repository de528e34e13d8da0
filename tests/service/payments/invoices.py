"""Invoicing's side of the payments saga, in memory: what payments can be tested against on its own."""

from dataclasses import dataclass, field
from typing import Any

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import reservations_pb2, reservations_pb2_grpc


@dataclass
class Invoice:
    """An invoice with what is held of it, by payment."""

    number: str
    customer_id: str
    total: Money
    paid: int = 0
    held: dict[str, int] = field(default_factory=dict)

    @property
    def due(self) -> int:
        return self.total.minor_units - self.paid


class Invoices(reservations_pb2_grpc.ReservationsServicer):
    """Holds parts of invoices by the contract's rules; `away` makes it answer UNAVAILABLE."""

    def __init__(self) -> None:
        self.by_id: dict[str, Invoice] = {}
        self.released: list[str] = []
        self.away = False

    def add(self, invoice_id: str, amount: int, *, currency: str = "USD", customer_id: str = "cus_1") -> str:
        """An open invoice."""
        number = f"INV-{len(self.by_id) + 1:04d}"
        self.by_id[invoice_id] = Invoice(number, customer_id, Money(amount, currency))
        return invoice_id

    def settle(self, payment_id: str) -> None:
        """What invoicing does when it hears that a payment succeeded."""
        for invoice in self.by_id.values():
            invoice.paid += invoice.held.pop(payment_id, 0)

    def holders(self, invoice_id: str) -> list[str]:
        """Payments that hold a part of the invoice."""
        return list(self.by_id[invoice_id].held)

    async def Reserve(
        self, request: reservations_pb2.ReserveRequest, context: Any
    ) -> reservations_pb2.Reservation:
        self._answer_or_not()
        for part in request.parts:
            self._check(request, part)
        for part in request.parts:
            self.by_id[part.invoice_id].held[request.payment_id] = part.amount.minor_units
        return reservations_pb2.Reservation(
            payment_id=request.payment_id,
            parts=[
                reservations_pb2.ReservedPart(
                    invoice_id=part.invoice_id,
                    number=self.by_id[part.invoice_id].number,
                    amount=money_pb2.Money(
                        minor_units=part.amount.minor_units, currency=part.amount.currency
                    ),
                )
                for part in request.parts
            ],
        )

    async def Release(
        self, request: reservations_pb2.ReleaseRequest, context: Any
    ) -> reservations_pb2.ReleaseResponse:
        self._answer_or_not()
        self.released.append(request.payment_id)
        for invoice in self.by_id.values():
            invoice.held.pop(request.payment_id, None)
        return reservations_pb2.ReleaseResponse()

    def _check(self, request: reservations_pb2.ReserveRequest, part: reservations_pb2.InvoicePart) -> None:
        invoice = self.by_id.get(part.invoice_id)
        if invoice is None or invoice.customer_id != request.customer_id:
            raise ServiceError(Kind.NOT_FOUND, "INVOICE_NOT_FOUND", "There is no such invoice.")
        if request.payment_id in invoice.held:
            return
        named: Any = {"invoice_id": part.invoice_id}
        if invoice.due <= 0:
            raise ServiceError(Kind.FAILED_PRECONDITION, "INVOICE_ALREADY_PAID", "It is paid.", **named)
        others = [payment_id for payment_id in invoice.held if payment_id != request.payment_id]
        if others:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "INVOICE_BEING_PAID", "Being paid.", payment_id=others[0], **named
            )
        if part.amount.minor_units > invoice.due:
            raise ServiceError(Kind.FAILED_PRECONDITION, "AMOUNT_EXCEEDS_DUE", "Too much.", **named)

    def _answer_or_not(self) -> None:
        if self.away:
            raise ServiceError(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "The database is away.")
