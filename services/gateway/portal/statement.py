"""The customer's statement of account, and files of their invoices."""

from litestar import Response, get
from litestar.response import Stream

from services.gateway.portal import subsidiaries
from services.gateway.web import downloads, statements
from services.gateway.web.page import Page
from tallyport.invoicing.v1.exports_pb2 import ExportKind

_HERE = "/statement"


@get("/statement", name="portal.statement")
async def show(page: Page) -> Response[str]:
    """Their own; with `below` also what is on the accounts of the companies below."""
    has_below = bool(await subsidiaries.below(page))
    return await statements.show(
        page, "statement.html", customer_id=page.session.customer_id, here=_HERE, has_below=has_below
    )


@get("/statement/pdf", name="portal.statement.pdf")
async def document(page: Page) -> Response[bytes]:
    """The document to save."""
    return await statements.document(page, customer_id=page.session.customer_id)


@get("/statement/file", name="portal.statement.file")
async def file(page: Page) -> Stream:
    """As a table to work with."""
    return await downloads.export(
        page, ExportKind.EXPORT_KIND_STATEMENT, customer_id=page.session.customer_id
    )


@get("/downloads/invoices", name="portal.downloads.invoices")
async def invoices(page: Page) -> Stream:
    """Their invoices of a period as a table, or all of the documents in an archive."""
    return await downloads.export(page, ExportKind.EXPORT_KIND_INVOICES, customer_id=page.session.customer_id)
