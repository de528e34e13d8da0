"""Coins count as they came: payers choose the sum themselves, and nobody can send coins back by refusing them."""

from dataclasses import replace

from chassis.money import Money
from services.payments.domain.outcome import Outcome, Status
from services.payments.domain.payment import Method, Part, Payment
from services.payments.domain.refund import share_of


def as_came(payment: Payment, outcome: Outcome) -> Payment:
    """The payment with the sum that came in coins, if that is another than was asked for; else the very same.

    More than was asked for becomes credit. With less, the surcharge shrinks in proportion, and the invoices get what
    there is in their order.
    """
    came = outcome.amount
    if (
        payment.method is not Method.STABLECOIN
        or outcome.status is not Status.SUCCEEDED
        or outcome.status.rank <= payment.status.rank
        or came is None
        or came == payment.amount
        or came.currency != payment.amount.currency
        or came.minor_units <= 0
    ):
        return payment
    surcharge = payment.surcharge_minor_units
    if came < payment.amount:
        surcharge = share_of(surcharge, part=came.minor_units, of=payment.amount.minor_units)
    left = came - Money(surcharge, came.currency) + payment.credit_used
    parts: list[Part] = []
    for part in payment.parts:
        if not left.is_zero:
            parts.append(replace(part, amount=min(part.amount, left)))
            left -= parts[-1].amount
    return replace(
        payment,
        amount=came,
        surcharge_minor_units=surcharge,
        parts=tuple(parts),
        prepayment_minor_units=left.minor_units,
    )
