"""Files that are made while they are read: the browser gets the first piece before the last one exists."""

from collections.abc import AsyncIterator

from litestar.response import Stream

from services.gateway.web.page import OpenPage, attachment
from services.gateway.web.typed import read_day
from tallyport.invoicing.v1.exports_pb2 import ExportFormat, ExportKind, ExportReceivablesRequest
from tallyport.invoicing.v1.invoices_pb2 import Document, InvoiceFilter

FORMATS = {
    "csv": ExportFormat.EXPORT_FORMAT_CSV,
    "xlsx": ExportFormat.EXPORT_FORMAT_XLSX,
    "json": ExportFormat.EXPORT_FORMAT_JSON_LINES,
    "zip": ExportFormat.EXPORT_FORMAT_ZIP_OF_PDFS,
}
FILTERS = {
    "open": InvoiceFilter.INVOICE_FILTER_PAYABLE,
    "overdue": InvoiceFilter.INVOICE_FILTER_OVERDUE,
    "paid": InvoiceFilter.INVOICE_FILTER_PAID,
}


async def export(page: OpenPage, kind: "ExportKind.ValueType", *, customer_id: str = "") -> Stream:
    """The file that the page's query asks for: `format`, `from`, `to`, `below`, `mark`, and `show` for invoices.

    What is refused is refused before the first piece and becomes a page; what fails later breaks the connection off.
    """
    first, last = read_day(page.query("from")), read_day(page.query("to"))
    request = ExportReceivablesRequest(
        kind=kind,
        format=FORMATS.get(page.query("format"), ExportFormat.EXPORT_FORMAT_CSV),
        first_day=first.isoformat() if first else "",
        last_day=last.isoformat() if last else "",
        customer_id=customer_id,
        include_children=page.query("below") == "yes",
        filter=FILTERS.get(page.query("show"), InvoiceFilter.INVOICE_FILTER_UNSPECIFIED),
        byte_order_mark=page.query("mark") == "yes",
    )
    pieces: AsyncIterator[Document] = page.sender.stream(page.to.exports.ExportReceivables, request)
    head = await anext(pieces)
    return Stream(
        _contents(head, pieces),
        media_type=head.media_type.partition(";")[0],  # the framework adds the charset
        headers=attachment(head.file_name),
    )


async def _contents(head: Document, pieces: AsyncIterator[Document]) -> AsyncIterator[bytes]:
    yield head.content
    async for piece in pieces:
        yield piece.content
