"""Quotes in the test coin: how much to send where."""

import hashlib
from decimal import ROUND_UP, Decimal
from typing import Any

COIN = "TUSD"
_COINS_PER_UNIT = {"USD": Decimal(1), "EUR": Decimal("1.08"), "GBP": Decimal("1.27")}
_MICRO = Decimal("0.000001")
_MINOR_PER_UNIT = 100


def quote_for(checkout_id: str, amount_minor_units: int, currency: str) -> dict[str, Any]:
    """What a checkout remembers about its quote."""
    digest = hashlib.sha256(checkout_id.encode()).hexdigest()
    return {
        "coin": COIN,
        "address": f"0xtest{digest[:34]}",
        "coins": coins_for(amount_minor_units, currency),
        "received_minor_units": 0,
        "late": False,
    }


def coins_for(amount_minor_units: int, currency: str) -> str:
    """An amount in coins, never too few."""
    rate = _COINS_PER_UNIT.get(currency, Decimal(1))
    coins = Decimal(amount_minor_units) * rate / _MINOR_PER_UNIT
    return f"{coins.quantize(_MICRO, rounding=ROUND_UP):f}"
