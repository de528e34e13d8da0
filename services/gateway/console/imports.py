"""Importing invoices from a file: look first, then start, then watch."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.imports_pb2 import (
    CreateImportRequest,
    DateOrder,
    GetImportRequest,
    Import,
    ImportState,
    StartImportRequest,
)

LARGEST_FILE_BYTES = 8 * 1024 * 1024
_STATES = {
    ImportState.IMPORT_STATE_PREVIEW: "preview",
    ImportState.IMPORT_STATE_RUNNING: "running",
    ImportState.IMPORT_STATE_DONE: "done",
}
_ORDERS = {
    "ymd": DateOrder.DATE_ORDER_UNSPECIFIED,
    "dmy": DateOrder.DATE_ORDER_DAY_MONTH_YEAR,
    "mdy": DateOrder.DATE_ORDER_MONTH_DAY_YEAR,
}


def _date_orders() -> list[tuple[str, str]]:
    return [
        ("ymd", _("2026-03-31 (year, month, day)")),
        ("dmy", _("31/03/2026 (day, month, year)")),
        ("mdy", _("03/31/2026 (month, day, year)")),
    ]


def _columns() -> list[tuple[str, str, bool]]:
    """Column, what stands in it, whether it is needed. The names are those the reader of the file knows."""
    return [
        ("invoice number", _("Your own number. The same number is never imported twice."), True),
        ("customer id", _("The customer's number in your system; new customers are added."), True),
        ("invoice date", _("Day of the invoice."), True),
        ("due date", _("Day it is due."), True),
        ("amount", _("What is to be paid, tax included, like 1250.00."), True),
        ("customer name, email, currency, description", _("When you have them."), False),
        ("disputed", _("Yes or no."), False),
        ("settled date", _("Day it was paid; empty while it is open."), False),
    ]


def _upload_form(page: Page, *, errors: FieldErrors | None = None, refused: str = "") -> Response[str]:
    return page.render(
        "console_import.html",
        status=422 if errors or refused else 200,
        orders=_date_orders(),
        order=page.form.text("date_order") or "ymd",
        columns=_columns(),
        errors=errors or FieldErrors(),
        refused=refused,
        key=page.new_key(),
    )


@get("/import", name="console.import")
async def show(page: Page) -> Response[str]:
    """The file, and how its dates are written."""
    require(page, "invoices.write")
    return _upload_form(page)


@post("/import", name="console.import.upload")
async def upload(page: Page) -> Response[str]:
    """Reads the file without changing anything."""
    file = page.form.files.get("file")
    content = await file.read() if file is not None else b""
    if file is None or not content:
        return _upload_form(
            page, errors=FieldErrors(file=_("Please choose a file with at least one invoice."))
        )
    if len(content) > LARGEST_FILE_BYTES:
        return _upload_form(
            page, errors=FieldErrors(file=_("The file is larger than 8 MiB. Please split it."))
        )
    request = CreateImportRequest(
        file_name=(file.filename or "invoices.csv")[-200:],
        content=content,
        date_order=_ORDERS.get(page.form.text("date_order"), DateOrder.DATE_ORDER_UNSPECIFIED),
        dry_run=True,
        notify=page.form.checked("notify"),
    )
    try:
        preview = await page.call(
            page.to.imports.CreateImport, request, idempotency_key=page.form.text("key")
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        fields = FieldErrors.of(error)
        if "content" in fields:
            fields = FieldErrors(file=fields["content"])
        return _upload_form(page, errors=fields, refused="" if fields else problems.sentence(error))
    return page.redirect(f"/console/import/{preview.import_id}")


async def _get(page: Page, import_id: str) -> Import:
    return await page.call(page.to.imports.GetImport, GetImportRequest(import_id=import_id))


@get("/import/{import_id:str}", name="console.import.one")
async def one(page: Page, import_id: FromPath[str]) -> Response[str]:
    """Preview, progress or summary, by its state."""
    found, organization = await asyncio.gather(_get(page, import_id), page.organization())
    return page.render(
        "console_import_one.html",
        found=found,
        state=_STATES.get(found.state, "running"),
        zone=organization.time_zone or "UTC",
        key=page.new_key(),
    )


@post("/import/{import_id:str}/start", name="console.import.start")
async def start(page: Page, import_id: FromPath[str]) -> Response[str]:
    """From now on rows become invoices."""
    try:
        await page.call(
            page.to.imports.StartImport,
            StartImportRequest(import_id=import_id),
            idempotency_key=page.form.text("key"),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", problems.sentence(error))
    return page.redirect(f"/console/import/{import_id}")


@get("/import/{import_id:str}/progress", name="console.import.progress")
async def progress(page: Page, import_id: FromPath[str]) -> Response[Any]:
    """For the script that watches: state and rows."""
    found = await _get(page, import_id)
    return Response(
        {
            "state": _STATES.get(found.state, "running"),
            "handled_rows": found.handled_rows,
            "total_rows": found.total_rows,
        },
        media_type="application/json",
    )
