"""Take a reversal back: its money is there again and goes to where it was, as far as there is room; else to credit."""

from dataclasses import dataclass, replace

from chassis import audit
from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.reversal import Use, by_invoice, total
from services.invoicing.operations.adjust_invoice import Reduction, adjust
from services.invoicing.operations.undo_payment import Desk, open_desk
from services.invoicing.store import adjustments, ledger
from services.invoicing.store import reversals as store
from services.invoicing.store.plans import wake
from services.invoicing.translate import events


@dataclass(frozen=True, slots=True)
class _Again:
    """What is put to invoices again, and what goes to the payment's lot instead."""

    parts: list[Use]
    to_lot: Money


async def reinstate_payment(tx: WriteTx, payment_id: str, reversal_id: str) -> None:
    """Once. What was made credit stays credit. REVERSAL_NOT_FOUND when the reversal was never applied here."""
    application = await store.lock_application(tx, payment_id)
    reversal = await store.get_reversal(tx, reversal_id)
    if reversal.is_reinstated:
        return
    await store.note_reinstated(tx, reversal_id)
    if reversal.to_credit:
        return
    desk = await open_desk(
        tx, application, {one.invoice_id for one in reversal.parts if one.invoice_id},
        {one.source_payment_id for one in reversal.parts},
    )  # fmt: skip
    again = _put_back(tx, desk, reversal)
    granted = await _grant_discounts(tx, desk, reversal_id, again)
    await desk.write(tx)
    wake(tx, {application.customer_id} | {one.customer_id for one in desk.invoices.values()})
    await store.add_uses(tx, again.parts)
    own = [one for one in reversal.parts if one.source_payment_id == payment_id]
    cash = total(own, desk.currency) + reversal.missing
    await store.update_application(tx, replace(application, refunded=application.refunded - cash))
    movement = _movement(desk, reversal, again, cash)
    booking = books.reinstatement(payment_id, application.customer_id, reversal_id, movement, tx.now())
    await ledger.post(tx, [booking] if booking.postings else [])
    for invoice_id, amount in by_invoice(again.parts).items():
        invoice = desk.invoices[invoice_id]
        if reversal.forgiven:
            paid_after_all = Reduction(
                kind=AdjustmentKind.FORGIVEN_REFUND, source_id=f"reinstated:{reversal_id}", amount=-amount
            )
            await adjust(tx, invoice, paid_after_all)
        if invoice_id in granted:
            kept = Reduction(
                kind=AdjustmentKind.EARLY_DISCOUNT, source_id=f"reinstated:{reversal_id}",
                amount=granted[invoice_id],
            )  # fmt: skip
            await adjust(tx, invoice, kept)
        if not reversal.forgiven:
            events.invoice_took_payment(tx, invoice, amount, payment_id)
        audit.record(tx, f"invoice.{invoice.status}", invoice_id)
    audit.record(tx, "payment.reinstated", payment_id)


def _put_back(tx: WriteTx, desk: Desk, reversal: store.Reversed) -> _Again:
    payment_id = desk.application.payment_id
    to_lot = Money.zero(desk.currency)
    wanted: dict[str, Money] = {}
    parts = []
    for part in reversal.parts:
        if part.invoice_id is None:
            desk.put_lot(desk.own_lot(tx).spend(-part.amount))
            continue
        is_own = part.source_payment_id == payment_id
        before = wanted.get(part.invoice_id, Money.zero(desk.currency))
        takes = min(part.amount, _room(desk, part.invoice_id, forgiven=reversal.forgiven) - before)
        if not is_own:
            takes = min(takes, desk.lots[part.source_payment_id].free)
        if takes.minor_units > 0:
            wanted[part.invoice_id] = before + takes
            parts.append(replace(part, amount=takes))
            if not is_own:
                desk.put_lot(desk.lots[part.source_payment_id].spend(takes))
        if is_own and (rest := part.amount - max(takes, Money.zero(desk.currency))).minor_units > 0:
            to_lot += rest
            desk.put_lot(desk.own_lot(tx).add(rest))
    for invoice_id, amount in wanted.items():
        invoice = desk.invoices[invoice_id]
        desk.put_invoice(
            invoice.unforgive(amount, at=tx.now())
            if reversal.forgiven
            else invoice.settle(amount, reserved=Money.zero(desk.currency), at=tx.now())
        )
    return _Again(parts, to_lot)


async def _grant_discounts(tx: WriteTx, desk: Desk, reversal_id: str, again: _Again) -> dict[str, Money]:
    """What the reversal had withdrawn may be kept again where just that is left to pay. By invoice."""
    withdrawn = await adjustments.of_source(tx, AdjustmentKind.EARLY_DISCOUNT, f"withdrawn:{reversal_id}")
    granted = {}
    for invoice_id in by_invoice(again.parts):
        invoice = desk.invoices[invoice_id]
        left = invoice.unreserved
        if (
            invoice_id in withdrawn
            and left == invoice.due
            and Money.zero(desk.currency) < left <= -withdrawn[invoice_id]
        ):
            granted[invoice_id] = left
            desk.put_invoice(invoice.discounted(left, at=tx.now()))
    return granted


def _room(desk: Desk, invoice_id: str, *, forgiven: bool) -> Money:
    """What an invoice can take: what was forgiven of it, or what is due and nobody holds."""
    invoice = desk.invoices[invoice_id]
    if forgiven:
        return invoice.credited
    return invoice.unreserved if invoice.is_payable else Money.zero(desk.currency)


def _movement(desk: Desk, reversal: store.Reversed, again: _Again, cash: Money) -> books.Movement:
    payment_id = desk.application.payment_id
    currency = cash.currency
    zero = Money.zero(currency)
    applied = total(again.parts, currency)
    return books.Movement(
        cash=cash,
        applied=applied,
        credited=total((one for one in reversal.parts if one.invoice_id is None), currency) + again.to_lot,
        credit_used=total((one for one in again.parts if one.source_payment_id != payment_id), currency),
        surcharge=reversal.surcharge,
        forgiven=applied if reversal.forgiven else zero,
        missing=reversal.missing,
        of_others={} if reversal.forgiven else desk.of_others(again.parts),
    )
