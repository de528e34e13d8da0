"""What takes something off an invoice without money: credit notes, write-offs, waived fees."""

from collections.abc import Awaitable, Mapping

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.allowed import require
from services.gateway.console.asking import REFUSALS
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import marked, money_text
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import amount_words, read_amount, to_message
from tallyport.invoicing.v1.adjustments_pb2 import (
    InvoiceAdjustmentKind,
    ListInvoiceAdjustmentsRequest,
    MarkUncollectibleRequest,
    RevertWriteOffRequest,
)
from tallyport.invoicing.v1.credit_notes_pb2 import (
    CreateCreditNoteRequest,
    CreditNoteLineInput,
    CreditNoteReason,
    ListCreditableLinesRequest,
    ListCreditableLinesResponse,
    ListCreditNotesRequest,
)
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest, Invoice
from tallyport.invoicing.v1.late_fees_pb2 import WaiveLateFeeRequest

_PERMISSION = "invoices.write"
_KINDS: Mapping[InvoiceAdjustmentKind.ValueType, str] = {
    InvoiceAdjustmentKind.INVOICE_ADJUSTMENT_KIND_FORGIVEN_REFUND: marked(
        "Refund that is not asked for again"
    ),
    InvoiceAdjustmentKind.INVOICE_ADJUSTMENT_KIND_CREDIT_NOTE: marked("Credit note"),
    InvoiceAdjustmentKind.INVOICE_ADJUSTMENT_KIND_EARLY_DISCOUNT: marked("Discount for paying early"),
    InvoiceAdjustmentKind.INVOICE_ADJUSTMENT_KIND_WRITE_OFF: marked("Written off"),
    InvoiceAdjustmentKind.INVOICE_ADJUSTMENT_KIND_HARDSHIP_DISCOUNT: marked("Discount for hardship"),
    InvoiceAdjustmentKind.INVOICE_ADJUSTMENT_KIND_RECOVERY: marked("Came after it was written off"),
}


def kind_word(kind: InvoiceAdjustmentKind.ValueType) -> str:
    """A kind of reduction, as staff name it."""
    return _(_KINDS[kind]) if kind in _KINDS else "–"


async def reductions_of(page: Page, invoice: Invoice) -> list[tuple[str, str, object, str, str]]:
    """Day, what it is, amount, reason and document of all that reduced an invoice; credit notes by numbers."""
    if not invoice.amount_credited.minor_units:
        return []
    found = await page.call(
        page.to.invoice_adjustments.ListInvoiceAdjustments,
        ListInvoiceAdjustmentsRequest(invoice_id=invoice.invoice_id),
    )
    notes = await page.call(
        page.to.credit_notes.ListCreditNotes,
        ListCreditNotesRequest(invoice_id=invoice.invoice_id, page_size=100),
    )
    numbers = {note.credit_note_id: note.number for note in notes.credit_notes}
    return [
        (
            one.effective_on,
            f"{kind_word(one.kind)} {numbers[one.source_id]}"
            if one.source_id in numbers
            else kind_word(one.kind),
            one.amount,
            one.reason,
            f"/console/credit-notes/{one.source_id}/pdf" if one.source_id in numbers else "",
        )
        for one in found.adjustments
    ]


def _reasons() -> list[tuple[int, str]]:
    return [
        (CreditNoteReason.CREDIT_NOTE_REASON_RETURNED, _("Came back")),
        (CreditNoteReason.CREDIT_NOTE_REASON_NOT_AS_AGREED, _("Not delivered, or not as agreed")),
        (CreditNoteReason.CREDIT_NOTE_REASON_CORRECTION, _("The invoice was wrong")),
        (CreditNoteReason.CREDIT_NOTE_REASON_DUPLICATE, _("Invoiced twice")),
        (CreditNoteReason.CREDIT_NOTE_REASON_GOODWILL, _("As a favour")),
        (CreditNoteReason.CREDIT_NOTE_REASON_OTHER, _("Something else")),
    ]


async def _render(page: Page, invoice_id: str, *, errors: FieldErrors | None = None) -> Response[str]:
    invoice = await page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=invoice_id))
    left = await _left(page, invoice_id)
    entered = page.form.values if page.form.values else {}
    return page.render(
        "console_credit_note.html",
        status=422 if errors else 200,
        invoice=invoice,
        left=left,
        amount=page.form.text("amount") if entered else "",
        lines={name: values[0] for name, values in entered.items() if name.startswith("line_")},
        reasons=_reasons(),
        reason=page.form.text("reason"),
        reason_code=page.form.text("reason_code"),
        key=page.form.text("key") or page.new_key(),
        errors=errors or FieldErrors(),
    )


async def _left(page: Page, invoice_id: str) -> ListCreditableLinesResponse:
    request = ListCreditableLinesRequest(invoice_id=invoice_id)
    return await page.call(page.to.credit_notes.ListCreditableLines, request)


