"""Payers who say that a transfer is on its way: their proof, and closing what staff have looked at."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS
from services.gateway.console.reconciliation.words import refusal
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.payments.v1.transfers_pb2 import CloseTransferClaimRequest, GetTransferProofRequest


@get("/reconciliation/claims/{claim_id:str}/proof", name="console.claim.proof")
async def proof(page: Page, claim_id: FromPath[str]) -> Response[Any]:
    """The payer's proof as a file."""
    found = await page.call(page.to.transfers.GetTransferProof, GetTransferProofRequest(claim_id=claim_id))
    return page.document(found.content, media_type=found.media_type, file_name=found.file_name)


@post("/reconciliation/claims/{claim_id:str}/close", name="console.claim.close")
async def close(page: Page, claim_id: FromPath[str]) -> Response[str]:
    """No money is waited for any more."""
    try:
        await page.call(
            page.to.transfers.CloseTransferClaim,
            CloseTransferClaimRequest(claim_id=claim_id, reason=page.form.text("reason")[:500]),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", refusal(error))
    else:
        page.flash("good", _("The announcement is closed. Money that still comes is matched all the same."))
    return page.redirect("/console/reconciliation")
