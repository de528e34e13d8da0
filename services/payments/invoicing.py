"""What payments asks of invoicing: hold parts of invoices for a payment, or give them back; what is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal

import structlog

from chassis.batches import Answers, Batches
from chassis.errors import Kind, ServiceError
from chassis.money import Money
from chassis.rpc.client import Channel, as_service
from services.payments.domain.case import Case
from services.payments.domain.due_item import Due, DueItem
from services.payments.domain.failure import REFUSALS, refusal
from services.payments.domain.payment import Method, Part, Payment
from services.payments.domain.preview import Plan, Skipped
from services.payments.domain.refund_lines import LineName, LinePrice
from services.payments.translate.payments import to_proto_money, to_proto_time
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import reservations_pb2, reservations_pb2_grpc

RESERVED_FOR = timedelta(hours=24)
"""Only a safety net: every payment ends long before, and its end releases."""
RESERVED_FOR_SLOW: Mapping[Method, timedelta] = {
    Method.BANK_DEBIT: timedelta(days=60),
    Method.STABLECOIN: timedelta(days=7),
}
"""The same for what is on its way for days."""
PLAN_TIMEOUT_SECONDS = 2.5
CHANGED = frozenset({"INVOICE_CHANGED", "CREDIT_CHANGED"})
"""What the payer was shown is not true any more."""
RESERVE_TIMEOUT_SECONDS = 2.5
RESERVE_TOGETHER = 128
"""Payments that are reserved for in one call."""
RESERVE_CALLS = 2
"""Such calls under way at once, each for other organizations."""
RELEASE_TIMEOUT_SECONDS = 1.0
DUE_TIMEOUT_SECONDS = 2.5
FIND_TIMEOUT_SECONDS = 5.0
_REFUSING = frozenset({Kind.FAILED_PRECONDITION, Kind.INVALID_ARGUMENT, Kind.NOT_FOUND})
_log = structlog.get_logger("payments.invoicing")

Held = dict[str, str]
"""Numbers of the held invoices by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanQuery:
    """Which invoices to pay (all when none), and how much (all that is due when None), as the payer means it."""

    organization_id: str
    customer_id: str
    invoice_ids: tuple[str, ...] = ()
    amount: Money | None = None
    keep_credit: bool = False
    currency: str = ""
    replaced_payment_ids: Sequence[str] = ()
    """A payment whose own reservation does not stand in the way."""
    whole_debt: bool = False
    """All that is due also of invoices under an instalment plan, not only what it demands by now."""


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
        known = ("invoice_id", "payment_id", "left_minor_units", "currency")
        return refusal(
            self.reason, {name: self.error.metadata[name] for name in known if name in self.error.metadata}
        )


