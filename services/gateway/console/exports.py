"""Files of receivables for bookkeepers."""

from collections.abc import Sequence

from litestar import Response, get
from litestar.response import Stream

from services.gateway.web import downloads
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.exports_pb2 import ExportKind

_KINDS = {
    "invoices": (ExportKind.EXPORT_KIND_INVOICES, "invoices.read"),
    "invoice-lines": (ExportKind.EXPORT_KIND_INVOICE_LINES, "invoices.read"),
    "payments": (ExportKind.EXPORT_KIND_PAYMENTS, "invoices.read"),
    "credit-notes": (ExportKind.EXPORT_KIND_CREDIT_NOTES, "invoices.read"),
    "customers": (ExportKind.EXPORT_KIND_CUSTOMERS, "customers.read"),
    "ledger": (ExportKind.EXPORT_KIND_LEDGER, "books.read"),
}


@get("/exports", name="console.exports")
async def show(page: Page) -> Response[str]:
    """What may be exported; this month so far unless days are chosen."""
    today = await page.today()
    return page.render("console_exports.html", kinds=_kinds(page), today=today, first=f"{today[:8]}01")


@get("/exports/file", name="console.exports.file")
async def file(page: Page) -> Stream:
    """The file."""
    kind = "invoices" if page.query("format") == "zip" else page.query("kind")
    return await downloads.export(page, _KINDS.get(kind, _KINDS["invoices"])[0])


def _kinds(page: Page) -> Sequence[tuple[str, str]]:
    words = {
        "invoices": _("Invoices"),
        "invoice-lines": _("Lines of invoices"),
        "payments": _("What payments paid"),
        "credit-notes": _("Credit notes"),
        "customers": _("Customers"),
        "ledger": _("Ledger of receivables"),
    }
    return [(kind, words[kind]) for kind, (_kind, permission) in _KINDS.items() if page.may(permission)]
