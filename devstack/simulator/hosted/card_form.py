"""The card form, checked field by field. The number is matched with a test card, then forgotten."""

import re
from dataclasses import dataclass, field
from datetime import date

from devstack.simulator import cards

_MAX_NAME = 100


@dataclass(frozen=True)
class CardForm:
    """A filled-in form; `errors` names what to put right, by field."""

    card: cards.TestCard | None
    exp: str
    typed_exp: str
    name: str
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: dict[str, str], today: date) -> "CardForm":
        """Check what was sent."""
        errors: dict[str, str] = {}
        number = cards.digits_of(fields.get("number", ""))
        card = cards.by_number(number)
        if problem := _number_problem(number, card):
            errors["number"] = problem
        typed_exp = fields.get("expiry", "").strip()[:20]
        exp, problem = _expiry(typed_exp, today)
        if problem:
            errors["expiry"] = problem
        digits = 4 if card is not None and card.brand == "amex" else 3
        if not re.fullmatch(r"\d{3,4}", fields.get("cvc", "").strip()):
            errors["cvc"] = f"Enter the {digits} digits of the security code."
        name = fields.get("name", "").strip()
        if not 1 <= len(name) <= _MAX_NAME:
            errors["name"] = "Enter the name as it is on the card."
        return cls(card, exp, typed_exp, name[:_MAX_NAME], errors)


def empty(name: str) -> CardForm:
    """A form nobody has filled in yet."""
    return CardForm(None, "", "", name)


def _number_problem(number: str, card: cards.TestCard | None) -> str:
    if not number:
        return "Enter the card number."
    if not number.isascii() or not number.isdigit() or not 12 <= len(number) <= 19:
        return "A card number has 12 to 19 digits."
    if not cards.passes_luhn(number):
        return "This card number is not right. Please check each digit."
    if card is None:
        return "This is a test page: only the test cards listed below work here."
    return ""


def _expiry(typed: str, today: date) -> tuple[str, str]:
    match = re.fullmatch(r"(\d{1,2})\s*[/ -]?\s*(?:20)?(\d{2})", typed, re.ASCII)
    if match is None or not 1 <= int(match[1]) <= 12:
        return "", "Enter month and year, such as 04/30."
    month, year = int(match[1]), 2000 + int(match[2])
    if (year, month) < (today.year, today.month):
        return "", "This card has expired."
    return f"{month:02d}/{year}", ""
