"""A customer's statement of account as staff see it."""

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from services.gateway.web import downloads, statements
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import GetCustomerRequest, ListSubsidiariesRequest
from tallyport.invoicing.v1.exports_pb2 import ExportKind


@get("/customers/{customer_id:str}/statement", name="console.statement")
async def show(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """With `below` also what is on the accounts of the companies below."""
    customer = await page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id))
    below = await page.call(
        page.to.customers.ListSubsidiaries, ListSubsidiariesRequest(customer_id=customer_id)
    )
    return await statements.show(
        page, "console_statement.html", customer_id=customer_id,
        here=f"/console/customers/{customer_id}/statement", customer=customer,
        has_below=bool(below.subsidiaries),
    )  # fmt: skip


@get("/customers/{customer_id:str}/statement/pdf", name="console.statement.pdf")
async def document(page: Page, customer_id: FromPath[str]) -> Response[bytes]:
    """The document to save."""
    return await statements.document(page, customer_id=customer_id)


@get("/customers/{customer_id:str}/statement/file", name="console.statement.file")
async def file(page: Page, customer_id: FromPath[str]) -> Stream:
    """As a table to work with."""
    return await downloads.export(page, ExportKind.EXPORT_KIND_STATEMENT, customer_id=customer_id)
