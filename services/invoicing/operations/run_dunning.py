"""Remind of late invoices: each level once, or not today, and why."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog

from chassis import audit
from chassis.database import Database, WriteTx
from chassis.ids import new_id
from services.invoicing.domain.customer import Customer
from services.invoicing.domain.dunning import (
    Action,
    DunningPolicy,
    Facts,
    Notice,
    decide,
    next_level,
    policy_for,
)
from services.invoicing.domain.invoice import Invoice, InvoiceKind
from services.invoicing.domain.organization import Organization
from services.invoicing.formats.dunning_texts import wording
from services.invoicing.operations.decide_late_invoices import Round, decide_late_invoices
from services.invoicing.operations.dunning_facts import facts_of
from services.invoicing.operations.issue_fee import Fee, issue_fee
from services.invoicing.store import dunning as store
from services.invoicing.store.customers import get_customer
from services.invoicing.store.invoices import get_invoice
from services.invoicing.store.organizations import get_organization
from services.invoicing.store.owed_besides import owed_besides
from services.invoicing.translate.dunning import dunning_notice_issued

NOTICE_PREFIX = "dnn"
_TOMORROW = timedelta(days=1)
_log = structlog.get_logger(__name__)


async def run_dunning(db: Database, *, limit: int) -> int:
    """Decide about up to `limit` invoices of each organization; returns the most of one. What fails stops no other."""
    one = Round(store.organizations_with_policies, store.late_invoices, _decision_on, "dunning.failed")
    return await decide_late_invoices(db, one, limit=limit)


@dataclass(frozen=True, slots=True)
class _Case:
    invoice: Invoice
    customer: Customer
    organization: Organization
    policy: DunningPolicy
    level: int
    today: date


def _decision_on(invoice_id: str) -> Callable[[WriteTx], Coroutine[Any, Any, None]]:
    async def work(tx: WriteTx) -> None:
        invoice = await get_invoice(tx, invoice_id, for_update=True)
        organization = await get_organization(tx)
        today = organization.date_of(tx.now())
        if not invoice.is_payable or invoice.due_date >= today:
            return
        customer = await get_customer(tx, invoice.customer_id)
        policy = policy_for(await store.policies(tx), customer.segments)
        sent = await store.notices_of(tx, invoice_id)
        coming = next_level(policy, invoice.due_date, sent[-1] if sent else None) if policy else None
        if policy is None or coming is None:
            await store.put_next_on(tx, invoice_id, None)
        elif coming[1] > today:
            await store.put_next_on(tx, invoice_id, coming[1])
        else:
            case = _Case(invoice, customer, organization, policy, coming[0], today)
            await _look(tx, case, await facts_of(tx, invoice, customer, today))

    return work


async def _look(tx: WriteTx, case: _Case, facts: Facts) -> None:
    """Send the level, or look again tomorrow."""
    invoice_id = case.invoice.invoice_id
    action, obstacle = decide(facts)
    reason = obstacle.value if obstacle else ""
    kept = await store.note_decision(tx, invoice_id, store.Decision(case.level, action, reason, case.today))
    if action is not Action.SENT:
        await store.put_next_on(tx, invoice_id, case.today + _TOMORROW)
        if kept:
            _log.info("dunning.waits", invoice_id=invoice_id, level=case.level, reason=reason)
            audit.record(tx, "dunning.waits", invoice_id, reason=reason)
        return
    notice = await _issue(tx, case, facts)
    following = next_level(case.policy, case.invoice.due_date, notice)
    await store.put_next_on(tx, invoice_id, following[1] if following else None)


async def _issue(tx: WriteTx, case: _Case, facts: Facts) -> Notice:
    invoice, level = case.invoice, case.policy.levels[case.level - 1]
    text = level.text_for(case.customer.locale, case.organization.locale)
    fee = level.fee_in(invoice.currency)
    deadline = case.today + timedelta(days=level.deadline_days)
    charged = None
    if fee is not None:
        wanted = Fee(
            kind=InvoiceKind.FEE,
            external_id=f"dunning:{invoice.invoice_id}:{case.level}",
            description=f"{text.title}, {invoice.number}",
            amount=fee,
            why=f"dunning level {case.level} by policy {case.policy.name}",
            relates_to=invoice.invoice_id,
            notify=False,
        )
        charged = await issue_fee(tx, wanted, case.customer)
    interest, fees = await owed_besides(tx, invoice.invoice_id, invoice.currency)
    notice = Notice(
        notice_id=new_id(NOTICE_PREFIX), invoice_id=invoice.invoice_id, customer_id=invoice.customer_id,
        level=case.level, title=text.title,
        text=wording(
            text, number=invoice.number or "", amount=facts.asked, due_date=invoice.due_date,
            deadline=deadline, fee=fee,
        ),
        locale=text.locale, amount=facts.asked, issued_on=case.today, deadline_on=deadline,
        fee_invoice_id=charged.invoice_id if charged else "", letter=level.letter, mail=level.mail,
        invoice_number=invoice.number or "", interest=interest, fees=fees,
    )  # fmt: skip
    await store.insert_notice(tx, notice)
    dunning_notice_issued(tx, notice, invoice, case.customer)
    audit.record(tx, "dunning.sent", invoice.invoice_id, reason=f"level {case.level}: {text.title}")
    return notice
