"""What the transfer pages of signed-in payers and of pay links have in common."""

import asyncio
import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from litestar import Response

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.gateway.web import problems
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import date_text
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.statuses import Status
from services.gateway.web.typed import amount_field, amount_words, read_amount, read_day, to_message
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest, Invoice
from tallyport.payments.v1.transfers_pb2 import (
    ClaimTransferRequest,
    GetTransferInstructionsRequest,
    ListTransferClaimsRequest,
    TransferClaim,
    TransferClaimStatus,
    TransferInstructions,
)

LARGEST_PROOF_BYTES = 5 * 1024 * 1024
_MOST_CLAIMS = 100
_REFUSED = (Kind.INVALID_ARGUMENT, Kind.FAILED_PRECONDITION, Kind.ABORTED, Kind.RESOURCE_EXHAUSTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which invoices, where the form goes, and where one came from."""

    invoice_ids: Sequence[str]
    action: str
    back: str

    @property
    def address(self) -> str:
        """This page again; that of a pay link needs no invoice."""
        if self.action.startswith("/l/"):
            return self.action
        return f"{self.action}?{urlencode([('invoice', one) for one in self.invoice_ids])}"


def groups_of_four(text: str) -> list[str]:
    """An account number as people read it; copied, it has no blanks."""
    return [text[at : at + 4] for at in range(0, len(text), 4)]


def picture(svg: str) -> str:
    """The code as the address of a picture: nothing in it can run, whoever drew it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" if svg else ""


def claim_status(claim: TransferClaim) -> Status:
    """The state of a claim, for who made it."""
    return {
        TransferClaimStatus.TRANSFER_CLAIM_STATUS_OPEN: Status(
            _("We are looking out for it"), "clock", "info"
        ),
        TransferClaimStatus.TRANSFER_CLAIM_STATUS_MATCHED: Status(_("Arrived"), "check-circle", "good"),
        TransferClaimStatus.TRANSFER_CLAIM_STATUS_EXPIRED: Status(_("Not found in time"), "alert", "warn"),
    }.get(claim.status, Status(_("Closed"), "ban", "neutral"))


async def claims_of(page: Page, invoice_ids: Iterable[str]) -> list[TransferClaim]:
    """The visitor's own claims that name one of the invoices; none for pay links, and none while payments is away."""
    wanted = set(invoice_ids)
    if page.session.invoice_id:
        return []
    try:
        answer = await page.call(
            page.to.transfers.ListTransferClaims, ListTransferClaimsRequest(page_size=_MOST_CLAIMS)
        )
    except ServiceError as error:
        if error.kind in (Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED):
            return []
        raise
    return [claim for claim in answer.claims if wanted & set(claim.invoice_ids)]


async def instructions_page(
    page: Page, place: Place, *, errors: FieldErrors | None = None, refused: str = ""
) -> Response[str]:
    """Account, reference, code and the form; in words where transfers are not offered."""
    invoices = await _invoices(page, place)
    instructions, unoffered = await _instructions(page, place)
    claims = await claims_of(page, place.invoice_ids)
    due = money_of(instructions.amount) if instructions else _due(invoices)
    return page.render(
        "transfer.html",
        status=422 if errors or refused else 200,
        place=place,
        invoices=invoices,
        instructions=instructions,
        iban=groups_of_four(instructions.iban) if instructions else [],
        reference=groups_of_four(instructions.reference) if instructions else [],
        code=picture(instructions.epc_qr_svg) if instructions else "",
        unoffered=unoffered,
        claims=claims,
        claim_status=claim_status,
        amount=page.form.text("amount") or amount_field(due),
        currency=due.currency,
        transferred_on=page.form.text("transferred_on") or await page.today(),
        may_claim=page.may("payments.create") or bool(page.session.invoice_id),
        organization=await page.organization(),
        key=(not refused and page.form.text("key")) or page.new_key(),
        errors=errors or FieldErrors(),
        refused=refused,
    )


async def claim(page: Page, place: Place) -> Response[str]:
    """Keeps what the payer says once, and goes back to the instructions."""
    invoices = await _invoices(page, place)
    request, errors = await _request(page, place, _due(invoices).currency)
    if request is None:
        return await instructions_page(page, place, errors=errors)
    try:
        kept = await page.call(
            page.to.transfers.ClaimTransfer, request, idempotency_key=page.form.text("key")[:100]
        )
    except ServiceError as error:
        if error.kind not in _REFUSED:
            raise
        fields = _translated(FieldErrors.of(error))
        return await instructions_page(
            page, place, errors=fields, refused="" if fields else problems.sentence(error)
        )
    words = _("Thank you. We look out for your transfer, and send no reminders until %(day)s.")
    page.flash("good", words % {"day": date_text(kept.expires_on)})
    return page.redirect(place.address)


def _translated(errors: FieldErrors) -> FieldErrors:
    """What the service alone can tell, in the reader's language."""
    words = {
        "proof": _("The proof must be a PDF, PNG or JPEG file."),
        "amount": _("Please enter an amount."),
        "transferred_on": _("The day of the transfer must lie within the last year."),
    }
    return FieldErrors({name: words.get(name, text) for name, text in errors.items()})


async def _request(
    page: Page, place: Place, currency: str
) -> tuple[ClaimTransferRequest | None, FieldErrors]:
    errors = FieldErrors()
    amount = read_amount(page.form.text("amount"), currency)
    if amount is None or amount.is_zero:
        errors["amount"] = amount_words(page.form.text("amount"), currency)
    day = read_day(page.form.text("transferred_on"))
    if day is None:
        errors["transferred_on"] = _("Please choose the day of the transfer.")
    file = page.form.files.get("proof")
    content = await file.read() if file is not None else b""
    if len(content) > LARGEST_PROOF_BYTES:
        errors["proof"] = _("The file is larger than 5 MB. Please choose a smaller one.")
    if errors or amount is None or day is None:
        return None, errors
    request = ClaimTransferRequest(
        invoice_ids=place.invoice_ids,
        amount=to_message(amount),
        transferred_on=day.isoformat(),
        note=page.form.text("note")[:500],
        proof_file_name=(file.filename or "")[-200:] if file is not None and content else "",
        proof=content,
    )
    return request, errors


async def _invoices(page: Page, place: Place) -> list[Invoice]:
    asked = (
        page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=one)) for one in place.invoice_ids
    )
    return list(await asyncio.gather(*asked))


async def _instructions(page: Page, place: Place) -> tuple[TransferInstructions | None, str]:
    """Them, or why there are none."""
    request = GetTransferInstructionsRequest(invoice_ids=place.invoice_ids)
    try:
        return await page.call(page.to.transfers.GetTransferInstructions, request), ""
    except ServiceError as error:
        if error.kind not in (Kind.FAILED_PRECONDITION, Kind.INVALID_ARGUMENT):
            raise
        return None, problems.sentence(error)


def _due(invoices: Sequence[Invoice]) -> Money:
    currency = invoices[0].amount_due.currency
    same = (one.amount_due.minor_units for one in invoices if one.amount_due.currency == currency)
    return Money(sum(same), currency)
