"""A pay form: what it shows, what was entered, and the payment made of it. What was shown is what is paid.

The figures come from payments' own preview. The form carries them back, and payments refuses them if they are not
true any more; so a form that is sent twice pays once, and one that was open for a day charges nothing by surprise.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chassis.errors import Kind, ServiceError
from chassis.money import Money, exponent_of
from services.gateway.portal import owing, planned, ways
from services.gateway.portal.ways import Way
from services.gateway.web import problems
from services.gateway.web.forms import Form
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import money_text
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.typed import amount_field, amount_words, read_amount, to_message
from tallyport.common.v1.money_pb2 import Money as MoneyMessage
from tallyport.invoicing.v1.invoices_pb2 import GetInvoiceRequest, Invoice
from tallyport.payments.v1.payment_methods_pb2 import ListPaymentMethodsResponse
from tallyport.payments.v1.payments_pb2 import (
    CreatePaymentRequest,
    CreditOnly,
    HostedPage,
    Payment,
    PaymentPart,
    PaymentPreview,
    PreviewPaymentRequest,
    SavedMethod,
    SkippedInvoice,
)

PAYMENT_ID_PLACE = "%7Bpayment_id%7D"
"""Where payments puts the id into the return address; percent-encoded, since braces are not allowed there."""
_REFUSALS = (
    Kind.FAILED_PRECONDITION,
    Kind.ABORTED,
    Kind.INVALID_ARGUMENT,
    Kind.NOT_FOUND,
    Kind.UNAVAILABLE,
    Kind.RESOURCE_EXHAUSTED,
    Kind.PERMISSION_DENIED,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What was entered for one invoice. `amount` is None where it is not an amount; `version` is what was shown."""

    entered: str
    amount: Money | None
    version: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Everything a payer can change on the form."""

    lines: Mapping[str, Entry] = field(default_factory=dict)
    prepayment: Entry | None = None
    keep_credit: bool = False
    way: str = ""
    save: bool = False
    day: str = ""
    key: str = ""
    basis: str = ""
    """The entries for which the figures on the form were worked out."""
    shown_credit: int = 0
    shown: Mapping[str, int] = field(default_factory=dict)
    """What the form said is charged, by the value of a way, in minor units."""

    @property
    def has_errors(self) -> bool:
        return any(entry.error for entry in self.lines.values()) or bool(
            self.prepayment is not None and self.prepayment.error
        )

    @property
    def ahead(self) -> Money | None:
        """What is paid in advance."""
        return self.prepayment.amount if self.prepayment is not None else None

    def total(self) -> Money | None:
        """Sum of everything that was entered, if all of it are amounts."""
        amounts = [entry.amount for entry in self.lines.values()]
        amounts += [self.ahead] if self.prepayment is not None else []
        known = [amount for amount in amounts if amount is not None]
        return sum(known[1:], known[0]) if known and len(known) == len(amounts) else None


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice on the form."""

    invoice: Invoice
    entry: Entry
    payable: Money
    begun: bool
    """Whether a payment for it waits for the payer; this one replaces it."""

    @property
    def field(self) -> str:
        return f"amount_{self.invoice.invoice_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A form as it is shown."""

    lines: Sequence[Line]
    preview: PaymentPreview
    ways: Sequence[Way]
    chosen: Way | None
    entries: Entries
    skipped: Sequence[SkippedInvoice] = ()
    refused: str = ""
    """Why these amounts cannot be paid so."""

    @property
    def is_empty(self) -> bool:
        return not self.lines and self.entries.prepayment is None

    @property
    def currency(self) -> str:
        return self.preview.amount.currency

    @property
    def total(self) -> Money:
        """What the entries come to, before credit and surcharge."""
        return self.entries.total() or Money.zero(self.currency)

    @property
    def credit(self) -> Money:
        return _credit(self.preview, self.entries)

    @property
    def offers_transfer(self) -> bool:
        return any(one.method == ways.TRANSFER and not one.refused for one in self.preview.methods)

    @property
    def basis(self) -> str:
        return basis_of(self.entries)

    def as_shown(self) -> Entries:
        """The entries as if the payer had sent this very form back."""
        return replace(self.entries, basis=self.basis, shown_credit=self.credit.minor_units)

    @property
    def most(self) -> Money | None:
        """Most that may be entered; None when more may be paid in advance."""
        return money_of(self.preview.max_amount) if self.preview.HasField("max_amount") else None


