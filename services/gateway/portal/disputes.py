"""Something is wrong with an invoice: say what, show it, and follow what becomes of it; signed in or by a pay link."""

from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.web import disputes, problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.session import Area
from services.gateway.web.typed import amount_words, read_amount, to_message
from tallyport.invoicing.v1.disputes_pb2 import (
    DisputeLine,
    ListDisputesRequest,
    OpenDisputeRequest,
    WithdrawDisputeRequest,
)
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest, Invoice

_REFUSED = (Kind.FAILED_PRECONDITION, Kind.INVALID_ARGUMENT, Kind.ABORTED, Kind.PERMISSION_DENIED)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the invoice, the form and the objections are for this visitor."""

    invoice: str
    form: str
    disputes: str
    pay: str
    may_write: bool


def place_of(page: Page, invoice_id: str) -> Place:
    """The holder of a pay link has one invoice, at a harmless address."""
    if page.area is Area.PAY_LINK:
        return Place("/l/invoice", "/l/dispute", "/l/disputes", "/l/invoice", may_write=True)
    here = f"/invoices/{invoice_id}"
    may_write = page.may("account.write")
    return Place(here, f"{here}/dispute", "/disputes", f"/pay?invoice={invoice_id}", may_write=may_write)


@get("/invoices/{invoice_id:str}/dispute", name="portal.dispute.new")
async def new(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """The form; or the objection that there is, with `?open=yes`."""
    return await form_page(page, invoice_id)


async def form_page(page: Page, invoice_id: str) -> Response[str]:
    """The same for everybody who sees the invoice."""
    if page.query("open"):
        request = ListDisputesRequest(invoice_id=invoice_id, only_open=True, page_size=1)
        found = (await page.call(page.to.disputes.ListDisputes, request)).disputes
        if found:
            return page.redirect(f"{place_of(page, invoice_id).disputes}/{found[0].dispute_id}")
    return await _form(page, await _invoice(page, invoice_id))


async def _invoice(page: Page, invoice_id: str) -> Invoice:
    return await page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=invoice_id))


async def _form(
    page: Page, invoice: Invoice, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    return page.render(
        "dispute_new.html",
        status=422 if errors or refused else 200,
        invoice=invoice,
        place=place_of(page, invoice.invoice_id),
        organization=await page.organization(),
        reasons=disputes.reason_options(),
        ticked=set(page.form.all("line")),
        key=page.new_key(),
        errors=errors or FieldErrors(),
        refused=refused,
    )


@post("/invoices/{invoice_id:str}/dispute", name="portal.dispute.open")
async def submit(page: Page, invoice_id: FromPath[str]) -> Response[str]:
    """Opens it, with the file if one was chosen."""
    return await open_it(page, invoice_id)


async def open_it(page: Page, invoice_id: str) -> Response[str]:
    """Opens it once for the form's key."""
    invoice = await _invoice(page, invoice_id)
    file = await disputes.uploaded(page)
    request, errors = _request(page, invoice)
    if len(file[1]) > disputes.MOST_BYTES:
        errors["file"] = disputes.too_large()
    if errors:
        return await _form(page, invoice, errors=errors)
    try:
        opened = await page.call(page.to.disputes.OpenDispute, request, idempotency_key=page.form.text("key"))
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return await _form(page, invoice, refused=problems.sentence(error))
    try:
        await disputes.say(page, opened.dispute_id, "", file)
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        page.flash("warn", problems.sentence(error))
    page.flash("good", _("Thank you. We look into it, and do not ask for this amount meanwhile."))
    return page.redirect(f"{place_of(page, invoice_id).disputes}/{opened.dispute_id}")


def _request(page: Page, invoice: Invoice) -> tuple[OpenDisputeRequest, FieldErrors]:
    form, errors = page.form, FieldErrors()
    request = OpenDisputeRequest(
        invoice_id=invoice.invoice_id,
        reason=disputes.reason_of(form.text("reason")),
        text=form.text("text")[:4000],
    )
    if not request.reason:
        errors["reason"] = _("Please choose what is wrong.")
    if not request.text:
        errors["text"] = _("Please tell us what is wrong.")
    if form.text("amount"):
        amount = read_amount(form.text("amount"), invoice.total.currency)
        if amount is None or amount.is_zero:
            errors["amount"] = amount_words(form.text("amount"), invoice.total.currency)
        else:
            request.amount.CopyFrom(to_message(amount))
    else:
        known = {str(at): at for at in range(1, len(invoice.lines) + 1)}
        request.lines.extend(DisputeLine(line_no=known[one]) for one in form.all("line") if one in known)
    return request, errors


@get("/disputes/{dispute_id:str}", name="portal.dispute")
async def show(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """What was said, and where it stands."""
    return await dispute_page(page, dispute_id)


async def dispute_page(page: Page, dispute_id: str, *, errors: FieldErrors | None = None) -> Response[str]:
    dispute = await disputes.get_dispute(page, dispute_id)
    organization = await page.organization()
    return page.render(
        "dispute.html",
        status=422 if errors else 200,
        dispute=dispute,
        place=place_of(page, dispute.invoice_id),
        organization=organization,
        zone=organization.time_zone or "UTC",
        key=page.new_key(),
        errors=errors or FieldErrors(),
        **disputes.WORDS,
    )


@post("/disputes/{dispute_id:str}", name="portal.dispute.say")
async def say(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """A message, a file, or both."""
    return await say_it(page, dispute_id)


async def say_it(page: Page, dispute_id: str) -> Response[str]:
    """Adds it, and shows the page again."""
    file, text = await disputes.uploaded(page), page.form.text("text")
    if len(file[1]) > disputes.MOST_BYTES:
        return await dispute_page(page, dispute_id, errors=FieldErrors(file=disputes.too_large()))
    if not text and not file[1]:
        return await dispute_page(
            page, dispute_id, errors=FieldErrors(text=_("Please write something, or add a file."))
        )
    try:
        await disputes.say(page, dispute_id, text, file)
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        return await dispute_page(page, dispute_id, errors=FieldErrors(file=problems.sentence(error)))
    page.flash("good", _("Sent."))
    return page.redirect(f"{place_of(page, '').disputes}/{dispute_id}")


@post("/disputes/{dispute_id:str}/withdraw", name="portal.dispute.withdraw")
async def withdraw(page: Page, dispute_id: FromPath[str]) -> Response[str]:
    """All of it is to be paid again."""
    return await take_back(page, dispute_id)


async def take_back(page: Page, dispute_id: str) -> Response[str]:
    """Withdraws it, and shows the page again."""
    try:
        request = WithdrawDisputeRequest(dispute_id=dispute_id)
        await page.call(page.to.disputes.WithdrawDispute, request)
        page.flash("good", _("Your objection is taken back. The invoice is to be paid as it stands."))
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        page.flash("bad", problems.sentence(error))
    return page.redirect(f"{place_of(page, '').disputes}/{dispute_id}")


@get("/disputes/{dispute_id:str}/files/{evidence_id:str}", name="portal.dispute.file")
async def file_to_save(page: Page, dispute_id: FromPath[str], evidence_id: FromPath[str]) -> Response[bytes]:
    """A file to save."""
    return await disputes.evidence(page, dispute_id, evidence_id)
