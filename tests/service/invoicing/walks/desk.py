"""The service's side of the walk: everybody's actions as calls and events, and its books as a sheet."""

import hashlib
from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import text

from tallyport.invoicing.v1 import (
    customers_pb2,
    disputes_pb2,
    dunning_pb2,
    late_fees_pb2,
    plan_policies_pb2,
)
from tallyport.invoicing.v1 import instalment_plans_pb2 as plans_pb2
from tallyport.invoicing.v1 import schedules_pb2 as pb
from tallyport.payments.v1 import events_pb2 as payments_events
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.walks.quiet_desk import QuietDesk
from tests.service.invoicing.walks.story import CUSTOMERS, FIRST_DAY, RULES, SCHEDULES
from tests.service.invoicing.walks.subscriptions import Row

_LABELS = """
    SELECT i.invoice_id, i.kind, i.external_id, s.schedule_id,
        row_number() OVER (PARTITION BY s.schedule_id ORDER BY s.number) AS position
    FROM invoices i
    LEFT JOIN scheduled_invoices s ON s.organization_id = i.organization_id AND s.invoice_id = i.invoice_id
    WHERE i.organization_id = :organization_id ORDER BY i.kind = 'late_fee', i.number
"""
_INVOICES = """
    SELECT invoice_id, number, invoice_date, due_date, total_minor_units, tax_minor_units, paid_minor_units,
        credited_minor_units, written_off_minor_units
    FROM invoices WHERE organization_id = :organization_id ORDER BY number
"""
_ACCOUNTS = """
    SELECT account, owner,
        CAST(sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END) AS bigint) AS cents
    FROM ledger_lines WHERE organization_id = :organization_id GROUP BY account, owner
"""
_LEDGER = """
    SELECT e.occurred_at, e.source, e.source_id, e.kind, l.line_no, l.account, l.owner, l.side, l.amount_minor_units
    FROM ledger_entries e JOIN ledger_lines l USING (organization_id, entry_id)
    WHERE organization_id = :organization_id
"""
_REMINDERS = """
    SELECT invoice_id, level, action, reason, decided_on FROM dunning_decisions
    WHERE organization_id = :organization_id ORDER BY invoice_id, decision_no
"""
_SENT = """
    SELECT invoice_id, level, issued_on FROM dunning_notices
    WHERE organization_id = :organization_id ORDER BY invoice_id, level
"""
_PROMISES = "SELECT promise_id, state FROM payment_promises WHERE organization_id = :organization_id"
_PLANS = "SELECT plan_id, state FROM instalment_plans WHERE organization_id = :organization_id"
_CREDIT_NOTES = """
    SELECT number, invoice_id, total_minor_units, tax_minor_units, issued_on
    FROM credit_notes WHERE organization_id = :organization_id ORDER BY number
"""


