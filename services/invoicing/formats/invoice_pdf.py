"""The invoice as a PDF: what the template shows, written for the reader, with the e-invoice inside."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import structlog

from chassis.money import Money
from chassis.papers.writing import Words
from services.invoicing.domain.invoice import Invoice, Status
from services.invoicing.domain.organization import Organization
from services.invoicing.domain.pricing import Line, Tax, TaxCategory, Totals
from services.invoicing.domain.transfer_slip import TransferSlip
from services.invoicing.formats.einvoice import Document, Syntax, einvoice, missing, of_invoice
from services.invoicing.formats.paper import file_name, letterhead, party, print_paper, transfer
from services.invoicing.formats.wording import Writer

TEMPLATE = "invoice.typ"
_STAMPS = {Status.DRAFT: "stamp_draft", Status.PAID: "stamp_paid", Status.VOID: "stamp_void"}
_REASONS = {
    TaxCategory.EXEMPT: "reason_exempt",
    TaxCategory.REVERSE_CHARGE: "reason_reverse_charge",
    TaxCategory.INTRA_COMMUNITY: "reason_intra_community",
    TaxCategory.EXPORT: "reason_export",
    TaxCategory.OUTSIDE_SCOPE: "reason_outside_scope",
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ShownReduction:
    """What is not asked for any more: a credit note by its number, or a text of the wording's catalogue. What is only
    not asked for now is still owed.
    """

    key: str
    amount: Money
    number: str = ""
    is_owed: bool = False


DISPUTED = "disputed"
BY_PLAN = "not_due_by_plan"
"""Keys of what is owed but not asked for now. An invoice under a kept plan has the second one, if with nothing."""


def file_name_of(invoice: Invoice, ending: str = "pdf") -> str:
    """A name that every file system takes."""
    return file_name("invoice", invoice.number or "", invoice.invoice_id, ending=ending)


def why_no_einvoice(invoice: Invoice, organization: Organization) -> list[str]:
    """Why there is no e-invoice of it, in words; empty when there is one."""
    if not invoice.number or invoice.status is Status.VOID or not invoice.lines:
        return ["a final invoice with lines that is not void"]
    if invoice.sums().total != invoice.total:
        return ["lines that come to the invoice's total"]
    return missing(of_invoice(invoice), organization)


async def invoice_pdf(
    invoice: Invoice,
    organization: Organization,
    *,
    locale: str,
    today: date,
    slip: TransferSlip | None = None,
    reductions: Sequence[ShownReduction] = (),
) -> bytes:
    """The document, with a box for transfers if there is a slip and the e-invoice inside if one can be made.

    The same invoice, slip and reductions give the same bytes on the same day. It always comes out: see print_paper.
    """
    told = partial(document, locale=locale, today=today, slip=slip, reductions=reductions)
    data = await asyncio.to_thread(told, invoice, organization)  # long ones take a while
    at = invoice.finalized_at or invoice.created_at
    return await print_paper(TEMPLATE, data, at=at, xml=await _einvoice(invoice, organization, slip))


def document(
    invoice: Invoice,
    organization: Organization,
    *,
    locale: str,
    today: date,
    slip: TransferSlip | None = None,
    reductions: Sequence[ShownReduction] = (),
) -> dict[str, Any]:
    """Everything the template shows, as texts of the reader's locale."""
    writer = Writer(organization, locale)
    title = writer.word("invoice_titled", number=invoice.number) if invoice.number else ""
    sums = invoice.sums()
    stamp = _STAMPS.get(invoice.status)
    days_overdue = invoice.days_overdue(today)
    due, is_planned = asked_now(invoice, reductions), any(one.key == BY_PLAN for one in reductions)
    is_late = days_overdue and due.minor_units > 0 and not is_planned
    return letterhead(organization, writer, title=title or writer.word("invoice_draft")) | {
        "buyer": party(invoice.buyer, writer),
        "number": invoice.number or "",
        "stamp": writer.say(stamp) if stamp else None,
        "invoice_date": writer.day(invoice.invoice_date),
        "due_date": writer.day(invoice.due_date),
        "period": writer.period(invoice.terms.period_start, invoice.terms.period_end),
        "overdue": writer.say("overdue", days=writer.days(days_overdue)) if is_late else None,
        "purchase_order_number": invoice.purchase_order_number,
        "memo": invoice.memo,
        "has_tax": any(tax.rate_percent for line in invoice.lines for tax in line.all_taxes),
        "has_discount": any(not line.discount.is_zero for line in invoice.lines),
        "lines": [_line(line, writer) for line in invoice.lines],
        "sums": _sums(sums, invoice, writer),
        "prices_include_tax": invoice.terms.prices_include_tax and not invoice.tax_total.is_zero,
        "tax_reasons": _tax_reasons(sums, writer),
        "total": writer.money(invoice.total),
        "reductions": _reductions(invoice, reductions, writer),
        "early_offer": _early_offer(invoice, today, writer) if due == invoice.due else None,
        "due": writer.money(due),
        "how_to_pay": writer.say("pay_by_plan")
        if is_planned
        else _how_to_pay(
            invoice, organization, writer, has_slip=slip is not None, is_due=due.minor_units > 0
        ),
        "transfer": transfer(slip) if slip is not None and due.minor_units > 0 else None,
    }


def asked_now(invoice: Invoice, reductions: Sequence[ShownReduction]) -> Money:
    """What is due without what is not asked for now."""
    return invoice.due - sum((one.amount for one in reductions if one.is_owed), Money.zero(invoice.currency))


