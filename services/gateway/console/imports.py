"""Importing a file: look first, say which column is what, then start, then watch; and undo it."""

import asyncio
import csv
import io
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console import import_words as words
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.console.import_problems import problem_words
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from tallyport.invoicing.v1.imports_pb2 import (
    ColumnMapping,
    CreateImportRequest,
    GetImportRequest,
    Import,
    ListImportsRequest,
    ReviseImportRequest,
    StartImportRequest,
    UndoImportRequest,
)

LARGEST_FILE_BYTES = 8 * 1024 * 1024
_EARLIER = 10
_MOST_SHOWN = 100
_COLUMN = "column."


async def _upload_form(page: Page, *, errors: FieldErrors | None = None, refused: str = "") -> Response[str]:
    earlier, organization = await asyncio.gather(
        page.call(page.to.imports.ListImports, ListImportsRequest(page_size=_EARLIER)), page.organization()
    )
    return page.render(
        "console_import.html",
        status=422 if errors or refused else 200,
        kinds=words.choices(words.KINDS),
        kind=page.form.text("kind") or "invoices",
        orders=words.choices(words.ORDERS),
        order=page.form.text("date_order"),
        earlier=[
            (one, words.kind_words(one), words.STATES.get(one.state, "running")) for one in earlier.imports
        ],
        state_words={name: _(text) for name, text in words.STATE_WORDS.items()},
        zone=organization.time_zone or "UTC",
        errors=errors or FieldErrors(),
        refused=refused,
        key=page.new_key(),
    )


@get("/import", name="console.import")
async def show(page: Page) -> Response[str]:
    """The file, what it holds, and how its dates are written; and earlier imports."""
    require(page, "invoices.write")
    return await _upload_form(page)


@post("/import", name="console.import.upload")
async def upload(page: Page) -> Response[str]:
    """Reads the file without changing anything."""
    file = page.form.files.get("file")
    content = await file.read() if file is not None else b""
    if file is None or not content:
        return await _upload_form(
            page, errors=FieldErrors(file=_("Please choose a file with at least one row."))
        )
    if len(content) > LARGEST_FILE_BYTES:
        return await _upload_form(
            page, errors=FieldErrors(file=_("The file is larger than 8 MiB. Please split it."))
        )
    kind, _text = words.KINDS.get(page.form.text("kind"), words.KINDS["invoices"])
    order, _text = words.ORDERS.get(page.form.text("date_order"), words.ORDERS[""])
    request = CreateImportRequest(
        file_name=(file.filename or "import.csv")[-200:],
        content=content,
        kind=kind,
        date_order=order,
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
        return await _upload_form(page, errors=fields, refused="" if fields else problems.sentence(error))
    return page.redirect(f"/console/import/{preview.import_id}")


async def _get(page: Page, import_id: str) -> Import:
    return await page.call(page.to.imports.GetImport, GetImportRequest(import_id=import_id))


@get("/import/{import_id:str}", name="console.import.one")
async def one(page: Page, import_id: FromPath[str]) -> Response[str]:
    """Preview, progress or summary, by its state."""
    found, organization = await asyncio.gather(_get(page, import_id), page.organization())
    columns = {one.field: one.column for one in found.mapping}
    return page.render(
        "console_import_one.html",
        found=found,
        state=words.STATES.get(found.state, "running"),
        kind=words.kind_words(found),
        of_invoices=any(row.HasField("total") for row in found.sample) or not found.sample,
        has_columns=words.has_columns(found),
        fields=[
            (field, words.field_words(field.name), columns.get(field.name, "")) for field in found.fields
        ],
        options=[("", _("— not in the file —")), *((name, name) for name in found.columns)],
        missing=[words.field_words(name) for name in found.missing_fields],
        field_words=words.field_words,
        problem_words=problem_words,
        orders=words.choices(words.ORDERS),
        order=words.chosen(words.ORDERS, found.date_order),
        signs=words.choices(words.SIGNS),
        sign=words.chosen(words.SIGNS, found.decimal_sign),
        shown_errors=found.errors[:_MOST_SHOWN],
        column_of=columns,
        zone=organization.time_zone or "UTC",
        key=page.new_key(),
    )


@post("/import/{import_id:str}/revise", name="console.import.revise")
async def revise(page: Page, import_id: FromPath[str]) -> Response[str]:
    """Reads the same file once more, with the chosen columns."""
    order, _text = words.ORDERS.get(page.form.text("date_order"), words.ORDERS[""])
    sign, _text = words.SIGNS.get(page.form.text("decimal_sign"), words.SIGNS[""])
    mapping = [
        ColumnMapping(field=name.removeprefix(_COLUMN), column=values[0])
        for name, values in page.form.values.items()
        if name.startswith(_COLUMN)
    ]
    request = ReviseImportRequest(import_id=import_id, mapping=mapping, date_order=order, decimal_sign=sign)
    return await _ask(page, import_id, page.to.imports.ReviseImport, request)


@post("/import/{import_id:str}/start", name="console.import.start")
async def start(page: Page, import_id: FromPath[str]) -> Response[str]:
    """From now on rows become invoices, customers or items."""
    return await _ask(page, import_id, page.to.imports.StartImport, StartImportRequest(import_id=import_id))


@post("/import/{import_id:str}/undo", name="console.import.undo")
async def undo(page: Page, import_id: FromPath[str]) -> Response[str]:
    """Takes back what nobody has paid, changed or used since."""
    reason = page.form.text("reason")
    if not reason:
        page.flash("bad", _("Please say why it is undone."))
        return page.redirect(f"/console/import/{import_id}")
    request = UndoImportRequest(import_id=import_id, reason=reason[:500])
    return await _ask(page, import_id, page.to.imports.UndoImport, request)


async def _ask(page: Page, import_id: str, method: Any, request: Any) -> Response[str]:
    try:
        await page.call(method, request, idempotency_key=page.form.text("key"))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", problems.sentence(error))
    return page.redirect(f"/console/import/{import_id}")


@get("/import/{import_id:str}/errors.csv", name="console.import.errors")
async def errors(page: Page, import_id: FromPath[str]) -> Response[bytes]:
    """Rows with errors as a file, to be corrected one by one."""
    found = await _get(page, import_id)
    columns = {one.field: one.column for one in found.mapping}
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow([_("Line"), _("Column"), _("What to do")])
    for error in found.errors:
        column = columns.get(error.column) or words.field_words(error.column)
        writer.writerow([error.line, _harmless(column), _harmless(problem_words(error))])
    return Response(
        target.getvalue().encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{import_id}-errors.csv"'},
    )


def _harmless(text: str) -> str:
    """A spreadsheet must not take what a file said for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@get("/import/{import_id:str}/progress", name="console.import.progress")
async def progress(page: Page, import_id: FromPath[str]) -> Response[Any]:
    """For the script that watches: state and rows."""
    found = await _get(page, import_id)
    return Response(
        {
            "state": words.STATES.get(found.state, "running"),
            "handled_rows": found.handled_rows,
            "total_rows": found.total_rows,
        },
        media_type="application/json",
    )