class Desk(QuietDesk):
    """Does what an action says. Ids of the service are kept by the names and labels of the model."""

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self.schedules: dict[str, str] = {}
        self.invoices: dict[str, str] = {}
        self.disputes: dict[str, str] = {}
        self.plans: dict[str, str] = {}
        self.today = FIRST_DAY

    async def open(self) -> None:
        """Customers, schedules and policies, as the story has them."""
        for name, terms in CUSTOMERS.items():
            granted = customers_pb2.CustomerPaymentTerms(
                days=terms["days"], end_of_month=terms["month_end"], early_discount_days=terms["early_days"],
                early_discount_percent=str(terms["early_percent"] or ""),
            )  # fmt: skip
            segments = [terms["segment"]] if terms["segment"] else []
            made = await self.office.customer(
                name=name, payment_terms=granted, time_zone=terms["zone"], segments=segments
            )
            self.customers[name] = made.customer_id
        for name, (customer, lines, terms) in SCHEDULES.items():
            self.schedules[name] = await self._schedule(name, self.customers[customer], lines, terms)
        for segment, fee in RULES["late_fees"].items():
            await self._late_fees(segment, fee)
        for segment, levels in RULES["reminders"].items():
            await self._reminders(segment, levels)
        rules = plans_pb2.PlanPolicyRules(
            max_months=12, min_instalment=usd(100), min_debt=usd(100), max_debt=usd(0),
            auto_approve_up_to=usd(500_000), grace_days=RULES["plan_grace"], missed_to_break=1, notice_days=3,
            max_hold_days=60, hardship_discount_basis_points=2_000, stops_late_fees=True,
            stops_dunning=True, max_open_promises=1, max_promise_days=30,
        )  # fmt: skip
        policy = plan_policies_pb2.PlanPolicy(currency="USD", rules=rules)
        request = plan_policies_pb2.PutPlanPolicyRequest(policy=policy)
        await self.office.call(self.office.plan_policies.PutPlanPolicy, request)

    async def _schedule(self, name: str, customer_id: str, lines: list[Row], terms: Row) -> str:
        inputs = [
            pb.ScheduleLineInput(
                description=f"{name} {at}", unit_price=usd(line["price"]), tax_rate_percent=str(line["tax"]),
                quantity=str(line.get("quantity", "")), metered="tiers" in line,
                tiers=[
                    pb.ScheduleTier(up_to=str(up_to or ""), unit_price=usd(cents))
                    for up_to, cents in line.get("tiers", ())
                ],
            )
            for at, line in enumerate(lines)
        ]  # fmt: skip
        rule = pb.ScheduleRule(
            unit=pb.SCHEDULE_UNIT_WEEK if "weeks" in terms else pb.SCHEDULE_UNIT_MONTH,
            every=terms.get("weeks") or terms["months"], anchor_day=terms.get("anchor", 0),
            starts_on=FIRST_DAY.replace(day=terms.get("start", 1)).isoformat(),
            trial_days=terms.get("trial", 0), max_periods=terms.get("last_period", 0),
        )  # fmt: skip
        in_arrears = terms.get("in_arrears", False)
        request = pb.CreateScheduleRequest(
            customer_id=customer_id, name=name, rule=rule, lines=inputs,
            timing=pb.SCHEDULE_TIMING_ARREARS if in_arrears else pb.SCHEDULE_TIMING_ADVANCE,
        )  # fmt: skip
        return (await self.office.call(self.office.schedules.CreateSchedule, request)).schedule_id

    async def _late_fees(self, segment: str, fee: Row) -> None:
        per_year, per_period = (
            late_fees_pb2.LATE_FEE_PERCENT_PER_YEAR,
            late_fees_pb2.LATE_FEE_PERCENT_PER_PERIOD,
        )
        policy = late_fees_pb2.LateFeePolicy(
            name=f"All {segment}", segment=segment, currency="USD", flat=usd(fee["flat"]), percent=str(fee["percent"]),
            percent_per=per_year if fee["by_year"] else per_period, grace_days=fee["grace"],
            cap=usd(fee["cap"]) if fee["cap"] else None, min_due=usd(fee["least"]), repeat_every=fee["months"],
            repeat=late_fees_pb2.LATE_FEE_REPEAT_MONTHS, active=True,
        )  # fmt: skip
        request = late_fees_pb2.PutLateFeePolicyRequest(policy=policy)
        await self.office.call(self.office.late_fees.PutLateFeePolicy, request)

    async def _reminders(self, segment: str, levels: list[Row]) -> None:
        text_ = dunning_pb2.DunningText(locale="en", title="Reminder", text="Invoice {number}: {amount}")
        policy = dunning_pb2.DunningPolicy(
            segment=segment, name="Reminders", active=True,
            levels=[
                dunning_pb2.DunningLevel(
                    days_after_due=level["after"], deadline_days=level["deadline"], mail=True, texts=[text_],
                    fee=usd(level["fee"]) if level["fee"] else None,
                )
                for level in levels
            ],
        )  # fmt: skip
        request = dunning_pb2.PutDunningPolicyRequest(policy=policy)
        await self.office.call(self.office.dunning.PutDunningPolicy, request)

    # What anybody does, by the names of the model's methods

    async def receive(
        self, *, payment: str, customer: str, cents: int, parts: list[tuple[str, int]], credit: int = 0
    ) -> None:
        customer_id = self.customers[customer]
        by_id = {await self.invoice(label): part for label, part in parts}
        fields: dict[str, Any] = {"received_on": self.today.isoformat()}
        if credit:
            await self.office.reserve(payment, customer_id, by_id, credit=credit)
            fields["credit_used"] = usd(credit)
        await self.office.paid(payment, customer_id, cents, by_id, **fields)

    async def give_back(self, *, payment: str, fee: int) -> None:
        async with self.office.db.read(self.office.organization_id) as tx:
            found = await tx.execute(
                text(
                    "SELECT customer_id, received_minor_units FROM payment_applications"
                    " WHERE organization_id = :organization_id AND payment_id = :payment_id"
                ),
                {"organization_id": self.office.organization_id, "payment_id": payment},
            )
            row = found.one()
        await self.office.reversed(
            payment, row.customer_id, row.received_minor_units, whole=True, fee=fee,
            kind=payments_events.REVERSAL_KIND_RETURN,
        )  # fmt: skip

    async def credit_note(self, *, label: str, cents: int) -> None:
        await self.office.credit_note(await self.invoice(label), cents)

    async def write_off(self, *, label: str) -> None:
        await self.office.write_off(await self.invoice(label))

    async def waive(self, *, label: str) -> None:
        request = late_fees_pb2.WaiveLateFeeRequest(invoice_id=await self.invoice(label), reason="First time")
        await self.office.call(self.office.late_fees.WaiveLateFee, request)

    async def dispute(self, *, label: str, cents: int) -> None:
        request = disputes_pb2.OpenDisputeRequest(
            invoice_id=await self.invoice(label), amount=usd(cents), reason=disputes_pb2.DISPUTE_REASON_WRONG_AMOUNT,
            text="A lamp was broken",
        )  # fmt: skip
        made = await self.office.call(self.office.disputes.OpenDispute, request)
        self.disputes[label] = made.dispute_id

    async def settle_dispute(self, *, label: str, credit: int) -> None:
        dispute_id = self.disputes[label]
        get = disputes_pb2.GetDisputeRequest(dispute_id=dispute_id)
        disputed = (await self.office.call(self.office.disputes.GetDispute, get)).amount.minor_units
        outcome = disputes_pb2.DISPUTE_STATE_REJECTED
        if credit:
            whole = credit == disputed
            outcome = (
                disputes_pb2.DISPUTE_STATE_ACCEPTED if whole else disputes_pb2.DISPUTE_STATE_PARTLY_ACCEPTED
            )
        request = disputes_pb2.ResolveDisputeRequest(
            dispute_id=dispute_id, outcome=outcome, text="We looked at it",
            credit=usd(credit) if 0 < credit < disputed else None,
        )  # fmt: skip
        await self.office.call(self.office.disputes.ResolveDispute, request)

    async def begin_plan(
        self, *, plan: str, customer: str, labels: list[str], days: list[date], discount: int
    ) -> None:
        is_monthly = days[0].day == days[1].day
        choice = plans_pb2.InstalmentChoice(
            instalments=len(days),
            interval=plans_pb2.INSTALMENT_INTERVAL_MONTH
            if is_monthly
            else plans_pb2.INSTALMENT_INTERVAL_TWO_WEEKS,
            first_due_on=days[0].isoformat(),
        )
        customer_id = self.customers[customer]
        payer = self.office.person_of(customer_id)
        request = plans_pb2.RequestInstalmentPlanRequest(
            customer_id=customer_id, choice=choice, invoice_ids=[await self.invoice(label) for label in labels],
            hardship=bool(discount), reasons=["illness"] if discount else [],
        )  # fmt: skip
        made = await self.office.call(self.office.plans.RequestInstalmentPlan, request, as_=payer)
        if discount:
            approve = plans_pb2.ApproveInstalmentPlanRequest(
                plan_id=made.plan_id, hardship_discount=usd(discount), choice=choice
            )
            made = await self.office.call(self.office.plans.ApproveInstalmentPlan, approve)
        accept = plans_pb2.AcceptInstalmentPlanRequest(plan_id=made.plan_id, terms_hash=made.terms.hash)
        await self.office.call(self.office.plans.AcceptInstalmentPlan, accept, as_=payer)
        self.plans[plan] = made.plan_id

    async def change_quantity(self, *, schedule: str, quantity: int) -> None:
        request = pb.ChangeScheduleQuantityRequest(
            schedule_id=self.schedules[schedule], line_no=1, quantity=str(quantity)
        )
        await self.office.call(self.office.schedules.ChangeScheduleQuantity, request)

    async def change_price(self, *, schedule: str, cents: int, since: date) -> None:
        request = pb.ChangeSchedulePriceRequest(
            schedule_id=self.schedules[schedule],
            line_no=1,
            unit_price=usd(cents),
            effective_on=since.isoformat(),
        )
        await self.office.call(self.office.schedules.ChangeSchedulePrice, request)

    async def report_usage(self, *, schedule: str, record: str, quantity: int) -> None:
        used = pb.UsageInput(external_id=record, line_no=2, quantity=str(quantity))
        request = pb.ReportUsageRequest(schedule_id=self.schedules[schedule], records=[used])
        await self.office.call(self.office.schedules.ReportUsage, request)

    async def pause(self, *, schedule: str) -> None:
        request = pb.PauseScheduleRequest(schedule_id=self.schedules[schedule])
        await self.office.call(self.office.schedules.PauseSchedule, request)

    async def resume(self, *, schedule: str) -> None:
        request = pb.ResumeScheduleRequest(schedule_id=self.schedules[schedule])
        await self.office.call(self.office.schedules.ResumeSchedule, request)

    async def cancel(self, *, schedule: str, now: bool) -> None:
        request = pb.CancelScheduleRequest(schedule_id=self.schedules[schedule], now=now, reason="Enough")
        await self.office.call(self.office.schedules.CancelSchedule, request)

    # What became of it

    async def invoice(self, label: str) -> str:
        """Id of an invoice; the model would know of one that is not there."""
        if label not in self.invoices:
            await self._learn_labels()
        return self.invoices.get(label, f"inv_none_{label}")

    async def _learn_labels(self) -> None:
        schedules = {schedule_id: name for name, schedule_id in self.schedules.items()}
        labels: dict[str, str] = {}
        for row in await self._rows(_LABELS):
            if row.schedule_id:
                labels[row.invoice_id] = f"{schedules[row.schedule_id]}/{row.position}"
            elif row.kind == "late_fee":
                _, invoice_id, period = row.external_id.split(":")
                labels[row.invoice_id] = f"{labels[invoice_id]} late {period}"
            elif row.external_id.startswith("dunning:"):
                _, invoice_id, level = row.external_id.split(":")
                labels[row.invoice_id] = f"{labels[invoice_id]} reminder {level}"
            else:
                labels[row.invoice_id] = f"{row.external_id.removeprefix('ref_')} fee"
        self.invoices = {label: invoice_id for invoice_id, label in labels.items()}

    async def sheet(self) -> Row:
        """The same names as the model's sheet, from what the service tells and has in its books."""
        await self._learn_labels()
        labels = {invoice_id: label for label, invoice_id in self.invoices.items()}
        names = {customer_id: name for name, customer_id in self.customers.items()}
        found: Row = {}
        for name, customer_id in self.customers.items():
            request = customers_pb2.GetAccountSummaryRequest(customer_id=customer_id)
            balance = (await self.office.call(self.office.customers.GetAccountSummary, request)).balances[0]
            for word in ("open", "overdue", "due_now", "credit"):
                found[f"{name} {word}"] = getattr(balance, word).minor_units
        for row in await self._rows(_ACCOUNTS):
            found[f"account {row.account}" + (f" of {names[row.owner]}" if row.owner else "")] = row.cents
        for name in self.schedules:
            found[f"invoices of {name}"] = sum(
                1 for label in self.invoices if label.startswith(f"{name}/") and " " not in label
            )
        said: dict[str, tuple[tuple[date, int, str], ...]] = defaultdict(tuple)
        for row in await self._rows(_REMINDERS):
            said[f"reminders of {labels[row.invoice_id]}"] += ((row.decided_on, row.level, row.reason),)
        found |= said
        assert {(row.invoice_id, row.level, row.issued_on) for row in await self._rows(_SENT)} == {
            (row.invoice_id, row.level, row.decided_on)
            for row in await self._rows(_REMINDERS)
            if row.action == "sent"
        }, "each reminder was decided once"
        for noun, known, query in (("plan", self.plans, _PLANS), ("promise", self.promises, _PROMISES)):
            states = dict(tuple(row) for row in await self._rows(query))
            found |= {f"{noun} {name}": states[id_] for name, id_ in known.items()}
        for row in await self._rows(_INVOICES):
            found[f"invoice {labels[row.invoice_id]}"] = (
                row.invoice_date, row.due_date, row.total_minor_units, row.tax_minor_units, row.paid_minor_units,
                row.credited_minor_units, row.written_off_minor_units,
            )  # fmt: skip
        return {name: value for name, value in found.items() if value}

    async def fingerprint(self) -> str:
        """A hash of the ledger, of invoices and of credit notes with their numbers; no ids, no machine time."""
        await self._learn_labels()
        names = {id_: name for book in (self.invoices, self.customers) for name, id_ in book.items()}
        names[""] = ""
        lines = sorted(
            f"{row.occurred_at} {row.source} {names.get(row.source_id) or _plain(row.source_id)} {row.kind}"
            f" {row.line_no} {row.account} {names[row.owner]} {row.side} {row.amount_minor_units}"
            for row in await self._rows(_LEDGER)
        )
        for query in (_INVOICES, _CREDIT_NOTES):
            lines += [
                " ".join(names.get(str(value), str(value)) for value in row)
                for row in await self._rows(query)
            ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    async def _rows(self, query: str) -> list[Any]:
        async with self.office.db.read(self.office.organization_id) as tx:
            found = await tx.execute(text(query), {"organization_id": self.office.organization_id})
            return list(found.all())


def _plain(source_id: str) -> str:
    """Payments have the ids of the story; what the service named is left out."""
    return source_id if source_id.startswith("pay_") else ""
