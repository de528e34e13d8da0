"""What reversals and reinstatements share: a payment, where its money is, and the locks on all of it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from chassis.database import WriteTx
from chassis.money import Money
from services.invoicing.domain import ledger as books
from services.invoicing.domain.credit import Lot
from services.invoicing.domain.invoice import Invoice
from services.invoicing.domain.reversal import Use
from services.invoicing.store import lots as credit_lots
from services.invoicing.store.invoices import lock_invoices, update_balances
from services.invoicing.store.reversals import Application


@dataclass(slots=True)
class Desk:
    """A payment with the invoices and lots that its money is in, all locked."""

    application: Application
    invoices: dict[str, Invoice]
    lots: dict[str, Lot]
    changed_invoices: dict[str, None] = field(default_factory=dict)
    changed_lots: dict[str, None] = field(default_factory=dict)

    @property
    def currency(self) -> str:
        return self.application.refunded.currency

    def put_invoice(self, invoice: Invoice) -> None:
        self.invoices[invoice.invoice_id] = invoice
        self.changed_invoices[invoice.invoice_id] = None

    def put_lot(self, lot: Lot) -> None:
        self.lots[lot.payment_id] = lot
        self.changed_lots[lot.payment_id] = None

    def own_lot(self, tx: WriteTx) -> Lot:
        """The lot of the payment itself; empty when nothing of it was credit before."""
        nothing = Money.zero(self.currency)
        return self.lots.get(self.application.payment_id) or Lot(
            payment_id=self.application.payment_id, customer_id=self.application.customer_id,
            amount=nothing, remaining=nothing, held=nothing, created_at=tx.now(),
        )  # fmt: skip

    def of_others(self, parts: Iterable[Use]) -> Mapping[str, Money]:
        """What parts of invoices come to for customers for whom the payer paid."""
        return books.of_others(
            self.application.customer_id,
            (
                (self.invoices[part.invoice_id].customer_id, part.amount)
                for part in parts
                if part.invoice_id is not None
            ),
        )

    async def write(self, tx: WriteTx) -> None:
        """Write invoices and lots; holds that a lot does not cover any more are given up, the newest first."""
        for lot_id in self.changed_lots:
            lot = self.lots[lot_id]
            if lot.held > lot.remaining:
                self.lots[lot_id] = await _give_up_holds(tx, lot)
        await update_balances(tx, [self.invoices[one] for one in self.changed_invoices])
        await credit_lots.put_lots(tx, [self.lots[one] for one in self.changed_lots])


async def open_desk(
    tx: WriteTx, application: Application, invoice_ids: Collection[str], sources: Collection[str]
) -> Desk:
    """Lock the invoices, then the lots of the payment and of `sources`."""
    invoices = await lock_invoices(tx, invoice_ids)
    lots = await credit_lots.lock_lots(tx, payment_ids={application.payment_id, *sources})
    return Desk(application, dict(invoices), lots)


async def _give_up_holds(tx: WriteTx, lot: Lot) -> Lot:
    """Payments that wanted this credit will do without it: less is put to their invoices then."""
    for payment_id, amount in await credit_lots.holders_of(tx, lot):
        gives = min(amount, lot.held - lot.remaining)
        if gives.minor_units <= 0:
            break
        await credit_lots.shrink_hold(tx, payment_id, lot.payment_id, amount - gives)
        lot = lot.hold(-gives)
    return lot