class Reservations:
    """Invoicing's Reservations over mTLS. Repeating a call for the same payment changes nothing."""

    def __init__(self, channel: Channel) -> None:
        self._stub = reservations_pb2_grpc.ReservationsStub(channel)
        self._open_items = reservations_pb2_grpc.OpenItemsStub(channel)
        self._reserving: Batches[Payment, Held] = Batches(
            self._reserve_all, service="payments", max_batch=RESERVE_TOGETHER, max_running=RESERVE_CALLS
        )

    async def reserve(self, case: Case) -> dict[str, str]:
        """Hold the payment's parts; returns invoice numbers by id.

        Raises Refused if invoicing says no, and ServiceError if it is not known whether it holds them.
        """
        try:
            return await self._reserving.submit(case.organization_id, case.payment)
        except ServiceError as error:
            if error.kind in _REFUSING:
                raise Refused(error) from error
            raise

    async def _reserve_all(self, batch: Mapping[str, Sequence[Payment]]) -> Answers[Held]:
        """One call for all; what only a call of its own can tell in full is asked again by itself."""
        requests = {
            one.payment_id: _reserve_request(organization_id, one)
            for organization_id, payments in batch.items()
            for one in payments
        }
        if len(requests) == 1:
            held = await self._reserve_one(*requests.values())
            return {organization_id: [held] * len(payments) for organization_id, payments in batch.items()}
        call = as_service(
            self._stub.ReserveMany, idempotency_key=next(iter(requests)),
            timeout_seconds=RESERVE_TIMEOUT_SECONDS,
        )  # fmt: skip
        answer = await call(reservations_pb2.ReserveManyRequest(requests=requests.values()))
        answers: dict[str, Held | Exception] = {}
        for payment_id, one in zip(requests, answer.answers, strict=True):
            if not one.reason:
                answers[payment_id] = _numbers(one.reservation)
            elif one.reason in REFUSALS:
                answers[payment_id] = refusal(one.reason, one.metadata)
            else:
                answers[payment_id] = await self._refusal_of(requests[payment_id])
        return {
            organization_id: [answers[one.payment_id] for one in payments]
            for organization_id, payments in batch.items()
        }

    async def _refusal_of(self, request: reservations_pb2.ReserveRequest) -> Held | Exception:
        try:
            return await self._reserve_one(request)
        except ServiceError as error:
            return error

    async def _reserve_one(self, request: reservations_pb2.ReserveRequest) -> Held:
        call = as_service(
            self._stub.Reserve, idempotency_key=request.payment_id, timeout_seconds=RESERVE_TIMEOUT_SECONDS
        )
        return _numbers(await call(request))

    async def plan(self, query: PlanQuery) -> Plan:
        """What a payment would pay now. Raises ServiceError."""
        request = reservations_pb2.PlanPaymentRequest(
            organization_id=query.organization_id,
            customer_id=query.customer_id,
            invoice_ids=query.invoice_ids,
            amount=None if query.amount is None else to_proto_money(query.amount),
            keep_credit=query.keep_credit,
            currency=query.currency,
            replaced_payment_ids=query.replaced_payment_ids,
            whole_debt=query.whole_debt,
        )
        answer = await as_service(self._stub.PlanPayment, timeout_seconds=PLAN_TIMEOUT_SECONDS)(request)
        return _plan(answer)

    async def find_items(
        self, clues: reservations_pb2.FindOpenItemsRequest
    ) -> Sequence[reservations_pb2.OpenItem]:
        """Open invoices, and paid ones that are named, by what bank lines say. Raises ServiceError."""
        call = as_service(self._open_items.FindOpenItems, timeout_seconds=FIND_TIMEOUT_SECONDS)
        return (await call(clues)).items

    async def price_lines(self, organization_id: str, lines: Sequence[LineName]) -> dict[LineName, LinePrice]:
        """What lines of issued invoices came to, tax included. Raises ServiceError."""
        request = reservations_pb2.PriceLinesRequest(
            organization_id=organization_id,
            lines=[
                reservations_pb2.LineName(invoice_id=invoice_id, line_no=line_no)
                for invoice_id, line_no in lines
            ],
        )
        answer = await as_service(self._open_items.PriceLines, timeout_seconds=PLAN_TIMEOUT_SECONDS)(request)
        return {
            (line.invoice_id, line.line_no): LinePrice(
                description=line.description, quantity=Decimal(line.quantity), amount=_money(line.amount)
            )
            for line in answer.lines
        }

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
        spendable = [
            (one.customer_id, Money(one.credit.minor_units, one.credit.currency)) for one in answer.credits
        ]
        return Due(
            items=tuple(_due_item(item) for item in answer.items),
            credit={(customer_id, credit.currency): credit for customer_id, credit in spendable},
        )

    async def invoices(self, organization_id: str, invoice_ids: Sequence[str]) -> list[DueItem]:
        """Those of these invoices that were ever issued, with what is due on each. Raises ServiceError."""
        request = reservations_pb2.FindOpenItemsRequest(
            organization_id=organization_id, invoice_ids=invoice_ids
        )
        answer = await as_service(self._open_items.FindOpenItems, timeout_seconds=DUE_TIMEOUT_SECONDS)(
            request
        )
        wanted = set(invoice_ids)
        return [_due_item(item) for item in answer.items if item.invoice_id in wanted]


def _numbers(reservation: reservations_pb2.Reservation) -> Held:
    return {part.invoice_id: part.number for part in reservation.parts}


def _reserve_request(organization_id: str, payment: Payment) -> reservations_pb2.ReserveRequest:
    """The same for the same payment, however often it is asked."""
    reserved_for = RESERVED_FOR_SLOW.get(payment.method, RESERVED_FOR)
    return reservations_pb2.ReserveRequest(
        organization_id=organization_id,
        payment_id=payment.payment_id,
        customer_id=payment.customer_id,
        parts=[
            reservations_pb2.InvoicePart(
                invoice_id=part.invoice_id,
                amount=to_proto_money(part.amount),
                expected_version=part.expected_version,
            )
            for part in payment.parts
        ],
        expires_at=to_proto_time(payment.created_at + reserved_for),
        credit=to_proto_money(payment.credit_used) if payment.credit_used_minor_units else None,
    )


def _plan(answer: reservations_pb2.PaymentPlan) -> Plan:
    return Plan(
        parts=tuple(
            Part(part.invoice_id, _money(part.amount), part.number, part.version) for part in answer.parts
        ),
        dues={part.invoice_id: _money(part.amount_due) for part in answer.parts},
        credit_used=_money(answer.credit_used),
        rest=_money(answer.rest),
        skipped=[Skipped(one.invoice_id, one.number, one.reason) for one in answer.skipped],
        credit_available=_money(answer.credit_available),
        payable=_money(answer.payable),
    )


def _money(message: money_pb2.Money) -> Money:
    return Money(message.minor_units, message.currency)


def _due_item(item: reservations_pb2.OpenItem) -> DueItem:
    return DueItem(
        invoice_id=item.invoice_id,
        number=item.number,
        customer_id=item.customer_id,
        amount_due=Money(item.amount_due.minor_units, item.amount_due.currency),
        due_date=date.fromisoformat(item.due_date),
        purchase_order_number=item.purchase_order_number,
        asked_now=_money(item.asked_now) if item.HasField("asked_now") else None,
        discounted_due=_money(item.discounted_due) if item.HasField("discounted_due") else None,
        discount_ends_at=(
            item.discount_ends_at.ToDatetime(UTC) if item.HasField("discount_ends_at") else None
        ),
    )
