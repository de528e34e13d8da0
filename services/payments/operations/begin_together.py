"""Transaction A of ordinary payments, many in one. Whatever is not ordinary is left to a transaction of its own."""

from collections.abc import Sequence

from chassis import idempotency
from chassis.caller import Audience
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


async def begin_together(desk: Desk, tx: WriteTx, drafts: Sequence[Draft]) -> Sequence[Case | Exception]:
    """Each new payment, or Alone: for keys that were used before, refusals, and payers whom guards or rules know.

    Nothing is refused here, since a transaction of its own looks at the key first.
    """
    found = await together.look(
        tx,
        [draft.customer_id for draft in drafts],
        [subject for draft in drafts for subject in _subjects(draft)],
    )
    made = {
        index: new for index, draft in enumerate(drafts) if (new := _make(desk, draft, found)) is not None
    }
    claims = [idempotency.Claim.of(drafts[index].call, object_id=drafts[index].payment_id) for index in made]
    claimed = await idempotency.claim_many(tx, claims) if claims else []
    answers: list[Case | Exception] = [Alone() for _ in drafts]
    openings = []
    for (index, (payment, attempt)), earlier in zip(made.items(), claimed, strict=True):
        if earlier is not None:
            continue
        draft = drafts[index]
        openings.append(
            Opening(
                payment=payment,
                attempt=attempt,
                subjects=_subjects(draft),
                is_known=draft.call.caller.audience is Audience.CUSTOMER,
            )
        )
        answers[index] = Case(organization=found.organization, payment=payment, attempt=attempt)
    if openings:
        together.begin_many(tx, openings)
    return answers


def _make(desk: Desk, draft: Draft, found: Surroundings) -> tuple[Payment, Attempt] | None:
    """The draft's payment; None if more has to be asked, or it will be refused."""
    payer = found.payers[draft.customer_id]
    if payer.has_rules or payer.terms.policy.limits_parts or UNKNOWN_PAYERS in found.suspects:
        return None
    if not found.suspects.isdisjoint(_subjects(draft)):
        return None
    try:
        return make_ordinary_payment(desk, draft, payer.terms, customer_name=payer.name)
    except (ServiceError, PreviewChangedError):
        return None


def _subjects(draft: Draft) -> list[str]:
    return subjects_for(draft.call, draft.customer_id)
