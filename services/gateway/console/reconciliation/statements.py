"""Importing a bank's statement: look at it first, say how it is written when nobody can tell, then import."""

from dataclasses import dataclass, replace

from litestar import Response, get, post

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.console.reconciliation import csv_mapping
from services.gateway.console.reconciliation.csv_sample import looks_like_text, sample_of
from services.gateway.console.reconciliation.held import LARGEST_FILE_BYTES, held_file, pack
from services.gateway.console.reconciliation.words import format_word, refusal
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import ngettext as plural
from services.gateway.web.page import Page
from tallyport.payments.v1.bank_statements_pb2 import (
    BankFileFormat,
    BankStatementImport,
    ImportBankStatementRequest,
    ListBankAccountsRequest,
    ListCsvMappingsRequest,
    SaveCsvMappingRequest,
)

FILE_DEADLINE_SECONDS = 45.0
"""A year of a busy account is some fifty thousand lines: more than a page's usual time."""
_MAPPING_HELPS = frozenset(
    {"unknown_header", "ambiguous_date", "ambiguous_amount", "column_missing", "bad_date"}
)
"""Codes of refusals that end when staff say how the file is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file as it was sent, and what was said about it."""

    content: bytes
    file_name: str
    bank_account_id: str = ""
    csv_mapping: str = ""

    def request(self, *, dry_run: bool) -> ImportBankStatementRequest:
        """For the service."""
        return ImportBankStatementRequest(
            file_name=self.file_name,
            content=self.content,
            format=BankFileFormat.BANK_FILE_FORMAT_CSV
            if self.csv_mapping
            else BankFileFormat.BANK_FILE_FORMAT_UNSPECIFIED,
            csv_mapping=self.csv_mapping,
            bank_account_id=self.bank_account_id,
            dry_run=dry_run,
        )


async def _sent(page: Page) -> Sent | None:
    """A file that was just chosen, or the one that the form held; None without either."""
    file = page.form.files.get("file")
    content = await file.read() if file is not None else b""
    name = (file.filename if file is not None and content else page.form.text("file_name")) or "statement"
    held = content or await held_file(page)
    if not held:
        return None
    return Sent(
        content=held,
        file_name=name[-200:],
        bank_account_id=page.form.text("bank_account_id"),
        csv_mapping=page.form.text("csv_mapping"),
    )


async def _upload_form(
    page: Page,
    *,
    sent: Sent | None = None,
    errors: FieldErrors | None = None,
    refused: ServiceError | None = None,
) -> Response[str]:
    accounts = await page.call(page.to.bank_statements.ListBankAccounts, ListBankAccountsRequest())
    mappings = await page.call(page.to.bank_statements.ListCsvMappings, ListCsvMappingsRequest())
    chosen = [(one.bank_account_id, f"{one.name} ({one.currency})") for one in accounts.bank_accounts]
    details = [one.message for one in refused.fields if one.field.startswith("content")] if refused else []
    sentence = refusal(refused) if refused else ""
    return page.render(
        "console_statement_import.html",
        status=422 if errors or refused else 200,
        accounts=[("", _("As the file says")), *chosen],
        has_accounts=bool(chosen),
        mappings=[
            ("", _("By the names of its columns")),
            *((one.name, one.name) for one in mappings.mappings),
        ],
        sent=sent,
        errors=errors or FieldErrors(),
        refused=sentence,
        details=[one for one in details if one != sentence],
    )


@get("/reconciliation/import", name="console.statement.import")
async def show(page: Page) -> Response[str]:
    """The file, and what it may not tell itself."""
    require(page, "payments.record")
    return await _upload_form(page)


@post("/reconciliation/import/preview", name="console.statement.preview")
async def preview(page: Page) -> Response[str]:
    """Reads and checks; keeps nothing."""
    sent = await _sent(page)
    if sent is None:
        return await _upload_form(page, errors=FieldErrors(file=_("Please choose a file of your bank.")))
    return await _look(page, sent)


async def _import(page: Page, sent: Sent, *, dry_run: bool, key: str) -> BankStatementImport:
    return await page.sender.call(
        page.to.bank_statements.ImportBankStatement,
        sent.request(dry_run=dry_run),
        idempotency_key=key,
        timeout_seconds=FILE_DEADLINE_SECONDS,
    )


