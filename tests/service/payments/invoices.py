"""Invoicing's side of the payments saga, in memory: what payments can be tested against on its own."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

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
    version: int = 1
    disputed: bool = False
    due_date: str = "2026-01-31"
    purchase_order_number: str = ""
    asked_now: int | None = None
    discounted: int | None = None
    """What settles it before `discount_ends_at`."""
    discount_ends_at: datetime | None = None

    @property
    def due(self) -> int:
        return self.total.minor_units - self.paid


class Invoices(reservations_pb2_grpc.ReservationsServicer):
    """Holds parts of invoices by the contract's rules; `away` makes it answer UNAVAILABLE."""

    def __init__(self) -> None:
        self.by_id: dict[str, Invoice] = {}
        self.released: list[str] = []
        self.away = False
        self.expires_at: dict[str, datetime] = {}
        """Until when a payment asked to hold its parts, in UTC without a zone."""
        self.names: dict[str, str] = {}
        """By customer."""
        self.credit: dict[str, int] = {}
        """By customer, what is held for a payment taken off."""
        self.held_credit: dict[str, tuple[str, int]] = {}

    def add(self, invoice_id: str, amount: int, *, currency: str = "USD", customer_id: str = "cus_1") -> str:
        """An open invoice."""
        number = f"INV-{len(self.by_id) + 1:04d}"
        self.by_id[invoice_id] = Invoice(number, customer_id, Money(amount, currency))
        return invoice_id

    def settle(self, payment_id: str) -> None:
        """What invoicing does when it hears that a payment succeeded."""
        for invoice in self.by_id.values():
            paid = invoice.held.pop(payment_id, 0)
            invoice.paid += paid
            invoice.version += 1 if paid else 0
        self.held_credit.pop(payment_id, None)

    def holders(self, invoice_id: str) -> list[str]:
        """Payments that hold a part of the invoice."""
        return list(self.by_id[invoice_id].held)

    async def Reserve(
        self, request: reservations_pb2.ReserveRequest, context: Any
    ) -> reservations_pb2.Reservation:
        self.answer_or_not()
        for part in request.parts:
            self._check(request, part)
        self._hold_credit(request)
        self.expires_at[request.payment_id] = request.expires_at.ToDatetime()
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

    async def ReserveMany(
        self, request: reservations_pb2.ReserveManyRequest, context: Any
    ) -> reservations_pb2.ReserveManyResponse:
        answers = reservations_pb2.ReserveManyResponse()
        for one in request.requests:
            try:
                answers.answers.add(reservation=await self.Reserve(one, context))
            except ServiceError as error:
                if error.kind is Kind.UNAVAILABLE:
                    raise
                answers.answers.add(reason=error.reason, message=error.message, metadata=error.metadata)
        return answers

    async def PlanPayment(
        self, request: reservations_pb2.PlanPaymentRequest, context: Any
    ) -> reservations_pb2.PaymentPlan:
        self.answer_or_not()
        ids = list(request.invoice_ids) or list(self.by_id)
        own = {request.payment_id, *request.replaced_payment_ids}
        mine = [
            one for one in ids if one in self.by_id and self.by_id[one].customer_id == request.customer_id
        ]
        if request.invoice_ids and len(mine) < len(ids):
            raise ServiceError(Kind.NOT_FOUND, "INVOICE_NOT_FOUND", "There is no such invoice.")
        currency = request.amount.currency or next((self.by_id[one].total.currency for one in mine), "USD")
        plan, payable = reservations_pb2.PaymentPlan(), 0
        rooms: list[tuple[str, int]] = []
        for invoice_id in mine:
            room, reason = self._room(invoice_id, own)
            if reason:
                plan.skipped.add(invoice_id=invoice_id, number=self.by_id[invoice_id].number, reason=reason)
            else:
                rooms.append((invoice_id, room))
                payable += room
        left = request.amount.minor_units if request.HasField("amount") else payable
        for invoice_id, room in rooms:
            if min(room, left) > 0:
                invoice = self.by_id[invoice_id]
                plan.parts.add(
                    invoice_id=invoice_id,
                    number=invoice.number,
                    amount=money_pb2.Money(minor_units=min(room, left), currency=currency),
                    version=invoice.version,
                    amount_due=money_pb2.Money(minor_units=invoice.due, currency=currency),
                )
                left -= min(room, left)
        credit = self.credit.get(request.customer_id, 0)
        credit += sum(self.held_credit.get(one, ("", 0))[1] for one in own)
        total = sum(part.amount.minor_units for part in plan.parts)
        sums = {
            "credit_used": 0 if request.keep_credit else min(credit, total),
            "rest": left,
            "credit_available": credit,
            "payable": payable,
        }
        for name, units in sums.items():
            getattr(plan, name).CopyFrom(money_pb2.Money(minor_units=units, currency=currency))
        return plan

    def _room(self, invoice_id: str, own: set[str]) -> tuple[int, str]:
        invoice = self.by_id[invoice_id]
        held = sum(units for payment_id, units in invoice.held.items() if payment_id not in own)
        if invoice.due <= 0:
            return 0, "paid"
        if invoice.disputed:
            return 0, "disputed"
        return invoice.due - held, "" if invoice.due > held else "being_paid"

    def _hold_credit(self, request: reservations_pb2.ReserveRequest) -> None:
        wanted = request.credit.minor_units
        if not wanted or request.payment_id in self.held_credit:
            return
        if self.credit.get(request.customer_id, 0) < wanted:
            raise ServiceError(Kind.FAILED_PRECONDITION, "CREDIT_CHANGED", "There is less credit.")
        self.credit[request.customer_id] -= wanted
        self.held_credit[request.payment_id] = (request.customer_id, wanted)

    async def Release(
        self, request: reservations_pb2.ReleaseRequest, context: Any
    ) -> reservations_pb2.ReleaseResponse:
        self.answer_or_not()
        self.released.append(request.payment_id)
        for invoice in self.by_id.values():
            invoice.held.pop(request.payment_id, None)
        if request.payment_id in self.held_credit:
            customer_id, units = self.held_credit.pop(request.payment_id)
            self.credit[customer_id] += units
        return reservations_pb2.ReleaseResponse()

    def _check(self, request: reservations_pb2.ReserveRequest, part: reservations_pb2.InvoicePart) -> None:
        invoice = self.by_id.get(part.invoice_id)
        if invoice is None or invoice.customer_id != request.customer_id:
            raise ServiceError(Kind.NOT_FOUND, "INVOICE_NOT_FOUND", "There is no such invoice.")
        if request.payment_id in invoice.held:
            return
        named: Any = {"invoice_id": part.invoice_id}
        if part.expected_version and part.expected_version != invoice.version:
            raise ServiceError(Kind.FAILED_PRECONDITION, "INVOICE_CHANGED", "It has changed.", **named)
        if invoice.due <= 0:
            raise ServiceError(Kind.FAILED_PRECONDITION, "INVOICE_ALREADY_PAID", "It is paid.", **named)
        left = max(0, invoice.due - sum(invoice.held.values()))
        named |= {"left_minor_units": str(left), "currency": invoice.total.currency}
        others = [payment_id for payment_id in invoice.held if payment_id != request.payment_id]
        if others and part.amount.minor_units > left:
            raise ServiceError(
                Kind.FAILED_PRECONDITION, "INVOICE_BEING_PAID", "Being paid.", payment_id=others[0], **named
            )
        if part.amount.minor_units > invoice.due:
            raise ServiceError(Kind.FAILED_PRECONDITION, "AMOUNT_EXCEEDS_DUE", "Too much.", **named)

    def answer_or_not(self) -> None:
        if self.away:
            raise ServiceError(Kind.UNAVAILABLE, "DATABASE_UNAVAILABLE", "The database is away.")