@get("/invoices/{invoice_id:str}/credit-note", name="console.credit_note")
async def show(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """What can still be credited, by line and in all."""
    require(page, _PERMISSION)
    return await _render(page, invoice_id)


@post("/invoices/{invoice_id:str}/credit-note", name="console.credit_note.issue")
async def issue(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Lines where some were filled in, else the amount."""
    require(page, _PERMISSION)
    currency = (await _left(page, invoice_id)).creditable.currency
    request, errors = _request(page, invoice_id, currency)
    if errors:
        return await _render(page, invoice_id, errors=errors)
    try:
        note = await page.call(
            page.to.credit_notes.CreateCreditNote, request, idempotency_key=page.form.text("key")
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        errors = FieldErrors(amount=problems.sentence(error))
        return await _render(page, invoice_id, errors=errors)
    words = _("Credit note %(number)s of %(amount)s is issued.") % {
        "number": note.number,
        "amount": money_text(money_of(note.total)),
    }
    if note.to_credit.minor_units:
        words += " " + _("%(amount)s of it had been paid and is the customer’s credit now.") % {
            "amount": money_text(money_of(note.to_credit))
        }
    page.flash("good", words)
    return page.redirect(f"/console/invoices/{invoice_id}")


def _request(page: Page, invoice_id: str, currency: str) -> tuple[CreateCreditNoteRequest, FieldErrors]:
    form, errors = page.form, FieldErrors()
    request = CreateCreditNoteRequest(invoice_id=invoice_id, reason=form.text("reason")[:500])
    code = form.text("reason_code")
    known = {str(int(value)) for value, _word in _reasons()}
    request.reason_code = CreditNoteReason.CREDIT_NOTE_REASON_OTHER
    if code in known:
        request.reason_code = CreditNoteReason.ValueType(int(code))
    for name in form.values:
        place, typed = name.removeprefix("line_"), form.text(name)
        if not name.startswith("line_") or not typed or not place.isdecimal():
            continue
        amount = read_amount(typed, currency)
        if amount is None or amount.is_zero:
            errors[name] = amount_words(typed, currency)
        else:
            request.lines.append(CreditNoteLineInput(line_no=int(place[:6]), amount=to_message(amount)))
    if not request.lines:
        amount = read_amount(form.text("amount"), currency)
        if amount is None or amount.is_zero:
            errors["amount"] = amount_words(form.text("amount"), currency)
        else:
            request.amount.CopyFrom(to_message(amount))
    if not request.reason:
        errors["reason"] = _("Please say why; it is printed on the credit note.")
    return request, errors


@post("/invoices/{invoice_id:str}/write-off", name="console.invoice.write_off")
async def write_off(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Nobody expects what is due any more."""
    require(page, _PERMISSION)
    request = MarkUncollectibleRequest(invoice_id=invoice_id, reason=page.form.text("reason")[:500])
    if request.reason and await _done(
        page,
        page.call(
            page.to.invoice_adjustments.MarkUncollectible, request, idempotency_key=page.form.text("key")
        ),
    ):
        page.flash("good", _("What was due is written off. Money that comes all the same is taken."))
    return _back(page, invoice_id, request.reason)


@post("/invoices/{invoice_id:str}/revert-write-off", name="console.invoice.revert_write_off")
async def revert_write_off(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """It is asked for again."""
    require(page, _PERMISSION)
    request = RevertWriteOffRequest(invoice_id=invoice_id, reason=page.form.text("reason")[:500])
    if request.reason and await _done(
        page,
        page.call(page.to.invoice_adjustments.RevertWriteOff, request, idempotency_key=page.form.text("key")),
    ):
        page.flash("good", _("What was written off is asked for again."))
    return _back(page, invoice_id, request.reason)


@post("/invoices/{invoice_id:str}/waive", name="console.invoice.waive")
async def waive(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """A late fee is not asked for after all."""
    require(page, _PERMISSION)
    request = WaiveLateFeeRequest(invoice_id=invoice_id, reason=page.form.text("reason")[:500])
    if request.reason and await _done(
        page, page.call(page.to.late_fees.WaiveLateFee, request, idempotency_key=page.form.text("key"))
    ):
        page.flash("good", _("The late fee is waived by a credit note."))
    return _back(page, invoice_id, request.reason)


async def _done(page: Page, answer: Awaitable[object]) -> bool:
    """False when it was refused, which is told on the next page."""
    try:
        await answer
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        page.flash("bad", problems.sentence(error))
        return False
    return True


def _back(page: Page, invoice_id: str, reason: str) -> Response[str]:
    if not reason:
        page.flash("bad", _("Please say why; the audit log keeps it."))
    return page.redirect(f"/console/invoices/{invoice_id}")


STAFF = [show, issue, write_off, revert_write_off, waive]
