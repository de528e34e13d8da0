"""Reminders of late invoices: where one stands, pausing them, and the policies by which they go out."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from services.gateway.web.page import Page
from services.gateway.web.typed import read_amount, read_day, to_message
from tallyport.invoicing.v1.dunning_pb2 import (
    DeleteDunningPolicyRequest,
    DunningAction,
    DunningDecision,
    DunningPolicy,
    EndDunningPauseRequest,
    GetDunningLetterPdfRequest,
    GetDunningStateRequest,
    ListDunningPoliciesRequest,
    ListDunningPresetsRequest,
    PauseDunningRequest,
    PutDunningPolicyRequest,
)

ADDRESS: Final = "/console/settings/dunning"
_REASONS = {
    "paid": _("It is paid"),
    "paused": _("Reminders are paused"),
    "on_hold": _("The customer is on hold"),
    "disputed": _("All of it is disputed"),
    "einvoice_rejected": _("Its e-invoice was rejected or queried"),
    "on_plan": _("An instalment plan is kept"),
    "promised": _("There is a promise to pay"),
    "claimed": _("The payer says that a transfer is on its way"),
    "autopay": _("It is paid automatically"),
    "processing": _("A payment is on its way"),
    "credit_covers": _("The customer’s credit covers it"),
}


def held_word(reason: str) -> str:
    """Why a level waits."""
    return gettext(_REASONS[reason]) if reason in _REASONS else reason


def decision_word(decision: DunningDecision) -> str:
    """What was decided about a level."""
    if decision.action == DunningAction.DUNNING_ACTION_SENT:
        return gettext(_("Level %(level)s was sent")) % {"level": decision.level}
    return gettext(_("Level %(level)s waits: %(reason)s")) % {
        "level": decision.level,
        "reason": held_word(decision.reason),
    }


@get("/invoices/{invoice_id:str}/reminders", name="console.dunning")
async def one(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """What was sent about an invoice, what comes next, and what keeps it from being sent."""
    return await _page(page, invoice_id)


async def _page(page: Page, invoice_id: str, *, refused: str = "") -> Response[str]:
    request = GetDunningStateRequest(invoice_id=invoice_id)
    return page.render(
        "console_dunning.html",
        status=422 if refused else 200,
        state=await page.call(page.to.dunning.GetDunningState, request),
        invoice_id=invoice_id,
        today=await page.today(),
        key=page.new_key(),
        refused=refused,
        held_word=held_word,
        decision_word=decision_word,
        SENT=DunningAction.DUNNING_ACTION_SENT,
    )


@post("/invoices/{invoice_id:str}/reminders/pause", name="console.dunning.pause")
async def pause(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Nothing is sent about it up to a day."""
    require(page, "invoices.write")
    until, reason = read_day(page.form.text("until")), page.form.text("reason")[:500]
    if until is None or not reason:
        return await _page(page, invoice_id, refused=gettext(_("Please say until when, and why.")))
    request = PauseDunningRequest(invoice_id=invoice_id, until=until.isoformat(), reason=reason)
    try:
        await page.call(page.to.dunning.PauseDunning, request, idempotency_key=page.form.text("key"))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _page(page, invoice_id, refused=problems.sentence(error))
    page.flash("good", gettext(_("Nothing is sent about it until then.")))
    return page.redirect(f"/console/invoices/{invoice_id}/reminders")


@post("/invoices/{invoice_id:str}/reminders/resume", name="console.dunning.resume")
async def resume(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """End a pause before its day."""
    require(page, "invoices.write")
    try:
        request = EndDunningPauseRequest(pause_id=page.form.text("pause"))
        await page.call(page.to.dunning.EndDunningPause, request)
        page.flash("good", gettext(_("The pause is over.")))
    except ServiceError as error:
        if error.kind not in (*REFUSALS, Kind.NOT_FOUND):
            raise
        page.flash("bad", problems.sentence(error))
    return page.redirect(f"/console/invoices/{invoice_id}/reminders")


@get("/reminders/{notice_id:str}/pdf", name="console.dunning.letter")
async def letter(page: Page, notice_id: FromPath[str]) -> Response[Any]:
    """The letter to save."""
    request = GetDunningLetterPdfRequest(notice_id=notice_id)
    file = await page.call(page.to.dunning.GetDunningLetterPdf, request)
    return page.document(file.content, media_type=file.media_type, file_name=file.file_name)


@get("/settings/dunning", name="console.settings.dunning")
async def settings(page: Page) -> Response[str]:
    """The policies by segment, and those to begin with."""
    return await _settings(page)


async def _settings(page: Page, *, refused: str = "") -> Response[str]:
    policies = await page.call(page.to.dunning.ListDunningPolicies, ListDunningPoliciesRequest())
    presets = await page.call(page.to.dunning.ListDunningPresets, ListDunningPresetsRequest())
    organization = await page.organization()
    return page.render(
        "console_settings_dunning.html",
        status=422 if refused else 200,
        policies=policies.policies,
        presets=presets.presets,
        currency=organization.currency,
        refused=refused,
    )


@post("/settings/dunning", name="console.settings.dunning.save")
async def save(page: Page) -> Response[str]:
    """Take a preset for a segment, change days and fees of a policy, or take one away."""
    require(page, "organization.write")
    try:
        if page.form.text("do") == "delete":
            request = DeleteDunningPolicyRequest(segment=page.form.text("segment")[:60])
            await page.call(page.to.dunning.DeleteDunningPolicy, request)
        else:
            policy = await _chosen(page)
            if policy is None:
                return await _settings(
                    page, refused=gettext(_("Please enter whole days, and amounts like 5.00."))
                )
            await page.call(page.to.dunning.PutDunningPolicy, PutDunningPolicyRequest(policy=policy))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _settings(page, refused=problems.sentence(error))
    page.flash("good", gettext(_("Saved. It holds for every invoice from now on.")))
    return page.redirect(ADDRESS)


async def _chosen(page: Page) -> DunningPolicy | None:
    """A preset, or the stored policy with what its form changed; None for what is no number."""
    form, policy = page.form, DunningPolicy()
    if form.text("preset"):
        presets = await page.call(page.to.dunning.ListDunningPresets, ListDunningPresetsRequest())
        found = next((one for one in presets.presets if one.preset == form.text("preset")), None)
        if found is None:
            return None
        policy.CopyFrom(found.policy)
        policy.segment, policy.active = form.text("segment")[:60], True
        return policy
    stored = await page.call(page.to.dunning.ListDunningPolicies, ListDunningPoliciesRequest())
    kept = next((one for one in stored.policies if one.segment == form.text("segment")), None)
    if kept is None:
        return None
    policy.CopyFrom(kept)
    policy.active = form.checked("active")
    currency = (await page.organization()).currency
    for at, level in enumerate(policy.levels):
        days, deadline = form.text(f"days_{at}"), form.text(f"deadline_{at}")
        if not (days.isdecimal() and deadline.isdecimal() and len(days) < 4 and len(deadline) < 4):
            return None
        level.days_after_due, level.deadline_days = int(days), int(deadline)
        level.letter = form.checked(f"letter_{at}")
        level.mail = form.checked(f"mail_{at}")
        fee = form.text(f"fee_{at}")
        amount = read_amount(fee, level.fee.currency or currency) if fee else None
        if fee and amount is None:
            return None
        level.ClearField("fee")
        if amount is not None and not amount.is_zero:
            level.fee.CopyFrom(to_message(amount))
    return policy


STAFF: list[Any] = [one, pause, resume, letter]
SETTINGS: list[Any] = [settings, save]
