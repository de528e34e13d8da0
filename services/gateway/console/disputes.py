"""Objections of customers: the queue, and one of them to be answered and decided."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import disputes, problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import amount_words, read_amount, to_message
from tallyport.invoicing.v1.disputes_pb2 import (
    AssignDisputeRequest,
    DisputeState,
    EscalateDisputeRequest,
    ListDisputesRequest,
    ResolveDisputeRequest,
)

_PERMISSION = "invoices.write"
_OUTCOMES = {
    "accept": DisputeState.DISPUTE_STATE_ACCEPTED,
    "part": DisputeState.DISPUTE_STATE_PARTLY_ACCEPTED,
    "reject": DisputeState.DISPUTE_STATE_REJECTED,
}


@get("/disputes", name="console.disputes")
async def queue(page: Page) -> Response[str]:
    """Open ones, the most urgent first; all with `?show=all`; of one invoice or customer."""
    everything = page.query("show") == "all"
    request = ListDisputesRequest(
        only_open=not everything, page_token=page.query("page"), customer_id=page.query("customer"),
        invoice_id=page.query("invoice"),
    )  # fmt: skip
    answer, organization = await asyncio.gather(
        page.call(page.to.disputes.ListDisputes, request), page.organization()
    )
    return page.render(
        "console_disputes.html",
        disputes=answer.disputes,
        open=answer.open,
        late=answer.late,
        next_token=answer.next_page_token,
        everything=everything,
        zone=organization.time_zone or "UTC",
        now=page.now(),
        **disputes.WORDS,
    )


@get("/disputes/{dispute_id:str}", name="console.dispute")
async def one(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """All of it, and what can be done."""
    return await _page(page, dispute_id)


async def _page(page: Page, dispute_id: str, *, errors: FieldErrors | None = None) -> Response[str]:
    dispute, organization = await asyncio.gather(disputes.get_dispute(page, dispute_id), page.organization())
    return page.render(
        "console_dispute.html",
        status=422 if errors else 200,
        dispute=dispute,
        zone=organization.time_zone or "UTC",
        now=page.now(),
        key=page.new_key(),
        errors=errors or FieldErrors(),
        **disputes.WORDS,
    )


async def _done(page: Page, dispute_id: str, doing: Any, said: str) -> Response[str]:
    """Do it and come back; what the service refuses is said there."""
    try:
        await doing
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", problems.sentence(error))
    else:
        page.flash("good", said)
    return page.redirect(f"/console/disputes/{dispute_id}")


@post("/disputes/{dispute_id:str}/say", name="console.dispute.say")
async def say(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """A message to the customer, a file, or both."""
    require(page, "account.write")
    file, text = await disputes.uploaded(page), page.form.text("text")
    if len(file[1]) > disputes.MOST_BYTES:
        return await _page(page, dispute_id, errors=FieldErrors(file=disputes.too_large()))
    if not text and not file[1]:
        return await _page(
            page, dispute_id, errors=FieldErrors(text=_("Please write something, or add a file."))
        )
    return await _done(page, dispute_id, disputes.say(page, dispute_id, text, file), _("Sent."))


@post("/disputes/{dispute_id:str}/assign", name="console.dispute.assign")
async def assign(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """Whoever presses it looks after it."""
    require(page, _PERMISSION)
    request = AssignDisputeRequest(dispute_id=dispute_id)
    asked = page.call(page.to.disputes.AssignDispute, request)
    return await _done(page, dispute_id, asked, _("You look after it now."))


@post("/disputes/{dispute_id:str}/escalate", name="console.dispute.escalate")
async def escalate(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """Somebody else is to look at it."""
    require(page, _PERMISSION)
    reason = page.form.text("why")[:500]
    if not reason:
        return await _page(page, dispute_id, errors=FieldErrors(why=_("Please say why.")))
    request = EscalateDisputeRequest(dispute_id=dispute_id, reason=reason)
    asked = page.call(page.to.disputes.EscalateDispute, request)
    return await _done(page, dispute_id, asked, _("It is escalated."))


@post("/disputes/{dispute_id:str}/resolve", name="console.dispute.resolve")
async def resolve(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """Credit all or a part of it, or ask for it again."""
    require(page, _PERMISSION)
    outcome = _OUTCOMES.get(page.form.text("outcome"))
    text, errors = page.form.text("resolution")[:500], FieldErrors()
    if outcome is None:
        errors["outcome"] = _("Please choose.")
    if not text:
        errors["resolution"] = _("Please say why. The customer reads it.")
    if errors or outcome is None:
        return await _page(page, dispute_id, errors=errors)
    request = ResolveDisputeRequest(dispute_id=dispute_id, outcome=outcome, text=text)
    if outcome == DisputeState.DISPUTE_STATE_PARTLY_ACCEPTED:
        dispute = await disputes.get_dispute(page, dispute_id)
        amount = read_amount(page.form.text("credit"), dispute.amount.currency)
        if amount is None or amount.is_zero:
            errors["credit"] = amount_words(page.form.text("credit"), dispute.amount.currency)
            return await _page(page, dispute_id, errors=errors)
        request.credit.CopyFrom(to_message(amount))
    asked = page.call(page.to.disputes.ResolveDispute, request, idempotency_key=page.form.text("key"))
    return await _done(page, dispute_id, asked, _("It is settled, and the customer is told."))


@get("/disputes/{dispute_id:str}/files/{evidence_id:str}", name="console.dispute.file")
async def file_to_save(page: Page, dispute_id: FromPath[str], evidence_id: FromPath[str]) -> Response[bytes]:
    """A file to save."""
    return await disputes.evidence(page, dispute_id, evidence_id)


STAFF: list[Any] = [queue, one, say, assign, escalate, resolve, file_to_save]