async def _look(page: Page, sent: Sent) -> Response[str]:
    held = pack(sent.content)
    if held is None or len(sent.content) > LARGEST_FILE_BYTES:
        return await _upload_form(
            page, errors=FieldErrors(file=_("The file is larger than 8 MiB. Please split it."))
        )
    try:
        found = await _import(page, sent, dry_run=True, key=page.new_key())
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        if _MAPPING_HELPS & {one.code for one in error.fields} and looks_like_text(sent.content):
            return _mapping_form(page, sent, held, refused=refusal(error))
        fields = FieldErrors.of(error)
        wrong = (
            FieldErrors(bank_account_id=fields["bank_account_id"]) if "bank_account_id" in fields else None
        )
        return await _upload_form(page, sent=sent, errors=wrong, refused=None if wrong else error)
    return await _preview(page, sent, held, found)


async def _preview(page: Page, sent: Sent, held: str, found: BankStatementImport) -> Response[str]:
    accounts = await page.call(page.to.bank_statements.ListBankAccounts, ListBankAccountsRequest())
    return page.render(
        "console_statement_preview.html",
        sent=sent,
        held=held,
        found=found,
        format=format_word(found.format),
        is_csv=found.format == BankFileFormat.BANK_FILE_FORMAT_CSV,
        ours=any(one.bank_account_id for one in found.statements),
        strangers=sorted({one.account_identification for one in found.statements if not one.bank_account_id}),
        accounts=accounts.bank_accounts,
        account_names={one.bank_account_id: one.name for one in accounts.bank_accounts},
        key=page.new_key(),
    )


def _mapping_form(
    page: Page, sent: Sent, held: str, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    form = page.form
    sample = sample_of(
        sent.content, delimiter=csv_mapping.delimiter_of(form), skip_lines=csv_mapping.skip_of(form)
    )
    return page.render(
        "console_csv_mapping.html",
        status=422 if errors or refused else 200,
        sent=sent,
        held=held,
        sample=sample,
        skip_lines=form.text("skip_lines") or str(sample.skip_lines),
        delimiter="tab" if sample.delimiter == "\t" else sample.delimiter,
        columns=csv_mapping.column_words(),
        choices=csv_mapping.column_choices(sample),
        date_formats=csv_mapping.date_formats(),
        decimal_signs=csv_mapping.decimal_signs(),
        delimiters=csv_mapping.delimiters(),
        encodings=csv_mapping.encodings(),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@post("/reconciliation/import/columns", name="console.statement.columns")
async def columns(page: Page) -> Response[str]:
    """Saves how the file is written and looks at it again; `action=look` only reads the columns anew."""
    sent = await _sent(page)
    held = pack(sent.content) if sent else None
    if sent is None or held is None:
        return await _upload_form(page, errors=FieldErrors(file=_("Please choose a file of your bank.")))
    if page.form.text("action") == "look":
        return _mapping_form(page, sent, held)
    mapping = csv_mapping.mapping_from(page.form)
    wrong = csv_mapping.mistakes(mapping, page.form.text("skip_lines"))
    if wrong:
        return _mapping_form(page, sent, held, errors=FieldErrors(wrong))
    try:
        saved = await page.call(
            page.to.bank_statements.SaveCsvMapping,
            SaveCsvMappingRequest(name=mapping.name, mapping=mapping),
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        found = {name.removeprefix("mapping."): text for name, text in FieldErrors.of(error).items()}
        return _mapping_form(page, sent, held, errors=FieldErrors(found), refused=refusal(error))
    return await _look(page, replace(sent, csv_mapping=saved.name))


@post("/reconciliation/import", name="console.statement.import.submit")
async def submit(page: Page) -> Response[str]:
    """Keeps what is new and matches what is certain."""
    sent = await _sent(page)
    if sent is None:
        return await _upload_form(page, errors=FieldErrors(file=_("Please choose a file of your bank.")))
    try:
        found = await _import(page, sent, dry_run=False, key=page.form.text("key"))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _upload_form(page, sent=sent, refused=error)
    page.site.badges.forget(page.session.organization_id)
    page.flash("good", _imported(found))
    kept = [one.bank_statement_id for one in found.statements if one.bank_statement_id]
    if len(kept) == 1 and found.new_lines:
        return page.redirect(f"/console/reconciliation/lines?show=all&statement={kept[0]}")
    return page.redirect("/console/reconciliation")


def _imported(found: BankStatementImport) -> str:
    if not found.new_lines:
        return _("Every line of this file was there already. Nothing was added.")
    new = plural("%(count)s new line", "%(count)s new lines", found.new_lines) % {"count": found.new_lines}
    return _("%(lines)s, %(matched)s matched by itself already.") % {
        "lines": new,
        "matched": found.matched_lines,
    }