async def _einvoice(invoice: Invoice, organization: Organization, slip: TransferSlip | None) -> bytes | None:
    if lacking := why_no_einvoice(invoice, organization):
        if invoice.number and invoice.status is not Status.VOID:
            _log.info("pdf.without_einvoice", invoice_id=invoice.invoice_id, missing=lacking)
        return None
    return await embeddable(of_invoice(invoice), organization, slip)


async def embeddable(
    told: Document, organization: Organization, slip: TransferSlip | None = None
) -> bytes | None:
    """The e-invoice for the inside of a PDF. None if it cannot be made after all: the PDF comes out without it."""
    try:
        return await asyncio.to_thread(einvoice, told, organization, Syntax.CII, slip)
    except Exception:  # the library raises nothing more special
        _log.exception("pdf.einvoice_failed", document=told.number)
        return None


def _line(line: Line, writer: Writer) -> dict[str, Any]:
    return {
        "description": line.description,
        "sku": line.sku,
        "period": writer.period(line.period_start, line.period_end),
        "quantity": writer.number(line.quantity),
        "unit_price": writer.money(line.unit_price),
        "discount": _discount(line, writer),
        "taxes": [_tax(tax, writer) for tax in line.all_taxes],
        "amount": writer.money(line.amount),
    }


def _discount(line: Line, writer: Writer) -> str:
    if line.discount.is_zero:
        return ""
    if line.discount_amount is None:
        return writer.percent(line.discount_percent)
    return writer.money(line.discount)


def _tax(tax: Tax, writer: Writer) -> str:
    return f"{tax.name} {writer.percent(tax.rate_percent)}".strip() if tax.rate_percent else "–"


def _sums(sums: Totals, invoice: Invoice, writer: Writer) -> list[dict[str, Any]]:
    """From the lines to what is to pay without it; nothing where it is the same."""
    rows = []
    taxes = [tax for tax in sums.taxes if tax.rate_percent]
    if not sums.discount.is_zero:
        percent = invoice.terms.discount_percent if invoice.terms.discount_amount is None else None
        named = writer.say("discount")
        if percent:
            named = [f"{text} {writer.percent(percent)}" for text in named]
        rows.append((writer.say("sum_of_lines"), writer.money(sums.lines_total)))
        rows.append((named, f"− {writer.money(sums.discount)}"))
    if taxes:
        rows.append((writer.say("subtotal"), writer.money(invoice.subtotal)))
        rows += [
            (tax_on(writer, tax.name, tax.rate_percent, tax.taxable), writer.money(tax.tax)) for tax in taxes
        ]
    return [{"words": words, "amount": amount} for words, amount in rows]


def tax_on(writer: Writer, name: str, rate_percent: Decimal, taxable: Money) -> Words:
    """So much tax on so much; a tax without a name is called tax."""
    texts = writer.say("tax_on", rate=writer.percent(rate_percent), taxable=writer.money(taxable))
    if name:
        return [texts[0].replace("{name}", name)]
    return [text.replace("{name}", tax) for text, tax in zip(texts, writer.say("tax"), strict=True)]


def _tax_reasons(sums: Totals, writer: Writer) -> list[Words]:
    """Why no tax is asked for, as the law wants it said."""
    reasons = []
    for group in sums.groups:
        if key := _REASONS.get(group.category):
            own = group.taxes[0].exemption_reason
            usual = writer.say(key)
            reason = [f"{usual[0]} {own}".strip(), *usual[1:]] if own else usual
            reasons.append((group.taxable, reason))
    if len(sums.groups) == 1:
        return [reason for _, reason in reasons]
    return [
        [
            text.replace("{reason}", part)
            for text, part in zip(
                writer.say("reason_of_sum", taxable=writer.money(on)), reason, strict=True
            )
        ]
        for on, reason in reasons
    ]  # fmt: skip


def _reductions(
    invoice: Invoice, reductions: Sequence[ShownReduction], writer: Writer
) -> list[dict[str, Any]]:
    """What was paid and what was credited, in one sum where the given ones do not explain it; then what waits."""
    rows = [] if invoice.paid.is_zero else [(writer.say("paid"), invoice.paid)]
    gone = [one for one in reductions if not one.is_owed]
    rows += [(writer.say(one.key, number=one.number), one.amount) for one in gone]
    rest = invoice.credited - sum((one.amount for one in gone), Money.zero(invoice.currency))
    if not rest.is_zero:
        rows.append((writer.say("credited"), rest))
    later = [one for one in reductions if one.is_owed and not one.amount.is_zero]
    rows += [(writer.say(one.key), one.amount) for one in later]
    return [{"words": words, "amount": writer.money(amount)} for words, amount in rows]


def _early_offer(invoice: Invoice, today: date, writer: Writer) -> Words | None:
    until, kept = invoice.terms.early_discount_until, invoice.early_offer(today)
    if until is None or kept is None:
        return None
    return writer.say(
        "early_offer", day=writer.day(until), percent=writer.percent(invoice.terms.early_discount_percent),
        amount=writer.money(kept), rest=writer.money(invoice.due - kept),
    )  # fmt: skip


def _how_to_pay(
    invoice: Invoice, organization: Organization, writer: Writer, *, has_slip: bool, is_due: bool
) -> Words | None:
    if not invoice.is_payable or not is_due:
        return None
    texts = writer.say("pay_online", seller=organization.display_name, day=writer.day(invoice.due_date))
    more = [] if has_slip else [writer.say("quote_number", number=invoice.number or "")]
    if email := organization.contact_email:
        phone = organization.contact_phone
        more.append(writer.say("questions_or_call" if phone else "questions", email=email, phone=phone))
    return [" ".join(parts) for parts in zip(texts, *more, strict=True)]