class OpenItems(reservations_pb2_grpc.OpenItemsServicer):
    """Tells what is due of the same invoices."""

    def __init__(self, invoices: Invoices) -> None:
        self._invoices = invoices

    async def FindOpenItems(
        self, request: reservations_pb2.FindOpenItemsRequest, context: Any
    ) -> reservations_pb2.FindOpenItemsResponse:
        """The invoices that are named, and all others of their customers."""
        self._invoices.answer_or_not()
        by_id = self._invoices.by_id
        customers = {by_id[one].customer_id for one in request.invoice_ids if one in by_id}
        customers.update(request.customer_ids)
        amounts = {(amount.minor_units, amount.currency) for amount in request.amounts}
        named = {
            one for one in by_id if _compact(by_id[one].number) in {_compact(n) for n in request.numbers}
        }
        customers.update(by_id[one].customer_id for one in named)
        customers.update(
            one.customer_id for one in by_id.values() if one.due and (one.due, one.total.currency) in amounts
        )
        return reservations_pb2.FindOpenItemsResponse(
            items=[
                reservations_pb2.OpenItem(
                    invoice_id=invoice_id,
                    number=invoice.number,
                    customer_id=invoice.customer_id,
                    customer_name=self._invoices.names.get(invoice.customer_id, ""),
                    amount_due=money_pb2.Money(minor_units=invoice.due, currency=invoice.total.currency),
                    total=money_pb2.Money(
                        minor_units=invoice.total.minor_units, currency=invoice.total.currency
                    ),
                    due_date=invoice.due_date,
                    version=invoice.version,
                    **_asked(invoice),
                )
                for invoice_id, invoice in by_id.items()
                if (invoice.customer_id in customers and invoice.due > 0) or invoice_id in named
            ]
        )

    async def ListDueItems(
        self, request: reservations_pb2.ListDueItemsRequest, context: Any
    ) -> reservations_pb2.ListDueItemsResponse:
        """What can be paid now: disputed invoices and what is held left out, by customer and due date."""
        self._invoices.answer_or_not()
        found = [
            reservations_pb2.OpenItem(
                invoice_id=invoice_id,
                number=invoice.number,
                customer_id=invoice.customer_id,
                amount_due=money_pb2.Money(
                    minor_units=invoice.due - sum(invoice.held.values()), currency=invoice.total.currency
                ),
                due_date=invoice.due_date,
                purchase_order_number=invoice.purchase_order_number,
                **_asked(invoice),
            )
            for invoice_id, invoice in self._invoices.by_id.items()
            if invoice.customer_id in request.customer_ids
            and not invoice.disputed
            and invoice.due > sum(invoice.held.values())
            and (not request.due_until or invoice.due_date <= request.due_until)
        ]
        return reservations_pb2.ListDueItemsResponse(
            items=sorted(found, key=lambda item: (item.customer_id, item.due_date, item.invoice_id)),
            credits=[
                reservations_pb2.CustomerCredit(
                    customer_id=customer_id, credit=money_pb2.Money(minor_units=units, currency="USD")
                )
                for customer_id, units in self._invoices.credit.items()
                if customer_id in request.customer_ids and units > 0
            ],
        )

    async def PriceLines(
        self, request: reservations_pb2.PriceLinesRequest, context: Any
    ) -> reservations_pb2.PriceLinesResponse:
        """Each invoice has one line: four of something for the total."""
        self._invoices.answer_or_not()
        by_id = self._invoices.by_id
        if any(line.invoice_id not in by_id or line.line_no != 1 for line in request.lines):
            raise ServiceError(Kind.NOT_FOUND, "INVOICE_LINE_NOT_FOUND", "There is no such line.")
        totals = {line.invoice_id: by_id[line.invoice_id].total for line in request.lines}
        return reservations_pb2.PriceLinesResponse(
            lines=[
                reservations_pb2.PricedLine(
                    invoice_id=invoice_id, line_no=1, description="Chairs", quantity="4",
                    amount=money_pb2.Money(minor_units=total.minor_units, currency=total.currency),
                )
                for invoice_id, total in totals.items()
            ]
        )  # fmt: skip

    async def GetCashAgreement(
        self, request: reservations_pb2.GetCashAgreementRequest, context: Any
    ) -> reservations_pb2.CashAgreement:
        """No sums: these invoices keep no books."""
        return reservations_pb2.CashAgreement()


def _compact(number: str) -> str:
    return "".join(sign for sign in number.upper() if sign.isalnum())


def _asked(invoice: Invoice) -> dict[str, Any]:
    """What is asked for now, and less for whoever pays early."""

    def money(units: int | None) -> money_pb2.Money | None:
        if units is None:
            return None
        return money_pb2.Money(minor_units=units, currency=invoice.total.currency)

    ends_at = None
    if invoice.discount_ends_at is not None:
        ends_at = Timestamp()
        ends_at.FromDatetime(invoice.discount_ends_at)
    return {
        "asked_now": money(invoice.asked_now),
        "discounted_due": money(invoice.discounted),
        "discount_ends_at": ends_at,
    }
