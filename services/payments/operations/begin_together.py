"""Transaction A of ordinary payments, many in one. Whatever is not ordinary is left to a transaction of its own."""

from collections import Counter
from collections.abc import Sequence

from chassis import idempotency
from chassis.database import WriteTx
from chassis.errors import ServiceError
from services.payments.desk import Alone, Desk
from services.payments.domain.attempt import Attempt
from services.payments.domain.case import Case
from services.payments.domain.guard import UNKNOWN_PAYERS
from services.payments.domain.payment import Payment
from services.payments.operations.guard_payments import subjects_for
from services.payments.operations.prepare_payment import (
    Draft,
    PreviewChangedError,
    make_ordinary_payment,
)
from services.payments.store import together
from services.payments.store.together import Opening, Surroundings

TRIES_OF_ONE_PAYER = 2
"""In one batch; a payer's further tries have transactions of their own, one after the other."""


async def begin_together(desk: Desk, tx: WriteTx, drafts: Sequence[Draft]) -> Sequence[Case | Exception]:
    """Each new payment, or Alone: for keys that were used before, refusals, and payers whom guards or rules know,
    or who have a page open.

    Nothing is refused here, since a transaction of its own looks at the key first.
    """
    subjects = [subjects_for(draft.call, draft.customer_id) for draft in drafts]
    found = await together.look(
        tx, [draft.customer_id for draft in drafts], [one for names in subjects for one in names]
    )
    made = {
        index: new
        for index, (draft, tries_before) in enumerate(zip(drafts, _tries_before(subjects), strict=True))
        if tries_before < TRIES_OF_ONE_PAYER
        and found.suspects.isdisjoint(subjects[index])
        and (new := _make(desk, draft, found)) is not None
    }
    claims = [idempotency.Claim.of(drafts[index].call, object_id=drafts[index].payment_id) for index in made]
    claimed = await idempotency.claim_new(tx, claims) if claims else []
    answers: list[Case | Exception] = [Alone() for _ in drafts]
    openings = []
    for (index, (payment, attempt)), is_new in zip(made.items(), claimed, strict=True):
        if not is_new:
            continue
        openings.append(
            Opening(
                payment=payment,
                attempt=attempt,
                subjects=subjects[index],
                is_known=True,
            )
        )
        answers[index] = Case(
            organization=found.organization, payment=payment, attempt=attempt, waiting_payment_ids=()
        )
    if openings:
        together.begin_many(tx, openings)
    return answers


def _make(desk: Desk, draft: Draft, found: Surroundings) -> tuple[Payment, Attempt] | None:
    """The draft's payment; None if more has to be asked, or it will be refused."""
    payer = found.payers[draft.customer_id]
    if (
        payer.has_rules
        or payer.waits_at_page
        or payer.terms.policy.limits_parts
        or UNKNOWN_PAYERS in found.suspects
    ):
        return None
    try:
        return make_ordinary_payment(desk, draft, payer.terms, customer_name=payer.name)
    except (ServiceError, PreviewChangedError):
        return None


def _tries_before(subjects: Sequence[Sequence[str]]) -> list[int]:
    """How often each one's payer comes earlier in the batch. Guards must see what became of some before the next."""
    tries: Counter[str] = Counter()
    before = []
    for payer, *_ in subjects:
        before.append(tries[payer])
        tries[payer] += 1
    return before
