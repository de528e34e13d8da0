"""Reservations, plans and money received, as the payments service speaks of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date

from chassis.errors import ServiceError, invalid
from services.invoicing.domain.instalment_plan import Demand
from services.invoicing.domain.payment_preview import Plan
from services.invoicing.domain.reservation import Part, Reservation, Wish
from services.invoicing.store.payments import ReceivedPayment
from services.invoicing.translate.values import from_proto_money, to_proto_money
from tallyport.invoicing.v1 import reservations_pb2 as pb
from tallyport.payments.v1 import events_pb2 as payments_events


def from_proto_wish(request: pb.ReserveRequest) -> Wish:
    """What a payment wants to hold; VALIDATION_FAILED unless its parts and its credit fit each other."""
    parts = _parts(request.parts)
    credit = None
    if request.HasField("credit") and request.credit.minor_units:
        credit = from_proto_money("credit", request.credit)
        if not parts:
            raise invalid("credit", "alone", "Credit is held for parts of invoices only.")
        wanted = [part.amount for part in parts if part.amount.currency == credit.currency]
        if credit.is_negative or credit.minor_units > sum(amount.minor_units for amount in wanted):
            raise invalid("credit", "range", "Credit pays parts of invoices in its own currency.")
    return Wish(
        payment_id=request.payment_id,
        customer_id=request.customer_id,
        parts=parts,
        expires_at=request.expires_at.ToDatetime(UTC),
        credit=credit,
    )


def from_proto_wishes(request: pb.ReserveManyRequest) -> list[tuple[str, Wish | ServiceError]]:
    """Each wish, or what is wrong with it, with its organization. VALIDATION_FAILED if a payment is named twice."""
    if len({one.payment_id for one in request.requests}) < len(request.requests):
        raise invalid("requests", "unique", "Each payment can be named once.")
    wishes: list[tuple[str, Wish | ServiceError]] = []
    for one in request.requests:
        try:
            wishes.append((one.organization_id, from_proto_wish(one)))
        except ServiceError as error:
            wishes.append((one.organization_id, error))
    return wishes


def to_proto_reservation(payment_id: str, held: Iterable[Reservation]) -> pb.Reservation:
    return pb.Reservation(
        payment_id=payment_id,
        parts=[
            pb.ReservedPart(
                invoice_id=part.invoice_id, number=part.number, amount=to_proto_money(part.amount)
            )
            for part in held
        ],
    )


def to_proto_answer(payment_id: str, answer: Sequence[Reservation] | ServiceError) -> pb.ReserveAnswer:
    if isinstance(answer, ServiceError):
        return pb.ReserveAnswer(reason=answer.reason, message=answer.message, metadata=answer.metadata)
    return pb.ReserveAnswer(reservation=to_proto_reservation(payment_id, answer))


def to_proto_plan(plan: Plan) -> pb.PaymentPlan:
    return pb.PaymentPlan(
        parts=[
            pb.PlannedPart(
                invoice_id=part.invoice.invoice_id,
                number=part.invoice.number or "",
                amount=to_proto_money(part.amount),
                version=part.invoice.version,
                amount_due=to_proto_money(part.settles),
                discount=None if part.discount is None else to_proto_money(part.discount),
                due_date=part.invoice.due_date.isoformat(),
                instalment=None if part.demand is None else _instalment(part.demand),
            )
            for part in plan.parts
        ],
        credit_used=to_proto_money(plan.credit_used),
        rest=to_proto_money(plan.rest),
        skipped=[
            pb.PlanSkip(
                invoice_id=skip.invoice.invoice_id, number=skip.invoice.number or "", reason=skip.reason.value
            )
            for skip in plan.skipped
        ],
        credit_available=to_proto_money(plan.credit_available),
        payable=to_proto_money(plan.payable),
    )


def _instalment(demand: Demand) -> pb.PlannedInstalment:
    return pb.PlannedInstalment(
        plan_id=demand.plan_id,
        number=demand.number,
        count=demand.count,
        due_on=demand.due_on.isoformat(),
        asked=to_proto_money(demand.asked),
    )


def from_proto_payment(message: payments_events.PaymentSucceeded) -> tuple[ReceivedPayment, list[Part]]:
    """The money and what the payer meant it for."""
    received = from_proto_money("amount", message.amount)
    nothing = received - received
    payment = ReceivedPayment(
        payment_id=message.payment_id,
        customer_id=message.customer_id,
        received=received,
        receipt_number=message.receipt_number,
        received_on=date.fromisoformat(message.received_on),
        surcharge=(
            from_proto_money("surcharge", message.surcharge) if message.surcharge.minor_units else nothing
        ),
        credit_used=(
            from_proto_money("credit_used", message.credit_used)
            if message.credit_used.minor_units
            else nothing
        ),
    )
    parts = [Part(part.invoice_id, from_proto_money("amount", part.amount)) for part in message.parts]
    return payment, parts


def _parts(messages: Iterable[pb.InvoicePart]) -> list[Part]:
    """Parts of different invoices, each more than zero; VALIDATION_FAILED otherwise."""
    parts: list[Part] = []
    seen: set[str] = set()
    for index, message in enumerate(messages):
        amount = from_proto_money(f"parts[{index}].amount", message.amount)
        if amount.minor_units <= 0:
            raise invalid(f"parts[{index}].amount", "positive", "The amount must be more than zero.")
        if message.invoice_id in seen:
            raise invalid(f"parts[{index}].invoice_id", "unique", "Each invoice can be named once.")
        seen.add(message.invoice_id)
        parts.append(Part(message.invoice_id, amount, message.expected_version))
    return parts
