"""Take money of a payment back: its invoices are to be paid again, or are forgiven."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from chassis import audit
from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.adjustment import AdjustmentKind
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.reversal import Reversal, Taken, Undone, Use, by_invoice, take, total
from services.invoicing.operations.adjust_invoice import Reduction, adjust
from services.invoicing.operations.charge_fee import charge_fee
from services.invoicing.operations.reopen_plans import reopen_plans
from services.invoicing.operations.undo_payment import Desk, open_desk
from services.invoicing.store import adjustments, ledger
from services.invoicing.store import reversals as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.plans import wake
from services.invoicing.translate import events

_log = structlog.get_logger(__name__)


async def reverse_payment(tx: WriteTx, reversal: Reversal) -> None:
    """Undo a reversal's part of a payment, once. PAYMENT_NOT_FOUND when the payment was never applied here."""
    application = await store.lock_application(tx, reversal.payment_id)
    if await store.is_applied(tx, reversal.reversal_id):
        return
    customer = await get_customer(tx, application.customer_id)
    desk, uses = await _open(tx, application, reversal)
    own = desk.own_lot(tx)
    taken = take(reversal, credit=own.remaining, uses=uses)
    undone = _undo(tx, desk, reversal, taken)
    withdrawn = await _withdraw_discounts(tx, desk, reversal, undone)
    undone = replace(undone, invoices=[desk.invoices[one] for one in desk.changed_invoices])
    await desk.write(tx)
    if not reversal.forgive:
        await reopen_plans(tx, list(desk.changed_invoices))
    wake(tx, {application.customer_id} | {one.customer_id for one in desk.invoices.values()})
    await store.lessen_uses(tx, taken.parts)
    await store.insert_reversal(tx, reversal, taken)
    refunded = application.refunded if reversal.to_credit else application.refunded + reversal.net
    after = replace(application, refunded=refunded, event_version=application.event_version + 1)
    await store.update_application(tx, after)
    movement = _movement(reversal, taken, desk)
    booking = books.reversal(
        reversal.payment_id, customer.customer_id, reversal.reversal_id, movement, tx.now()
    )
    await ledger.post(tx, [booking] if booking.postings else [])
    await _note_adjustments(tx, reversal, undone, withdrawn)
    _announce(tx, reversal, undone, customer, after.event_version)
    if taken.missing.minor_units > 0:
        _log.error(
            "reversal.missing", payment_id=reversal.payment_id, reversal_id=reversal.reversal_id,
            missing=str(taken.missing),
        )  # fmt: skip
    if reversal.fee is not None:
        await charge_fee(tx, reversal, reversal.fee, customer)


async def _open(tx: WriteTx, application: store.Application, reversal: Reversal) -> tuple[Desk, list[Use]]:
    """Lock what the payment's money is in. What it was used for while we waited for the locks is locked as well."""
    uses = await store.uses_of(tx, reversal.payment_id, lent=reversal.whole)
    desk = await open_desk(
        tx, application, {one.invoice_id for one in uses if one.invoice_id},
        {one.source_payment_id for one in uses},
    )  # fmt: skip
    uses = await store.uses_of(tx, reversal.payment_id, lent=reversal.whole)
    invoice_ids = {one.invoice_id for one in uses if one.invoice_id}
    if invoice_ids - desk.invoices.keys():
        late = await open_desk(tx, application, invoice_ids, {one.source_payment_id for one in uses})
        desk, uses = late, await store.uses_of(tx, reversal.payment_id, lent=reversal.whole)
    return desk, uses


def _undo(tx: WriteTx, desk: Desk, reversal: Reversal, taken: Taken) -> Undone:
    lost = by_invoice(taken.parts)
    for invoice_id, amount in lost.items():
        invoice = desk.invoices[invoice_id]
        desk.put_invoice(invoice.unsettle(amount, forgive=reversal.forgive, at=tx.now()))
    from_credit = Money.zero(desk.currency)
    for part in taken.parts:
        if part.invoice_id is None:
            from_credit += part.amount
            desk.put_lot(desk.own_lot(tx).spend(part.amount))
        elif part.source_payment_id != reversal.payment_id:
            desk.put_lot(desk.lots[part.source_payment_id].spend(-part.amount))
        elif reversal.to_credit:
            desk.put_lot(desk.own_lot(tx).add(part.amount))
    return Undone(
        invoices=[desk.invoices[one] for one in desk.changed_invoices],
        by_invoice=lost,
        from_credit=from_credit,
    )


async def _withdraw_discounts(
    tx: WriteTx, desk: Desk, reversal: Reversal, undone: Undone
) -> Mapping[str, Money]:
    """Who did not pay after all has not paid early: what was kept is asked for again. By invoice."""
    if reversal.forgive:
        return {}
    kept = await adjustments.sums_of(tx, AdjustmentKind.EARLY_DISCOUNT, list(undone.by_invoice))
    for invoice_id, amount in kept.items():
        desk.put_invoice(desk.invoices[invoice_id].discounted(-amount, at=tx.now()))
    return kept


async def _note_adjustments(
    tx: WriteTx, reversal: Reversal, undone: Undone, withdrawn: Mapping[str, Money]
) -> None:
    for invoice in undone.invoices:
        if reversal.forgive:
            forgiven = Reduction(
                kind=AdjustmentKind.FORGIVEN_REFUND, source_id=reversal.reversal_id,
                amount=undone.by_invoice[invoice.invoice_id], reason=reversal.reason,
            )  # fmt: skip
            await adjust(tx, invoice, forgiven)
        if invoice.invoice_id in withdrawn:
            asked_again = Reduction(
                kind=AdjustmentKind.EARLY_DISCOUNT, source_id=f"withdrawn:{reversal.reversal_id}",
                amount=-withdrawn[invoice.invoice_id], reason=reversal.reason,
            )  # fmt: skip
            await adjust(tx, invoice, asked_again)


def _movement(reversal: Reversal, taken: Taken, desk: Desk) -> books.Movement:
    """The sums of what is taken back, as if it came in; the booking turns them round."""
    currency = reversal.amount.currency
    zero = Money.zero(currency)
    on_invoices = [part for part in taken.parts if part.invoice_id is not None]
    own = total((one for one in on_invoices if one.source_payment_id == reversal.payment_id), currency)
    lent = total((one for one in on_invoices if one.source_payment_id != reversal.payment_id), currency)
    from_lot = total((one for one in taken.parts if one.invoice_id is None), currency)
    return books.Movement(
        cash=zero if reversal.to_credit else reversal.net,
        applied=own + lent,
        credited=from_lot,
        credit_used=lent + (own if reversal.to_credit else zero),
        surcharge=zero if reversal.to_credit else reversal.surcharge,
        forgiven=own + lent if reversal.forgive else zero,
        missing=zero if reversal.to_credit else taken.missing,
        of_others={} if reversal.forgive else desk.of_others(on_invoices),
    )


def _announce(
    tx: WriteTx, reversal: Reversal, undone: Undone, customer: Customer, event_version: int
) -> None:
    for invoice in undone.invoices:
        if not reversal.forgive:
            events.invoice_reopened(tx, invoice, reversal.payment_id)
        audit.record(tx, "invoice.credited" if reversal.forgive else "invoice.reopened", invoice.invoice_id)
    events.payment_unapplied(tx, reversal, undone, customer, aggregate_version=event_version)
    audit.record(tx, "payment.reversed", reversal.payment_id, reason=reversal.reason)
