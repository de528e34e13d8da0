"""Reductions of what is owed without money. Each is an entry of its own; nothing that is final is ever edited."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chassis.money import Money


class AdjustmentKind(StrEnum):
    """Why less is asked for."""

    FORGIVEN_REFUND = "forgiven_refund"
    CREDIT_NOTE = "credit_note"
    EARLY_DISCOUNT = "early_discount"
    WRITE_OFF = "write_off"
    HARDSHIP_DISCOUNT = "hardship_discount"
    RECOVERY = "recovery"


TAXED = frozenset(
    {AdjustmentKind.CREDIT_NOTE, AdjustmentKind.EARLY_DISCOUNT, AdjustmentKind.HARDSHIP_DISCOUNT}
)
"""Those that correct revenue and tax. What is written off keeps its tax, and so does a refund that is forgiven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """So much less is asked for of an invoice; less than zero takes a reduction back. Once for each kind and source."""

    adjustment_id: str
    invoice_id: str
    kind: AdjustmentKind
    source_id: str
    amount: Money
    reason: str
    effective_on: date
