"""How often lines are matched rightly by themselves.

Precision: of the lines that were matched by themselves, the share whose customer, invoices and amounts are all true.
Recall: of the lines that belong to open invoices, those that nobody could decide included, the share that is matched
by itself and rightly.
"""

from collections import Counter, defaultdict

import pytest

from services.payments.domain.line_matching import Matcher
from services.payments.domain.matching import Knowledge, Proposal
from tests.unit.payments.matching.kinds import PLAN
from tests.unit.payments.matching.statements import Labelled, Maker
from tests.unit.payments.matching.world import make_world

SEEDS = (11, 12, 13, 14)
LINES = 3000
LEAST_PRECISION = 0.999
LEAST_RECALL = 0.9


def is_right(label: Labelled, proposal: Proposal) -> bool:
    parts = tuple(sorted((part.invoice_id, part.amount.minor_units) for part in proposal.parts))
    return bool(label.parts) and label.customer_id == proposal.customer_id and label.parts == parts


def run(seed: int) -> list[tuple[Labelled, Proposal | None]]:
    """Lines of a made-up business with what became of them."""
    world = make_world(seed)
    items, history = world.as_open_items(), dict(world.history)
    labelled = {each.line.bank_line_id: each for each in Maker(world).make(PLAN, LINES)}
    matcher = Matcher(Knowledge(items=items, history=history, other_names=world.names))
    decisions = matcher.decide([each.line for each in labelled.values()])
    assert len(decisions) == len(labelled)
    return [(labelled[each.bank_line_id], each.proposal) for each in decisions]


def test_lines_that_are_matched_by_themselves_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [outcome for seed in SEEDS for outcome in run(seed)]
    automatic = [(label, proposal) for label, proposal in outcomes if proposal is not None]
    right = sum(is_right(label, proposal) for label, proposal in automatic)
    belonging = sum(bool(label.parts) for label, _ in outcomes)
    undecidable = sum(not label.is_decidable for label, _ in outcomes)
    precision, recall = right / len(automatic), right / belonging
    with capsys.disabled():
        _report(outcomes)
        print(
            f"\n{len(outcomes)} lines (seeds {SEEDS}), {undecidable} of them undecidable,"
            f" {belonging} belong to invoices;"
            f" {len(automatic)} matched by themselves, {len(automatic) - right} of them wrongly:"
            f" precision {precision:.5f}, recall {recall:.4f}"
        )
    assert undecidable / len(outcomes) >= 0.1
    assert precision >= LEAST_PRECISION
    assert recall > LEAST_RECALL


def _report(outcomes: list[tuple[Labelled, Proposal | None]]) -> None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for label, proposal in outcomes:
        what = "waits" if proposal is None else "right" if is_right(label, proposal) else "wrong"
        counts[label.kind][what] += 1
    print(f"\n{'kind of line':36}{'right':>8}{'wrong':>8}{'waits':>8}")
    for kind, count in sorted(counts.items(), key=lambda each: -each[1].total()):
        print(f"{kind:36}{count['right']:8}{count['wrong']:8}{count['waits']:8}")