async def find(page: Page, invoice_ids: Iterable[str]) -> list[Invoice]:
    """The invoices, each once, in the order asked for."""
    wanted = list(dict.fromkeys(invoice_ids))[: owing.MOST_AT_ONCE]
    asked = (page.call(page.to.invoices.GetInvoice, GetInvoiceRequest(invoice_id=one)) for one in wanted)
    return list(await asyncio.gather(*asked))


async def preview(
    page: Page, invoice_ids: Sequence[str], *, amount: Money | None = None, keep_credit: bool = False
) -> PaymentPreview:
    """What payments says that it would do."""
    request = PreviewPaymentRequest(invoice_ids=invoice_ids, keep_credit=keep_credit)
    if amount is not None:
        request.amount.CopyFrom(to_message(amount))
    return await page.call(page.to.payments.PreviewPayment, request)


async def sheet_of(
    page: Page, invoices: Sequence[Invoice], entries: Entries, *, whole_debt: bool = False
) -> Sheet:
    """The form for these invoices: all that is asked for of them, or what was entered where something was.

    Of invoices under an instalment plan that is what is due by it; where nothing is, the next instalment of one
    alone or the whole of several; the whole with `whole_debt`.
    """
    ids = [invoice.invoice_id for invoice in invoices]
    if not ids:
        return await _ahead_only(page, entries)
    whole, saved, begun = await asyncio.gather(
        preview(page, ids, keep_credit=entries.keep_credit), ways.saved_methods(page), owing.begun(page)
    )
    invoices = [begun.set_aside(one) for one in invoices]
    rooms = planned.rooms(invoices)
    parts = _parts(whole, invoices, rooms, whole_debt=whole_debt)
    known = {invoice.invoice_id: invoice for invoice in invoices}
    lines = [
        Line(
            known[part.invoice_id], _entry(entries, part),
            rooms.get(part.invoice_id) or money_of(part.amount), begun.held(part.invoice_id) > 0,
        )
        for part in parts
    ]  # fmt: skip
    lines = [replace(line, entry=_within(line.entry, line.payable)) for line in lines]
    entries = replace(entries, lines={line.invoice.invoice_id: line.entry for line in lines})
    figures, refused = whole, ""
    total = entries.total()
    if total is not None and lines and not entries.has_errors and total != _sum(whole.parts):
        try:
            figures = await preview(page, ids, amount=total, keep_credit=entries.keep_credit)
        except ServiceError as error:
            refused = refusal(error)
    shown = {line.invoice.invoice_id for line in lines}
    skipped = [one for one in whole.skipped if one.invoice_id not in shown]
    return _sheet(lines, figures, saved, entries, skipped=skipped, refused=refused)


def _parts(
    whole: PaymentPreview, invoices: Sequence[Invoice], rooms: Mapping[str, Money], *, whole_debt: bool
) -> list[PaymentPart]:
    """What the form begins with, in the order of the preview."""
    parts = [
        PaymentPart(
            invoice_id=part.invoice_id,
            amount=to_message(rooms[part.invoice_id]),
            invoice_version=part.invoice_version,
        )
        if whole_debt and part.invoice_id in rooms
        else part
        for part in whole.parts
    ]
    skipped = {one.invoice_id for one in whole.skipped if one.reason == "on_plan"}
    waiting = [one for one in invoices if one.invoice_id in skipped and one.invoice_id in rooms]
    ahead = {one.invoice_id: rooms[one.invoice_id] for one in waiting}
    if len(waiting) == 1 and not whole_debt:
        (one,) = waiting
        ahead[one.invoice_id] = min(ahead[one.invoice_id], money_of(one.instalment.amount))
    return parts + [
        PaymentPart(
            invoice_id=one.invoice_id,
            amount=to_message(ahead[one.invoice_id]),
            invoice_version=one.version,
        )
        for one in waiting
    ]


