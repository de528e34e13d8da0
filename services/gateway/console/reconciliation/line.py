"""One bank line: what it may be for, and everything staff can do with it. The next one is always one action away."""

import asyncio
from collections.abc import Awaitable, Sequence

from litestar import Response, get, post
from litestar.params import FromPath

from chassis.errors import ServiceError
from services.gateway.console.asking import REFUSALS, if_found
from services.gateway.console.customer_form import staff_names
from services.gateway.console.reconciliation.lines import next_waiting
from services.gateway.console.reconciliation.match_entries import Entries, confirmed, entries_of, unreadable
from services.gateway.console.reconciliation.split import divided
from services.gateway.console.reconciliation.words import LINE_WORDS, refusal
from services.gateway.web.forms import FieldErrors
from services.gateway.web.languages import gettext as _
from services.gateway.web.page import Page
from services.gateway.web.typed import read_amount, to_message
from tallyport.invoicing.v1.customers_pb2 import CustomerBalance, GetCustomerRequest, ListCustomersRequest
from tallyport.payments.v1.payments_pb2 import GetPaymentRequest
from tallyport.payments.v1.reconciliation_pb2 import (
    AssignBankLineRequest,
    BankLine,
    BankLineDetail,
    BankLineStatus,
    GetBankLineRequest,
    IgnoreBankLineRequest,
    MatchBankLineRequest,
    MatchPart,
    SplitBankLineRequest,
    UndoMatchRequest,
)

_SHOWN_CUSTOMERS = 8
_MOST_TOGETHER = 8
_WAITS = (BankLineStatus.BANK_LINE_STATUS_UNMATCHED, BankLineStatus.BANK_LINE_STATUS_IGNORED)


def address_of(bank_line_id: str) -> str:
    """Where a line is looked at."""
    return f"/console/reconciliation/lines/{bank_line_id}"


async def get_line(page: Page, bank_line_id: str) -> BankLineDetail:
    """With what it may be for."""
    return await page.call(page.to.reconciliation.GetBankLine, GetBankLineRequest(bank_line_id=bank_line_id))


async def _customers(page: Page) -> list[CustomerBalance]:
    """Whom the search finds; nobody before something is searched."""
    words = page.query("q")[:200]
    if not words or page.query("customer"):
        return []
    answer = await page.call(
        page.to.customers.ListCustomers, ListCustomersRequest(query=words, page_size=_SHOWN_CUSTOMERS)
    )
    return list(answer.customers)


async def _show(
    page: Page,
    bank_line_id: str,
    *,
    entries: Entries | None = None,
    errors: FieldErrors | None = None,
    refused: str = "",
) -> Response[str]:
    detail = await get_line(page, bank_line_id)
    line = detail.line
    customers, following = await asyncio.gather(_customers(page), next_waiting(page, line))
    if entries is None and line.status in _WAITS and page.query("customer"):
        entries = await entries_of(page, line, page.query("customer"))
    payment = customer = None
    if line.payment_id:
        payment = await if_found(
            page.call(page.to.payments.GetPayment, GetPaymentRequest(payment_id=line.payment_id))
        )
    if payment is not None:
        wanted = GetCustomerRequest(customer_id=payment.customer_id)
        customer = await if_found(page.call(page.to.customers.GetCustomer, wanted))
    return page.render(
        "console_bank_line.html",
        status=422 if errors or refused else 200,
        line=line,
        proposals=detail.proposals,
        waits=line.status in _WAITS,
        undoable=line.status
        in (
            BankLineStatus.BANK_LINE_STATUS_MATCHED,
            BankLineStatus.BANK_LINE_STATUS_IGNORED,
            BankLineStatus.BANK_LINE_STATUS_SUPERSEDED,
        ),
        following=following,
        customers=customers,
        searched=page.query("q"),
        entries=entries,
        payment=payment,
        customer=customer,
        refused=refused,
        errors=errors or FieldErrors(),
        key=page.new_key(),
        assignees=await _assignees(page, line),
        **LINE_WORDS,
    )


async def _assignees(page: Page, line: BankLine) -> list[tuple[str, str]]:
    """Whose task a line may be: staff by name, and who it is now, who may have left."""
    names = set((await staff_names(page)).values()) | {page.session.name, line.assignee}
    return [("", _("Nobody")), *((name, name) for name in sorted(names - {""}, key=str.casefold))]


@get("/reconciliation/lines/{bank_line_id:str}", name="console.bank_line")
async def show(page: Page, bank_line_id: FromPath[str]) -> Response[str]:
    """`?q=` searches a customer, `?customer=` shows what they owe."""
    return await _show(page, bank_line_id)


async def _do(page: Page, bank_line_id: str, action: Awaitable[BankLineDetail], done: str) -> Response[str]:
    """Does it and comes back to the line, or says why it was not done."""
    try:
        await action
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(page, bank_line_id, errors=FieldErrors.of(error), refused=refusal(error))
    page.site.badges.forget(page.session.organization_id)
    page.flash("good", done)
    return page.redirect(address_of(bank_line_id))


