"""Bank transfer for the holder of a pay link: the one invoice of the link."""

from litestar import Response, get, post

from services.gateway.portal import transferring
from services.gateway.portal.transferring import Place
from services.gateway.web.page import Page


def _place(page: Page) -> Place:
    return Place(invoice_ids=(page.session.invoice_id,), action="/l/transfer", back="/l/invoice")


@get("/transfer", name="pay_link.transfer")
async def show(page: Page) -> Response[str]:
    """Where to send the money."""
    return await transferring.instructions_page(page, _place(page))


@post("/transfer", name="pay_link.transfer.claim")
async def claim(page: Page) -> Response[str]:
    """The payer says that the money is on its way."""
    return await transferring.claim(page, _place(page))
