"""See signs of hardship and suggest a plan within the policy. Nothing is agreed by it; a no is taken for an answer."""

from datetime import date, timedelta

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.errors import ServiceError
from services.invoicing.domain.instalment_plan import Choice, Interval
from services.invoicing.domain.plan_policy import Signs
from services.invoicing.domain.plan_proposal import Proposal
from services.invoicing.operations.propose_instalments import Wanted, proposed
from services.invoicing.operations.visibility import must_see_customer
from services.invoicing.store.customers import get_customer
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.plan_policies import (
    SIGNS_COUNT_DAYS,
    Suggested,
    put_suggested,
    signs_of,
    suggested,
)
from services.invoicing.translate.instalment_plans import to_proto_proposal, to_proto_signs
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb

QUIET_DAYS = 180
"""After a suggestion was shown on one day, or declined, there is none for so long."""


async def get_plan_suggestion(db: Database, customer_id: str) -> pb.PlanSuggestion:
    """What is suggested now, with what it rests on. CUSTOMER_NOT_FOUND."""
    async with db.read(current_call().organization_id) as tx:
        await must_see_customer(tx, customer_id)
        await get_customer(tx, customer_id)
        today = (await get_organization(tx)).date_of(tx.now())
        return await _suggestion(tx, customer_id, today)


async def answer_plan_suggestion(db: Database, customer_id: str, *, declined: bool) -> pb.PlanSuggestion:
    """Note that it was shown, or is not wanted. CUSTOMER_NOT_FOUND."""

    async def work(tx: WriteTx) -> pb.PlanSuggestion:
        await must_see_customer(tx, customer_id)
        today = (await get_organization(tx)).date_of(tx.now())
        before = await suggested(tx, customer_id)
        if before is None or _is_over(before, today):
            before = Suggested(today, declined=False)
        await put_suggested(tx, customer_id, Suggested(before.first_shown_on, before.declined or declined))
        if declined:
            audit.record(tx, "plan_suggestion.declined", customer_id)
        return await _suggestion(tx, customer_id, today)

    return await db.run_write(current_call().organization_id, work)


def _is_over(before: Suggested, today: date) -> bool:
    """Long enough ago to be suggested anew."""
    return today >= before.first_shown_on + timedelta(days=QUIET_DAYS)


async def _suggestion(tx: ReadTx, customer_id: str, today: date) -> pb.PlanSuggestion:
    since = tx.now() - timedelta(days=SIGNS_COUNT_DAYS)
    signs = await signs_of(tx, customer_id, today=today, since=since)
    before = await suggested(tx, customer_id)
    if before is not None and _is_over(before, today):
        before = None
    answer = pb.PlanSuggestion(
        signs=to_proto_signs(signs),
        first_shown_on=before.first_shown_on.isoformat() if before else "",
        declined=before.declined if before else False,
    )
    proposal = await _proposal(tx, customer_id, signs, today)
    if proposal is not None:
        answer.proposal.CopyFrom(to_proto_proposal(proposal))
        is_shown_today = before is None or (before.first_shown_on == today and not before.declined)
        answer.shown = is_shown_today
    return answer


async def _proposal(tx: ReadTx, customer_id: str, signs: Signs, today: date) -> Proposal | None:
    """None without signs, and where the policy has nothing to offer or a plan is there already."""
    if not signs.suggest_help:
        return None
    wanted = Wanted(customer_id=customer_id, invoice_ids=(), choice=Choice(0, Interval.MONTH, None))
    try:
        found, _ = await proposed(tx, wanted, today)
    except ServiceError as error:
        if error.reason == "PLAN_EXISTS":
            return None
        raise
    return None if found.refusal else found