@post("/reconciliation/lines/{bank_line_id:str}/match", name="console.bank_line.match")
async def match(page: Page, bank_line_id: FromPath[str]) -> Response[str]:
    """A proposal as it was shown, or what was typed beside a customer's invoices."""
    form, customer_id = page.form, page.form.text("customer_id")
    currency = form.text("currency")
    if form.checked("by_hand") and unreadable(form, currency):
        typed = await entries_of(page, (await get_line(page, bank_line_id)).line, customer_id)
        return await _show(page, bank_line_id, entries=typed, errors=FieldErrors(typed.mistakes))
    request = MatchBankLineRequest(
        bank_line_id=bank_line_id, customer_id=customer_id, parts=confirmed(form, currency)
    )
    try:
        await page.call(page.to.reconciliation.MatchBankLine, request, idempotency_key=form.text("key"))
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        entries: Entries | None = None
        if form.checked("by_hand"):
            entries = await entries_of(page, (await get_line(page, bank_line_id)).line, customer_id)
        wrong = FieldErrors(entries.mistakes) if entries else None
        return await _show(page, bank_line_id, entries=entries, errors=wrong, refused=refusal(error))
    page.site.badges.forget(page.session.organization_id)
    refused = await _match_others(page, request.parts, customer_id)
    if refused is not None:
        page.flash("bad", _("Another of these lines was not matched.") + " " + refusal(refused))
    else:
        page.flash("good", _("The line is matched and booked."))
    return page.redirect(address_of(bank_line_id))


async def _match_others(page: Page, parts: Sequence[MatchPart], customer_id: str) -> ServiceError | None:
    """Lines that pay the same invoice with this one, as they were shown; why one of them was refused."""
    key, currency = page.form.text("key"), page.form.text("currency")
    for position, told in enumerate(page.form.all("with")[:_MOST_TOGETHER] if len(parts) == 1 else []):
        other_id, _sign, units = told.partition(" ")
        amount = read_amount(units, currency)
        if amount is None:
            continue
        request = MatchBankLineRequest(
            bank_line_id=other_id,
            customer_id=customer_id,
            parts=[MatchPart(invoice_id=parts[0].invoice_id, amount=to_message(amount))],
        )
        try:
            await page.call(
                page.to.reconciliation.MatchBankLine, request, idempotency_key=f"{key}-with-{position}"
            )
        except ServiceError as error:
            if error.kind not in REFUSALS:
                raise
            return error
    return None


@post("/reconciliation/lines/{bank_line_id:str}/split", name="console.bank_line.split")
async def split(page: Page, bank_line_id: FromPath[str]) -> Response[str]:
    """One line for several customers becomes several lines, of which the first is shown."""
    line = (await get_line(page, bank_line_id)).line
    division = divided(line, page.form.text("amounts"))
    if division.mistake:
        return await _show(page, bank_line_id, errors=FieldErrors(split_amounts=division.mistake))
    request = SplitBankLineRequest(
        bank_line_id=bank_line_id, amounts=[to_message(part) for part in division.parts]
    )
    try:
        answer = await page.call(
            page.to.reconciliation.SplitBankLine, request, idempotency_key=page.form.text("key")
        )
    except ServiceError as error:
        if error.kind not in REFUSALS:
            raise
        return await _show(page, bank_line_id, errors=FieldErrors.of(error), refused=refusal(error))
    page.site.badges.forget(page.session.organization_id)
    page.flash("good", _("The line is split. Each part is matched by itself."))
    return page.redirect(address_of(answer.lines[0].bank_line_id))


@post("/reconciliation/lines/{bank_line_id:str}/ignore", name="console.bank_line.ignore")
async def ignore(page: Page, bank_line_id: FromPath[str]) -> Response[str]:
    """Asks why, since the audit log keeps it."""
    reason = page.form.text("reason")[:500]
    if not reason:
        errors = FieldErrors(ignore_reason=_("Please say why; the audit log keeps it."))
        return await _show(page, bank_line_id, errors=errors)
    action = page.call(
        page.to.reconciliation.IgnoreBankLine,
        IgnoreBankLineRequest(bank_line_id=bank_line_id, reason=reason),
        idempotency_key=page.form.text("key"),
    )
    return await _do(page, bank_line_id, action, _("The line is ignored."))


@post("/reconciliation/lines/{bank_line_id:str}/undo", name="console.bank_line.undo")
async def undo(page: Page, bank_line_id: FromPath[str]) -> Response[str]:
    """Payment, receipt and invoices as they were before."""
    reason = page.form.text("reason")[:500]
    if not reason:
        errors = FieldErrors(undo_reason=_("Please say why; the audit log keeps it."))
        return await _show(page, bank_line_id, errors=errors)
    action = page.call(
        page.to.reconciliation.UndoMatch,
        UndoMatchRequest(bank_line_id=bank_line_id, reason=reason),
        idempotency_key=page.form.text("key"),
    )
    return await _do(page, bank_line_id, action, _("It is undone. The line waits again."))


@post("/reconciliation/lines/{bank_line_id:str}/assign", name="console.bank_line.assign")
async def assign(page: Page, bank_line_id: FromPath[str]) -> Response[str]:
    """Somebody's task; nobody's with an empty name."""
    assignee = page.form.text("assignee")[:200]
    known = await _assignees(page, (await get_line(page, bank_line_id)).line)
    if assignee not in dict(known):
        return await _show(
            page, bank_line_id, errors=FieldErrors(assignee=_("Please choose a colleague from the list."))
        )
    action = page.call(
        page.to.reconciliation.AssignBankLine,
        AssignBankLineRequest(bank_line_id=bank_line_id, assignee=assignee),
    )
    done = (
        _("The line is the task of %(name)s.") % {"name": assignee} if assignee else _("Nobody’s task now.")
    )
    return await _do(page, bank_line_id, action, done)