async def placed(page: Page, amount: Money, entries: Entries) -> Sheet:
    """The form for a sum that the payer leaves to us: the oldest due first, what is over becomes credit."""
    plan = await preview(page, [], amount=amount, keep_credit=entries.keep_credit)
    invoices = await find(page, [part.invoice_id for part in plan.parts])
    lines = {part.invoice_id: _entry(Entries(), part) for part in plan.parts}
    ahead = money_of(plan.prepayment)
    rest = None if ahead.is_zero else Entry(amount_field(ahead), ahead)
    sheet = await sheet_of(page, invoices, replace(entries, lines=lines, prepayment=rest))
    return replace(sheet, skipped=plan.skipped)


def submitted(form: Form, currency: str) -> Entries:
    """What came back from a form in a currency; nothing of it is believed but what the payer wants."""
    taken_off = set(form.all("remove"))
    lines: dict[str, Entry] = {}
    for invoice_id in (one[:60] for one in form.all("invoice") if one not in taken_off):
        most = _units(form.text(f"most_{invoice_id}"))
        entry = read_entry(form.text(f"amount_{invoice_id}"), currency, most=most or None)
        lines[invoice_id] = replace(entry, version=_units(form.text(f"version_{invoice_id}")))
    ahead = form.text("prepayment")
    return Entries(
        lines=lines,
        prepayment=read_entry(ahead, currency) if ahead and ahead.strip("0.,") else None,
        keep_credit=form.checked("keep_credit"),
        way=form.text("way")[:80],
        save=form.checked("save"),
        day=form.text("day")[:10],
        key=form.text("key")[:64],
        basis=form.text("basis"),
        shown_credit=_units(form.text("figure_credit")),
        shown={
            name.removeprefix("shown_"): _units(values[0])
            for name, values in form.values.items()
            if name.startswith("shown_")
        },
    )


def currency_of(form: Form) -> str:
    """The form's currency. INVALID_ARGUMENT for one that does not exist."""
    text = form.text("currency")
    try:
        exponent_of(text)
    except ValueError as error:
        words = _("This form is not complete.")
        raise ServiceError(Kind.INVALID_ARGUMENT, "CURRENCY_UNKNOWN", words) from error
    return text


def read_entry(entered: str, currency: str, *, most: int | None = None) -> Entry:
    """An amount as typed, with what is wrong with it."""
    example = Money(most if most is not None else Money.parse("10", currency).minor_units, currency)
    amount = read_amount(entered, currency)
    if amount is None:
        return Entry(entered, None, error=amount_words(entered, currency))
    if amount.is_zero:
        words = _("Please enter more than zero, or take the invoice off the list.")
        return Entry(entered, amount, error=words)
    entry = Entry(entered, amount)
    return entry if most is None else _within(entry, example)


def basis_of(entries: Entries) -> str:
    """The entries that figures depend on, as one word."""
    parts = [
        f"{one}={entry.amount.minor_units if entry.amount else '?'}" for one, entry in entries.lines.items()
    ]
    ahead = entries.ahead
    parts += [f"ahead={ahead.minor_units if ahead is not None else 0}", f"keep={int(entries.keep_credit)}"]
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:32]


def shown_as_entered(entries: Entries, currency: str) -> Money | None:
    """What the page said is charged for these entries the way that was chosen; None if it has to be shown first."""
    shown = entries.shown.get(entries.way)
    return Money(shown, currency) if shown is not None and entries.basis == basis_of(entries) else None


