"""Disputes in words, and what both the portal and the console do with files."""

from typing import Any, Final

from litestar import Response

from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from services.gateway.web.page import Page
from services.gateway.web.statuses import Status
from tallyport.invoicing.v1.disputes_pb2 import (
    AddDisputeEvidenceRequest,
    AddDisputeMessageRequest,
    Dispute,
    DisputeEntry,
    DisputeReason,
    DisputeSide,
    DisputeState,
    DisputeStep,
    GetDisputeEvidenceRequest,
    GetDisputeRequest,
)

MOST_BYTES: Final = 5 * 1024 * 1024
_STATES = {
    DisputeState.DISPUTE_STATE_OPEN: (_("Being looked at"), "clock", "info"),
    DisputeState.DISPUTE_STATE_ACCEPTED: (_("Accepted"), "check-circle", "good"),
    DisputeState.DISPUTE_STATE_PARTLY_ACCEPTED: (_("Accepted in part"), "half", "good"),
    DisputeState.DISPUTE_STATE_REJECTED: (_("To be paid after all"), "cross-circle", "bad"),
    DisputeState.DISPUTE_STATE_WITHDRAWN: (_("Taken back"), "ban", "neutral"),
    DisputeState.DISPUTE_STATE_SETTLED: (_("Not asked for any more"), "check-circle", "neutral"),
}
_REASONS = {
    DisputeReason.DISPUTE_REASON_NOT_RECEIVED: _("It never came"),
    DisputeReason.DISPUTE_REASON_NOT_AS_AGREED: _("It is broken, or not as agreed"),
    DisputeReason.DISPUTE_REASON_WRONG_AMOUNT: _("Price, quantity or tax are wrong"),
    DisputeReason.DISPUTE_REASON_DUPLICATE: _("It is invoiced twice, or paid already"),
    DisputeReason.DISPUTE_REASON_NOT_ORDERED: _("We never ordered it, or cancelled it"),
    DisputeReason.DISPUTE_REASON_WRONG_DETAILS: _("Our data or the order number are wrong"),
    DisputeReason.DISPUTE_REASON_OTHER: _("Something else"),
}
_STEPS = {
    DisputeStep.DISPUTE_STEP_OPENED: (_("Objection"), "flag"),
    DisputeStep.DISPUTE_STEP_MESSAGE: (_("Message"), "mail"),
    DisputeStep.DISPUTE_STEP_EVIDENCE: (_("File"), "upload"),
    DisputeStep.DISPUTE_STEP_ASSIGNED: (_("Looked after by"), "person"),
    DisputeStep.DISPUTE_STEP_ESCALATED: (_("Escalated"), "alert"),
    DisputeStep.DISPUTE_STEP_CLOSED: (_("Closed"), "check-circle"),
}


def dispute_status(dispute: Dispute) -> Status:
    """Where it stands."""
    word, icon, tone = _STATES.get(dispute.state, (_("Unknown"), "info", "neutral"))
    return Status(gettext(word), icon, tone)


def reason_word(reason: "DisputeReason.ValueType") -> str:
    """Why, in words; empty for one that nobody knows."""
    return gettext(_REASONS[reason]) if reason in _REASONS else ""


def reason_options() -> list[tuple[str, str]]:
    """All reasons for a choice."""
    return [("", gettext(_("Please choose"))), *((str(one), gettext(word)) for one, word in _REASONS.items())]


def reason_of(text: str) -> "DisputeReason.ValueType":
    """What was chosen; unspecified for anything else."""
    return {str(one): one for one in _REASONS}.get(text, DisputeReason.DISPUTE_REASON_UNSPECIFIED)


def step_word(entry: DisputeEntry) -> str:
    """What a step was."""
    return gettext(_STEPS[entry.step][0]) if entry.step in _STEPS else ""


def step_icon(entry: DisputeEntry) -> str:
    """The sign for it."""
    return _STEPS[entry.step][1] if entry.step in _STEPS else "info"


WORDS: Final[dict[str, Any]] = {
    "dispute_status": dispute_status,
    "reason_word": reason_word,
    "step_word": step_word,
    "step_icon": step_icon,
    "staff_side": DisputeSide.DISPUTE_SIDE_STAFF,
    "OPEN": DisputeState.DISPUTE_STATE_OPEN,
}
"""What the templates say."""


async def get_dispute(page: Page, dispute_id: str) -> Dispute:
    """With all that was said. NOT_FOUND for a foreign one."""
    return await page.call(page.to.disputes.GetDispute, GetDisputeRequest(dispute_id=dispute_id))


async def evidence(page: Page, dispute_id: str, evidence_id: str) -> Response[bytes]:
    """A file to save, never to be shown: it is somebody else's."""
    request = GetDisputeEvidenceRequest(dispute_id=dispute_id, evidence_id=evidence_id)
    file = await page.call(page.to.disputes.GetDisputeEvidence, request)
    return page.document(file.content, media_type=file.media_type, file_name=file.file_name)


async def uploaded(page: Page) -> tuple[str, bytes]:
    """Name and content of the file of a form; nothing when none was chosen."""
    file = page.form.files.get("file")
    if file is None:
        return "", b""
    return (file.filename or "")[-200:], await file.read()


def too_large() -> str:
    """What is said about a file that is."""
    return gettext(_("The file is larger than 5 MB. Please choose a smaller one."))


async def say(page: Page, dispute_id: str, text: str, file: tuple[str, bytes]) -> None:
    """Add a message, a file, or both. Raises what the service refuses."""
    key = page.form.text("key")
    if file[1]:
        request = AddDisputeEvidenceRequest(dispute_id=dispute_id, file_name=file[0], content=file[1])
        await page.call(page.to.disputes.AddDisputeEvidence, request, idempotency_key=f"{key}-file")
    if text:
        message = AddDisputeMessageRequest(dispute_id=dispute_id, text=text[:4000])
        await page.call(page.to.disputes.AddDisputeMessage, message, idempotency_key=key)
