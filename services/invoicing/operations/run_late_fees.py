"""Charge fees for paying late: each period of an invoice once, or not, and why."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.money import Money
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.invoice import Invoice, InvoiceKind
from services.invoicing.domain.late_fee import (
    LateFee,
    LateFeeOutcome,
    LateFeePolicy,
    SkipReason,
    fee_of,
    policy_for,
)
from services.invoicing.formats.wording import Writer
from services.invoicing.operations.decide_late_invoices import Round, decide_late_invoices
from services.invoicing.operations.issue_fee import Fee, issue_fee
from services.invoicing.operations.late_fee_guard import excuse
from services.invoicing.store import late_fees
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.legal_rates import get_rates
from services.invoicing.store.organizations import get_organization

_TOMORROW = timedelta(days=1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Case:
    """A late invoice on a day, and what became of its periods before."""

    invoice: Invoice
    customer: Customer
    before: Sequence[LateFee]
    today: date

    @property
    def last(self) -> LateFee | None:
        return self.before[-1] if self.before else None

    @property
    def period_no(self) -> int:
        """A period that was skipped is still open."""
        if self.last is None:
            return 1
        return self.last.period_no + (1 if self.last.outcome is LateFeeOutcome.CHARGED else 0)


async def run_late_fees(db: Database, *, limit: int) -> int:
    """Decide about up to `limit` invoices of each organization; returns the most of one. What fails stops no other."""
    one = Round(
        late_fees.organizations_with_policies, late_fees.late_invoices, _decision_on, "late_fee.failed"
    )
    return await decide_late_invoices(db, one, limit=limit)


def _decision_on(invoice_id: str) -> Callable[[WriteTx], Coroutine[Any, Any, None]]:
    async def work(tx: WriteTx) -> None:
        invoice = await get_invoice(tx, invoice_id, for_update=True)
        today = (await get_organization(tx)).date_of(tx.now())
        before = await late_fees.fees_of(tx, invoice_id)
        last = before[-1] if before else None
        if not invoice.is_payable or (last and (last.next_on is None or last.next_on > today)):
            return
        customer = await get_customer(tx, invoice.customer_id)
        policy = policy_for(await late_fees.policies(tx), customer.segments, invoice.currency)
        case = _Case(invoice, customer, before, today)
        fee = await _decide(tx, case, policy)
        if isinstance(fee, SkipReason):
            await _skip(tx, case, policy, fee)
        elif policy is not None:
            await _charge(tx, case, policy, fee)

    return work


async def _decide(tx: WriteTx, case: _Case, policy: LateFeePolicy | None) -> Money | SkipReason:
    invoice = case.invoice
    if policy is None:
        return SkipReason.NO_POLICY
    if policy.first_day(invoice.due_date) > case.today:
        return SkipReason.IN_GRACE
    excused = await excuse(tx, invoice, case.customer, case.today)
    if excused is not None:
        return excused
    country = invoice.buyer.country
    cap = next((one for one in await late_fees.caps(tx) if one.country == country), None)
    rates = await get_rates(tx) if policy.reference_rate else None
    return fee_of(invoice, policy, cap=cap, before=case.before, today=case.today, rates=rates)


async def _skip(tx: WriteTx, case: _Case, policy: LateFeePolicy | None, reason: SkipReason) -> None:
    """Looked at again tomorrow, after the grace, or, when no more may be charged, never."""
    invoice, last, period_no = case.invoice, case.last, case.period_no
    next_on: date | None = case.today + _TOMORROW
    if reason is SkipReason.IN_GRACE and policy is not None:
        next_on = policy.first_day(invoice.due_date)
    elif reason is SkipReason.CAP_REACHED:
        next_on = None
    skipped = LateFee(
        invoice_id=invoice.invoice_id, period_no=period_no, decided_on=case.today, outcome=LateFeeOutcome.SKIPPED,
        reason=reason, fee_invoice_id="", amount=Money.zero(invoice.currency),
        policy_id=policy.policy_id if policy else "", next_on=next_on, decided_at=tx.now(),
    )  # fmt: skip
    await late_fees.put_fee(tx, skipped)
    if last is None or last.period_no != period_no or last.reason is not reason:
        _log.info("late_fee.skipped", invoice_id=invoice.invoice_id, period=period_no, reason=reason.value)
        audit.record(tx, "late_fee.skipped", invoice.invoice_id, reason=reason.value)


async def _charge(tx: WriteTx, case: _Case, policy: LateFeePolicy, amount: Money) -> None:
    invoice, period_no = case.invoice, case.period_no
    writer = Writer(await get_organization(tx), case.customer.locale)
    days = writer.days((case.today - invoice.due_date).days)
    fee = Fee(
        kind=InvoiceKind.LATE_FEE,
        external_id=f"late-fee:{invoice.invoice_id}:{period_no}",
        description=writer.word("late_fee_line", number=invoice.number or "", days=days),
        amount=amount,
        why=f"late fee by policy {policy.name}",
        relates_to=invoice.invoice_id,
    )
    made = await issue_fee(tx, fee, case.customer)
    charged = LateFee(
        invoice_id=invoice.invoice_id, period_no=period_no, decided_on=case.today, outcome=LateFeeOutcome.CHARGED,
        reason=None, fee_invoice_id=made.invoice_id if made else "", amount=amount,
        policy_id=policy.policy_id, next_on=policy.next_day(invoice.due_date, case.today), decided_at=tx.now(),
    )  # fmt: skip
    await late_fees.put_fee(tx, charged)