async def create(page: Page, entries: Entries, *, currency: str, charge: Money, return_path: str) -> Payment:
    """Starts the payment that was shown. The key is the form's and its content's: sent twice, it pays once."""
    parts = [
        PaymentPart(invoice_id=one, amount=to_message(entry.amount), invoice_version=entry.version)
        for one, entry in entries.lines.items()
        if entry.amount is not None
    ]
    request = CreatePaymentRequest(parts=parts, expected_amount=to_message(charge))
    if entries.shown_credit and entries.basis == basis_of(entries):
        request.credit.CopyFrom(MoneyMessage(minor_units=entries.shown_credit, currency=currency))
    if entries.ahead is not None:
        request.prepayment.CopyFrom(to_message(entries.ahead))
    return_url = f"{page.site.settings.public_url.rstrip('/')}{return_path}/{PAYMENT_ID_PLACE}"
    kind = ways.kind_of(entries.way)
    if entries.way.startswith(ways.SAVED):
        method_id = entries.way.removeprefix(ways.SAVED)
        request.saved_method.CopyFrom(SavedMethod(payment_method_id=method_id, return_url=return_url))
        request.scheduled_for = entries.day
    elif kind == ways.CREDIT:
        request.credit_only.CopyFrom(CreditOnly())
    else:
        keeps = entries.save and kind in ways.SAVABLE
        request.hosted_page.CopyFrom(HostedPage(return_url=return_url, method=kind, save=keeps))
    content = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
    key = f"{entries.key}.{content[:16]}"
    return await page.call(page.to.payments.CreatePayment, request, idempotency_key=key)


def refusal(error: ServiceError) -> str:
    """The sentence for a refusal that the pay page shows itself. Raises what it should not swallow."""
    if error.kind not in _REFUSALS:
        raise error
    return problems.sentence(error)


async def _ahead_only(page: Page, entries: Entries) -> Sheet:
    """A payment for no invoice at all."""
    amount = entries.ahead
    figures, saved = await asyncio.gather(
        preview(page, [], amount=amount, keep_credit=entries.keep_credit), ways.saved_methods(page)
    )
    return _sheet([], figures, saved, entries, skipped=figures.skipped)


def _sheet(
    lines: Sequence[Line],
    figures: PaymentPreview,
    saved: ListPaymentMethodsResponse,
    entries: Entries,
    *,
    skipped: Iterable[SkippedInvoice],
    refused: str = "",
) -> Sheet:
    found = ways.ways_to_pay(figures.methods, saved)
    return Sheet(
        lines=lines,
        preview=figures,
        ways=found,
        chosen=ways.chosen_of(found, entries.way),
        entries=entries,
        skipped=list(skipped),
        refused=refused,
    )


def _entry(entries: Entries, part: PaymentPart) -> Entry:
    """What was entered for a part, with the version that is true now; all of it where nothing was."""
    entry = entries.lines.get(part.invoice_id)
    if entry is None:
        amount = money_of(part.amount)
        return Entry(amount_field(amount), amount, part.invoice_version)
    return replace(entry, version=part.invoice_version)


def _within(entry: Entry, payable: Money) -> Entry:
    if entry.amount is None or entry.error or entry.amount <= payable:
        return entry
    most = _("At most %(amount)s can be paid.") % {"amount": money_text(payable)}
    return replace(entry, error=most)


def _credit(figures: PaymentPreview, entries: Entries) -> Money:
    used = money_of(figures.credit_used)
    return min(
        used,
        Money(sum(one.amount.minor_units for one in entries.lines.values() if one.amount), used.currency),
    )


def _sum(parts: Iterable[PaymentPart]) -> Money | None:
    amounts = [money_of(part.amount) for part in parts]
    return sum(amounts[1:], amounts[0]) if amounts else None


def _units(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0
