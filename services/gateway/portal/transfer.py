"""Paying by bank transfer: where to send the money, and telling that it is on its way."""

from litestar import Response, get, post
from litestar.params import FromPath

from services.gateway.portal import transferring
from services.gateway.portal.transferring import Place
from services.gateway.web.page import Page
from tallyport.payments.v1.transfers_pb2 import GetTransferProofRequest

_MOST_INVOICES = 50


def _place(page: Page, named: list[str]) -> Place:
    wanted = tuple(dict.fromkeys(one[:60] for one in named))[:_MOST_INVOICES]
    back = f"/invoices/{wanted[0]}" if len(wanted) == 1 else "/invoices"
    return Place(invoice_ids=wanted, action="/transfer", back=back)


@get("/transfer", name="portal.transfer")
async def show(page: Page) -> Response[str]:
    """Instructions for the invoices of the address: `invoice=...` any number of times."""
    place = _place(page, [str(value) for value in page.request.query_params.getall("invoice", [])])
    if not place.invoice_ids:
        return page.redirect("/invoices")
    return await transferring.instructions_page(page, place)


@post("/transfer", name="portal.transfer.claim")
async def claim(page: Page) -> Response[str]:
    """The payer says that the money is on its way."""
    place = _place(page, page.form.all("invoice"))
    if not place.invoice_ids:
        return page.redirect("/invoices")
    return await transferring.claim(page, place)


@get("/transfer/claims/{claim_id:str}/proof", name="portal.transfer.proof")
async def proof(page: Page, claim_id: FromPath[str]) -> Response[bytes]:
    """What the payer had sent along, to save."""
    found = await page.call(page.to.transfers.GetTransferProof, GetTransferProofRequest(claim_id=claim_id))
    return page.document(found.content, media_type=found.media_type, file_name=found.file_name)
