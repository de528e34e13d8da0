"""How certain each kind of evidence is, in per mille; measured on labelled statements.

From 950 a line is matched by itself. So whatever can mislead (a sum that fits twice, a number beside another
customer's name, a number of a paid invoice) stays below, however good the rest looks.
"""

from dataclasses import dataclass
from enum import Enum

from services.payments.domain.invoice_numbers import Form
from services.payments.domain.item_sums import SumOf
from services.payments.domain.line_evidence import Payer
from services.payments.domain.payer_names import Likeness

SPECIFIC_PER_MILLE = 550
"""From here on a proposal says more than just who paid."""
DOUBTFUL_PER_MILLE = 900
SMALL_CHANCE = 0.002
"""Expected sets of invoices that make a sum by coincidence."""


class Fit(Enum):
    """The sum against what is due on the invoices that a line names."""

    EXACT = "exact"
    LESS = "less"
    MORE = "more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What can be wrong though numbers are named."""

    elsewhere: bool
    already_paid: bool
    ambiguous: bool
    unknown_number: bool
    rival: bool
    other_fit: bool
    cut: bool
    disproportionate: bool


def by_number(form: Form, fit: Fit, payer: Payer, *, items: int, doubt: Doubt) -> int:
    """Invoices that are named."""
    known = payer.is_supported
    if fit is Fit.EXACT:
        confidence = {
            Form.CREDITOR_REFERENCE: 995,
            Form.FULL: 990,
            Form.DIGITS: 975 if known else 940,
            Form.NOISY: 955 if known else 850,
        }[form]
    elif items > 1 and fit is Fit.LESS:
        confidence = DOUBTFUL_PER_MILLE  # which of them is short?
    elif form >= Form.FULL:
        sure = known or form is Form.CREDITOR_REFERENCE
        confidence = (960 if fit is Fit.LESS else 955) if sure else 930
    else:
        confidence = 850 if known else 600
    doubtful = (
        doubt.elsewhere or doubt.already_paid or doubt.ambiguous or doubt.other_fit or doubt.disproportionate
    )
    doubtful = doubtful or doubt.cut or (doubt.rival and form is not Form.CREDITOR_REFERENCE)
    doubtful = doubtful or (doubt.unknown_number and (fit is not Fit.EXACT or not known))
    return min(confidence, DOUBTFUL_PER_MILLE) if doubtful else confidence


def by_amount(payer: Payer, *, only_item: bool, only_customer: bool, slip: bool, contradicted: bool) -> int:
    """The very sum is due on an invoice that is not named. A sum that others owe as well needs name and account."""
    if payer.is_certain:
        confidence = 975
    elif payer.is_known and (only_customer or slip):
        confidence = 960
    elif payer.is_known:
        confidence = 930
    elif payer.is_supported:
        confidence = 955 if slip and only_customer else 880
    else:
        confidence = 600 if only_customer else 300
    if not only_item:
        confidence = min(confidence, 800)
    return min(confidence, 850) if contradicted else confidence


def by_sum(payer: Payer, found: SumOf, *, all_open: bool, contradicted: bool, names_some: bool) -> int:
    """Several open invoices of a customer make the sum."""
    unlikely_by_chance = found.is_only and found.chance < SMALL_CHANCE
    if unlikely_by_chance and payer.is_known:
        confidence = 965 if payer.is_certain or all_open or names_some else 952
    elif found.is_only and payer.is_known:
        confidence = 930
    else:
        confidence = 880 if found.is_only else 700
    if payer.likeness is Likeness.NONE and not payer.times_seen:
        confidence = min(confidence, 800)
    return min(confidence, 850) if contradicted else confidence


def by_claim(payer: Payer, *, only_claim: bool, covers: bool, contradicted: bool) -> int:
    """The customer has announced this very sum."""
    confidence = 970 if payer.is_known else 955 if payer.is_supported else DOUBTFUL_PER_MILLE
    if not only_claim or not covers:
        confidence = min(confidence, DOUBTFUL_PER_MILLE)
    return min(confidence, 850) if contradicted else confidence


def by_payer(payer: Payer) -> int:
    """Nothing but who it is."""
    return 500 if payer.is_certain else 450 if payer.is_known else 250


def by_rule(*, contradicted: bool) -> int:
    """Staff have said whose it is."""
    return DOUBTFUL_PER_MILLE if contradicted else 985
