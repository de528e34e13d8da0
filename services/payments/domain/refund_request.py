"""What staff ask to give back, and whether it may be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.errors import Kind, ServiceError, invalid
from chassis.money import Money
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Part
from services.payments.domain.refund import (
    Destination,
    Refund,
    RefundLine,
    RefundStatus,
    refunded_by_invoice,
    share_of,
)
from services.payments.domain.reversal import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish:
    """What is asked for. `amount` leaves the surcharge out; None means everything that is left, or the parts' sum."""

    payment_id: str
    amount: Money | None
    parts: tuple[Part, ...]
    destination: Destination
    forgives: bool
    reason: str
    lines: tuple[RefundLine, ...] = ()
    """Lines whose sums the parts are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refundable:
    """What decides whether a payment may be refunded, beside its money. `window_days` of 0 is for ever."""

    status: Status
    went_to_provider: bool
    finished_at: datetime | None
    parts: Sequence[Part]
    window_days: int


def agree(
    wish: RefundWish, standing: Standing, payment: Refundable, *, refund_id: str, by: str, now: datetime
) -> Refund:
    """The refund as it will be. Raises ServiceError for what cannot be given back."""
    _check_payment(wish, standing, payment, now=now)
    net = _net(wish, standing)
    if net.minor_units <= 0:
        raise exceeds(standing.nothing)
    _check_parts(wish, standing, payment, net=net)
    surcharge = _surcharge(wish, standing, net)
    amount = net + surcharge
    if amount > standing.left or amount.minor_units <= 0:
        raise exceeds(standing.left)
    numbers = {part.invoice_id: part.invoice_number for part in payment.parts}
    return Refund(
        refund_id=refund_id,
        payment_id=standing.payment_id,
        customer_id=standing.customer_id,
        amount=amount,
        surcharge=surcharge,
        parts=tuple(replace(part, invoice_number=numbers[part.invoice_id]) for part in wish.parts),
        destination=wish.destination,
        forgives=wish.forgives,
        status=_first_status(wish.destination),
        reason=wish.reason,
        requested_by=by,
        created_at=now,
        finished_at=None if wish.destination is Destination.METHOD else now,
        lines=wish.lines,
    )


def exceeds(left: Money) -> ServiceError:
    """Why more than was captured cannot be given back."""
    return ServiceError(
        Kind.FAILED_PRECONDITION,
        "REFUND_EXCEEDS_PAYMENT",
        "This is more than can still be refunded of the payment.",
        refundable_minor_units=str(left.minor_units),
        currency=left.currency,
    )


def not_refundable(cause: str, message: str) -> ServiceError:
    """Why a payment cannot be refunded at all; `cause` is for programs."""
    return ServiceError(Kind.FAILED_PRECONDITION, "PAYMENT_NOT_REFUNDABLE", message, cause=cause)


def _check_payment(wish: RefundWish, standing: Standing, payment: Refundable, *, now: datetime) -> None:
    if payment.status is not Status.SUCCEEDED:
        raise not_refundable("not_succeeded", "Only a payment that has succeeded can be refunded.")
    if standing.returned is not None:
        raise not_refundable("returned", "The bank has returned this payment. There is nothing to refund.")
    if standing.amount.is_zero:
        raise not_refundable("nothing_charged", "Nothing was charged: the payment was made with credit.")
    if wish.destination is Destination.METHOD and not payment.went_to_provider:
        raise invalid(
            "destination",
            "not_possible",
            "This money came directly. Refund it to credit, or hand it over and record it as manual.",
        )
    started = payment.finished_at or now
    if payment.window_days and now - started > timedelta(days=payment.window_days):
        raise not_refundable(
            "too_old", f"Payments can be refunded within {payment.window_days} days; this one is older."
        )
    if standing.has_open_chargeback:
        raise ServiceError(
            Kind.FAILED_PRECONDITION,
            "PAYMENT_DISPUTED",
            "The payer's bank disputes this payment. It can be refunded once that is decided.",
        )


def _net(wish: RefundWish, standing: Standing) -> Money:
    amounts = [part.amount for part in wish.parts] + ([wish.amount] if wish.amount is not None else [])
    for amount in amounts:
        if amount.currency != standing.amount.currency:
            raise ServiceError(
                Kind.INVALID_ARGUMENT,
                "REFUND_CURRENCY",
                f"The payment was made in {standing.amount.currency} and is refunded in it.",
            )
        if amount.minor_units <= 0:
            raise invalid("amount", "not_positive", "The amount must be more than zero.")
    of_parts = sum((part.amount for part in wish.parts), start=standing.nothing)
    if wish.amount is None:
        return of_parts if wish.parts else standing.left - standing.surcharge_left
    if of_parts > wish.amount:
        raise invalid("parts", "more_than_amount", "The parts add up to more than the amount.")
    return wish.amount


def _check_parts(wish: RefundWish, standing: Standing, payment: Refundable, *, net: Money) -> None:
    if len({part.invoice_id for part in wish.parts}) != len(wish.parts):
        raise invalid("parts", "repeated_invoice", "Each invoice may be named once only.")
    paid = {part.invoice_id: part.amount.minor_units for part in payment.parts}
    gone = refunded_by_invoice(standing.refunds)
    for index, part in enumerate(wish.parts):
        if part.invoice_id not in paid:
            raise invalid(f"parts[{index}].invoice_id", "not_paid", "The payment did not pay this invoice.")
        left = paid[part.invoice_id] - gone.get(part.invoice_id, 0)
        if part.amount.minor_units > left:
            raise exceeds(Money(max(left, 0), net.currency))


def _surcharge(wish: RefundWish, standing: Standing, net: Money) -> Money:
    """The surcharge in proportion, so that refunds of everything give back exactly all of it.

    A refund to credit leaves the charge, and so what the charge cost, as they are.
    """
    if wish.destination is Destination.CREDIT:
        return standing.nothing
    left = standing.surcharge_left
    net_left = standing.left - left
    if net >= net_left:
        return left
    whole = standing.amount - standing.surcharge
    gone = whole - net_left
    due = (
        share_of(
            standing.surcharge.minor_units, part=gone.minor_units + net.minor_units, of=whole.minor_units
        )
        - (standing.surcharge - left).minor_units
    )
    bound = left.minor_units
    if bound > 0:
        return Money(max(0, min(due, bound)), net.currency)
    # A discount never takes all of a refund: what rounding leaves over falls on the next one.
    return Money(min(0, max(due, bound, 1 - net.minor_units)), net.currency)


def _first_status(destination: Destination) -> RefundStatus:
    return RefundStatus.SUBMITTING if destination is Destination.METHOD else RefundStatus.SUCCEEDED
