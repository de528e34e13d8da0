"""What a payer wants, and what it comes to before the way to pay has its say."""

import re
from dataclasses import dataclass
from datetime import date

from chassis.errors import invalid
from chassis.money import Money
from services.payments.domain.payment import Method, Part, check_bookable, total_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request to pay: on a hosted page for `method`, with a token, a saved method, or credit alone.

    `customer_id` and `on_behalf_of` are for staff and for automatic payments; all others pay for their own.
    `source` names who makes an automatic payment.
    """

    parts: tuple[Part, ...]
    method: Method = Method.CARD
    return_url: str = ""
    save: bool = False
    card_token: str | None = None
    wallet: str = ""
    """apple_pay or google_pay when `card_token` is a wallet's."""
    payment_method_id: str = ""
    credit: Money | None = None
    prepayment: Money | None = None
    expected_amount: Money | None = None
    scheduled_for: date | None = None
    customer_id: str = ""
    on_behalf_of: str = ""
    source: str = ""

    @property
    def is_hosted(self) -> bool:
        """Paid on the provider's page."""
        return self.card_token is None and not self.payment_method_id and self.method is not Method.CREDIT


def is_card_number(text: str) -> bool:
    """Whether it is a card's number (12 to 19 digits that pass Luhn's test), which must never come here."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{12,19}", digits):
        return False
    doubled = (int(one) * (1 + place % 2) for place, one in enumerate(reversed(digits)))
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0


@dataclass(frozen=True, slots=True)
class Sums:
    """What a wish comes to: `net` is what is to be received for it, surcharge left out."""

    parts: Money
    credit: Money
    prepayment: Money

    @property
    def net(self) -> Money:
        """Parts less credit, with prepayment."""
        return self.parts - self.credit + self.prepayment


def sums_of(wish: Wish) -> Sums:
    """The sums of a wish. Raises ServiceError, naming the field, for what no payment may be made of."""
    currency = _currency(wish)
    zero = Money.zero(currency)
    parts = total_of(wish.parts) if wish.parts else zero
    prepayment = _amount(wish.prepayment, "prepayment", zero)
    credit = _amount(wish.credit, "credit", zero)
    if wish.method is Method.CREDIT and credit.is_zero:
        credit = parts
    if credit > parts:
        raise invalid(
            "credit", "more_than_parts", "Credit can be used for invoices only, up to what is paid of them."
        )
    check_bookable(parts, "parts")
    check_bookable(prepayment, "prepayment")
    sums = Sums(parts, credit, prepayment)
    if wish.method is Method.CREDIT and not sums.net.is_zero:
        raise invalid("credit_only", "not_enough", "Credit alone has to cover everything that is paid.")
    if wish.method is not Method.CREDIT and sums.net.is_zero:
        raise invalid("credit_only", "needed", "Credit covers everything: pay with credit alone.")
    return sums


def _currency(wish: Wish) -> str:
    amounts = [part.amount for part in wish.parts]
    amounts += [one for one in (wish.credit, wish.prepayment, wish.expected_amount) if one is not None]
    if not wish.parts and (wish.prepayment is None or wish.prepayment.is_zero):
        raise invalid("parts", "empty", "Name what is to be paid, or how much is to be paid in advance.")
    if len({amount.currency for amount in amounts}) != 1:
        raise invalid("parts", "mixed_currencies", "All amounts must be in one currency.")
    return amounts[0].currency


def _amount(amount: Money | None, field: str, zero: Money) -> Money:
    if amount is None:
        return zero
    if amount.is_negative:
        raise invalid(field, "negative", "The amount must not be less than zero.")
    return amount
