"""Objections for the holder of a pay link: those to the one invoice of the link."""

from litestar import Response, get, post
from litestar.params import FromPath

from services.gateway.portal import disputes
from services.gateway.web import disputes as files
from services.gateway.web.page import Page


@get("/dispute", name="pay_link.dispute.new")
async def new(page: Page) -> Response[str]:
    """The form; or the objection that there is, with `?open=yes`."""
    return await disputes.form_page(page, page.session.invoice_id)


@post("/dispute", name="pay_link.dispute.open")
async def submit(page: Page) -> Response[str]:
    """Opens it."""
    return await disputes.open_it(page, page.session.invoice_id)


@get("/disputes/{dispute_id:str}", name="pay_link.dispute")
async def show(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """What was said, and where it stands."""
    return await disputes.dispute_page(page, dispute_id)


@post("/disputes/{dispute_id:str}", name="pay_link.dispute.say")
async def say(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """A message, a file, or both."""
    return await disputes.say_it(page, dispute_id)


@post("/disputes/{dispute_id:str}/withdraw", name="pay_link.dispute.withdraw")
async def withdraw(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """All of it is to be paid again."""
    return await disputes.take_back(page, dispute_id)


@get("/disputes/{dispute_id:str}/files/{evidence_id:str}", name="pay_link.dispute.file")
async def file_to_save(page: Page, dispute_id: FromPath[str], evidence_id: FromPath[str]) -> Response[bytes]:
    """A file to save."""
    return await files.evidence(page, dispute_id, evidence_id)
