"""Issue a credit note, or work out what it would be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from chassis import audit
from chassis.caller import current_call
from chassis.database import Database, ReadTx, WriteTx
from chassis.idempotency import once
from chassis.ids import new_id
from chassis.money import Money
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.credit import Lot
from services.invoicing.domain.credit_note import (
    SERIES,
    CreditDraft,
    CreditNote,
    CreditReason,
    CreditWish,
    PaidBy,
    TaxCredit,
    draft_credit,
    lift,
)
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.tax_correction import Correction, correct, shares_of
from services.invoicing.formats.wording import Writer
from services.invoicing.operations.adjust_invoice import Reduction, adjust
from services.invoicing.operations.end_with_debt import end_with_debt
from services.invoicing.store import adjustments
from services.invoicing.store import credit_notes as store
from services.invoicing.store import lots as credit_lots
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice, update_balances
from services.invoicing.store.numbers import free_number
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.reversals import lessen_uses
from services.invoicing.translate import events
from services.invoicing.translate.credit_notes import to_proto_credit_note
from tallyport.invoicing.v1 import credit_notes_pb2 as pb


@dataclass(frozen=True, slots=True)
class Why:
    """The reason as a word, and as the document says it."""

    code: CreditReason
    text: str


@dataclass(frozen=True, slots=True)
class IssuedBefore:
    """It was issued elsewhere, with a number of its own on a day of its own; whoever is `silent` mails nobody."""

    number: str
    issued_on: date
    silent: bool


async def create_credit_note(db: Database, wish: CreditWish, why: Why) -> pb.CreditNote:
    """The credit note with its number."""

    async def work(tx: WriteTx) -> pb.CreditNote:
        return to_proto_credit_note(await issue_credit_note(tx, wish, why))

    return await once(db, pb.CreditNote, work)


async def preview_credit_note(db: Database, wish: CreditWish) -> CreditNote:
    """What it would be; without number."""
    async with db.read(current_call().organization_id) as tx:
        invoice = await get_invoice(tx, wish.invoice_id)
        draft, corrections = await _draft(tx, invoice, wish)
        note = await _note(tx, invoice, draft, corrections, Why(CreditReason.OTHER, ""))
    invoice.reduced(note.total, returned=note.to_credit, at=tx.now())
    return note


async def issue_credit_note(
    tx: WriteTx, wish: CreditWish, why: Why, *, before: IssuedBefore | None = None
) -> CreditNote:
    """Take it off what is due; what had been paid becomes credit of the payments that had paid it.

    INVOICE_NOT_CREDITABLE, CREDIT_EXCEEDS_INVOICE, INVOICE_LINE_NOT_FOUND, INVOICE_BEING_PAID.
    """
    invoice = await get_invoice(tx, wish.invoice_id, for_update=True)
    draft, corrections = await _draft(tx, invoice, wish)
    note = await _note(tx, invoice, draft, corrections, why)
    after = invoice.reduced(note.total, returned=note.to_credit, at=tx.now())
    lifted = await _lift(tx, invoice, note.to_credit)
    customer = await get_customer(tx, invoice.customer_id)
    note = replace(note, credit_note_id=new_id("crn"), created_at=tx.now())
    booked_at = tx.now()
    if before is not None:
        note = replace(note, issued_on=before.issued_on)
        booked_at = (await get_organization(tx)).start_of(before.issued_on)
    await update_balances(tx, [after])
    reduction = Reduction(
        kind=AdjustmentKind.CREDIT_NOTE, source_id=note.credit_note_id, amount=note.total, reason=why.text,
        effective_on=note.issued_on, booked_at=booked_at, by_group=draft.by_group, returned=_by_customer(lifted),
    )  # fmt: skip
    await adjust(tx, invoice, reduction)
    await end_with_debt(tx, invoice, after, why=why.text)
    note = replace(note, number=before.number if before else await free_number(tx, SERIES))
    await store.insert_credit_note(tx, note, lifted)
    events.invoice_adjusted(tx, after, AdjustmentKind.CREDIT_NOTE, note.total)
    events.credit_note_issued(tx, note, after, customer, silent=before is not None and before.silent)
    told = to_proto_credit_note(note)
    audit.record(
        tx, "credit_note.issued", note.credit_note_id, reason=why.text,
        after=told.SerializeToString(deterministic=True),
    )  # fmt: skip
    return note


async def _draft(tx: ReadTx, invoice: Invoice, wish: CreditWish) -> tuple[CreditDraft, list[Correction]]:
    shares = shares_of(invoice)
    corrected = await adjustments.corrected(tx, invoice.invoice_id, invoice.currency)
    before = await store.credited_lines(tx, invoice.invoice_id, invoice.currency)
    customer = await get_customer(tx, invoice.customer_id)
    whole = Writer(await get_organization(tx), customer.locale).word(
        "credit_line", number=invoice.number or ""
    )
    draft = draft_credit(invoice, wish, shares=shares, corrected=corrected, before=before, whole=whole)
    return draft, correct(shares, corrected, draft.by_group)


async def _note(
    tx: ReadTx, invoice: Invoice, draft: CreditDraft, corrections: Sequence[Correction], why: Why
) -> CreditNote:
    zero = Money.zero(invoice.currency)
    tax = sum((one.tax for one in corrections), zero)
    return CreditNote(
        credit_note_id="",
        number="",
        invoice_id=invoice.invoice_id,
        invoice_number=invoice.number or "",
        customer_id=invoice.customer_id,
        subtotal=draft.amount - tax,
        tax=tax,
        total=draft.amount,
        to_credit=max(zero, draft.amount - invoice.due),
        reason_code=why.code,
        reason=why.text,
        issued_on=(await get_organization(tx)).date_of(tx.now()),
        created_at=None,
        lines=draft.lines,
        taxes=tuple(
            TaxCredit(tax_.name, tax_.rate_percent, one.taxable, amount)
            for one in corrections
            for tax_, amount in zip(one.share.taxes, one.amounts, strict=True)
        ),
    )


async def _lift(tx: WriteTx, invoice: Invoice, amount: Money) -> list[PaidBy]:
    """Take so much of payments off a locked invoice and put it to their credit, the last payment first."""
    if amount.is_zero:
        return []
    lifted = lift(await store.uses_on(tx, invoice.invoice_id, invoice.currency), amount)
    lots = await credit_lots.lock_lots(tx, payment_ids={one.use.source_payment_id for one in lifted})
    for one in lifted:
        source = one.use.source_payment_id
        if one.use.payment_id == source:  # of the payment itself: never credit before
            nothing = Money.zero(invoice.currency)
            lot = lots.get(source) or Lot(
                payment_id=source, customer_id=one.customer_id, amount=nothing, remaining=nothing,
                held=nothing, created_at=tx.now(),
            )  # fmt: skip
            lots[source] = lot.add(one.use.amount)
        else:
            lots[source] = lots[source].spend(-one.use.amount)
    await lessen_uses(tx, [one.use for one in lifted])
    await credit_lots.put_lots(tx, [lots[source] for source in {one.use.source_payment_id for one in lifted}])
    return lifted


def _by_customer(lifted: Sequence[PaidBy]) -> Mapping[str, Money]:
    sums: dict[str, Money] = {}
    for one in lifted:
        before = sums.get(one.customer_id)
        sums[one.customer_id] = one.use.amount if before is None else before + one.use.amount
    return sums
