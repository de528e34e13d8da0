"""A business as somebody would keep it in a spreadsheet: rows of invoices, payments and adjustments, and their sums.

It is written from what the books promise, without a line of the service's code, so that both can be compared.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.service.invoicing.walks.quiet import Quiet
from tests.service.invoicing.walks.subscriptions import DAY, Row, Subscriptions, half_up, same_day


class Book(Subscriptions, Quiet):
    """All rows of a business. Amounts are cents; invoices are known by labels, payments by ids."""

    def __init__(self, rules: Row, customers: dict[str, Row]) -> None:
        Subscriptions.__init__(self)
        Quiet.__init__(self)
        self.rules = rules
        self.customers = customers
        self.today = date.min
        self.invoices: dict[str, Row] = {}
        self.payments: dict[str, Row] = {}
        self.uses: list[Row] = []  # which payment paid which invoice, with whose money
        self.lots: dict[str, Row] = {}  # credit, by the payment that it came by
        self.adjustments: list[Row] = []
        self.plans: dict[str, Row] = {}
        self.fresh: list[Row] = []  # invoices that nobody has seen yet

    # A day

    def turn(self, day: date) -> bool:
        """What happens by itself on a day, in the order of the service's jobs; whether anything did."""
        self.today = day
        before = self._counts()
        for name in self.schedules:
            while (billing := self.bill(name, day)) is not None:
                self._issue_billing(name, billing)
        for plan in self.plans.values():
            if plan["state"] == "active" and not self.is_on_track(plan, day):
                plan["state"] = "broken"
            if plan["state"] == "active" and not self._open_of(plan):
                plan["state"] = "completed"
        self._look_at_promises(day)
        for invoice in sorted(self.open_invoices(), key=lambda row: row["due_on"]):
            if invoice["kind"] != "late_fee" and invoice["due_on"] < day:
                self._look_at_late(invoice, day)
        for invoice in sorted(self.open_invoices(), key=lambda row: row["due_on"]):
            if invoice["kind"] == "invoice" and invoice["due_on"] < day:
                self._remind(invoice, day)
        return before != self._counts()

    def _counts(self) -> tuple[int, int, list[str]]:
        return len(self.invoices), len(self.adjustments), [plan["state"] for plan in self.plans.values()]

    def _issue_billing(self, name: str, billing: Row) -> None:
        row = self.schedules[name]
        net = sum(billing["sums"].values())
        if net > 0:
            tax = sum(half_up(Fraction(cents * rate, 100)) for rate, cents in billing["sums"].items())
            count = sum(1 for one in self.invoices.values() if one["schedule"] == name)
            label = f"{name}/{count + 1}"
            self._issue(label, row["customer"], net, tax, on=billing["day"], schedule=name)
            self.invoices[label]["number"] = row["next"] - 1
        for _, cents, number in billing["give_back"]:
            invoice = next(
                one for one in self.invoices.values() if (one["schedule"], one["number"]) == (name, number)
            )
            whole = Fraction(cents * invoice["total"], invoice["net"])
            self.credit_note(label=invoice["label"], cents=half_up(whole))

    def _issue(self, label: str, customer: str, net: int, tax: int, *, on: date, **more: Any) -> None:
        terms = self.customers[customer]
        self.invoices[label] = {
            "label": label, "customer": customer, "kind": "invoice", "schedule": "", "number": None, "issued_on": on,
            "due_on": self.due_on(terms, on), "net": net, "tax": tax, "total": net + tax, "paid": 0, "credited": 0,
            "written_off": 0, "disputed": 0, "reduced": 0, "early_until": None, "fee_on": None, "fees": 0,
            "fee_no": 0, "reminders": 0, "answer_by": None,
            "remind_on": None, "said": [], "interest_from": self.due_on(terms, on), **more,
        }  # fmt: skip
        invoice = self.invoices[label]
        if terms["early_percent"] and invoice["kind"] == "invoice":
            invoice["early_until"] = on + timedelta(days=terms["early_days"])
        self.fresh.append(invoice)

    def due_on(self, terms: Row, on: date) -> date:
        """The day on which an invoice of a day falls due."""
        due: date = on + timedelta(days=terms["days"])
        if terms["month_end"]:
            due = same_day(due.replace(day=1), 1) - DAY
        return due

    # Late fees

    def _look_at_late(self, invoice: Row, day: date) -> None:
        policy = self.rules["late_fees"][self.customers[invoice["customer"]]["segment"]]
        first: date = invoice["due_on"] + timedelta(days=policy["grace"] + 1)
        if day < max(first, invoice["fee_on"] or first) or invoice["fee_on"] == date.max:
            return
        owed = self.left(invoice) - min(invoice["disputed"], self.left(invoice))
        invoice["fee_on"] = day + DAY  # unless a fee is charged it is looked at again then
        if not owed or self._plan_of(invoice, day) is not None or self.is_excused(invoice):
            invoice["interest_from"] = day
            return
        if owed < policy["least"]:
            return
        fee = self.late_fee(invoice, policy, owed, day)
        if policy["cap"]:
            fee = min(fee, policy["cap"] - invoice["fees"])
        if fee <= 0:
            if policy["cap"]:
                invoice["fee_on"] = date.max
            return
        invoice["fees"] += fee
        invoice["fee_no"] += 1
        invoice["interest_from"] = day
        months = 0
        while policy["months"] and same_day(first, months) <= day:
            months += policy["months"]
        invoice["fee_on"] = same_day(first, months) if policy["months"] else date.max
        label = f"{invoice['label']} late {invoice['fee_no']}"
        self._issue(label, invoice["customer"], fee, 0, on=day, kind="late_fee")

    def late_fee(self, invoice: Row, policy: Row, owed: int, day: date) -> int:
        """A flat fee and a share of what is owed, either at once or by the days of a year."""
        share = Fraction(owed * policy["percent"]) / 100
        if policy["by_year"]:
            share = share * (day - invoice["interest_from"]).days / 365
        return int(policy["flat"]) + half_up(share)

    def _remind(self, invoice: Row, day: date) -> None:
        levels = self.rules["reminders"].get(self.customers[invoice["customer"]]["segment"], ())
        if invoice["reminders"] == len(levels):
            return
        level = levels[invoice["reminders"]]
        if day < self.reminder_day(invoice, level) or day < (invoice["remind_on"] or day):
            return
        why = self.silence(invoice, day)
        if [(number, reason) for _, number, reason in invoice["said"][-1:]] != [
            (invoice["reminders"] + 1, why)
        ]:
            invoice["said"].append((day, invoice["reminders"] + 1, why))
        invoice["remind_on"] = day + DAY
        if why:
            return
        invoice["reminders"] += 1
        invoice["answer_by"] = day + timedelta(days=level["deadline"])
        if level["fee"]:
            label = f"{invoice['label']} reminder {invoice['reminders']}"
            self._issue(label, invoice["customer"], level["fee"], 0, on=day, kind="fee")

    def silence(self, invoice: Row, day: date) -> str:
        """Why an invoice is not reminded of on a day, by the first reason that holds; empty when it is."""
        customer, owed = invoice["customer"], self.left(invoice)
        asked = max(0, owed - invoice["disputed"])
        reasons = {
            "paused": day <= self.pauses.get(customer, date.min),
            "on_hold": customer in self.held,
            "disputed": not asked,
            "on_plan": self._plan_of(invoice, day) is not None,
            "promised": self.promise_of(customer) is not None,
            "claimed": day <= self.announced("claimed", invoice),
            "autopay": day <= self.announced("autopay", invoice),
            "credit_covers": self.credit(customer) >= max(1, asked),
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def reminder_day(self, invoice: Row, level: Row) -> date:
        """So long after the due date, but not before the time is over that the last reminder gave."""
        day: date = invoice["due_on"] + timedelta(days=level["after"])
        return day if invoice["answer_by"] is None else max(day, invoice["answer_by"] + DAY)

    def waive(self, *, label: str) -> None:
        self.credit_note(label=label, cents=self.invoices[label]["total"])

    # Money

    def receive(
        self, *, payment: str, customer: str, cents: int, parts: list[tuple[str, int]], credit: int = 0
    ) -> None:
        """Money came, and some credit is used besides, the oldest first; what no invoice takes is credit."""
        self.payments[payment] = {"customer": customer, "cents": cents, "returned": 0, "day": self.today}
        left, credit_left = cents, min(credit, self.credit(customer))
        drawn = self._draw(customer, credit_left)
        for label, wanted in parts:
            invoice = self.invoices.get(label)
            if invoice is None or invoice["customer"] != customer:
                continue
            takes = min(wanted, self.left(invoice) + invoice["written_off"], left + credit_left)
            if takes <= 0:
                continue
            kept = self.early_offer(invoice)
            from_credit = min(takes, credit_left)
            credit_left, left = credit_left - from_credit, left - takes + from_credit
            self._use(payment, payment, label, takes - from_credit)
            while from_credit:
                source, cents_of_lot = drawn.pop(0)
                part = min(from_credit, cents_of_lot)
                self._use(payment, source, label, part)
                self.lots[source]["left"] -= part
                from_credit -= part
                if part < cents_of_lot:
                    drawn.insert(0, (source, cents_of_lot - part))
            recovered = max(0, takes - self.left(invoice))
            invoice["paid"] += takes
            invoice["credited"] -= recovered
            invoice["written_off"] -= recovered
            if 0 < self.left(invoice) <= kept and not invoice["written_off"]:
                self._reduce(invoice, "early_discount", self.left(invoice))
        if left:
            self._to_credit(payment, customer, left)

    def early_offer(self, invoice: Row) -> int:
        """What may be kept by whoever pays the rest of an invoice today."""
        if invoice["early_until"] is None or self.today > invoice["early_until"]:
            return 0
        percent = self.customers[invoice["customer"]]["early_percent"]
        offer = half_up(Fraction((invoice["total"] - invoice["credited"]) * percent, 100))
        return offer if offer < self.left(invoice) else 0

    def give_back(self, *, payment: str, fee: int) -> None:
        """A whole payment goes back, wherever its money is; credit that it used is there again."""
        row = self.payments[payment]
        row["returned"] = row["cents"]
        touched = []
        for use in [one for one in self.uses if payment in (one["payment"], one["source"])]:
            self.uses.remove(use)
            invoice = self.invoices[use["invoice"]]
            invoice["paid"] -= use["cents"]
            touched.append(invoice["label"])
            if use["source"] != payment:
                self.lots[use["source"]]["left"] += use["cents"]
        if payment in self.lots:
            self.lots[payment]["left"] = 0
        for label in dict.fromkeys(touched):
            mine = (one for one in self.adjustments if one["invoice"] == label)
            kept = sum(one["cents"] for one in mine if one["kind"] == "early_discount")
            if kept:
                self._reduce(self.invoices[label], "early_discount", -kept)
        if fee:
            self._issue(f"{payment} fee", row["customer"], fee, 0, on=self.today, kind="fee")

    def credit_note(self, *, label: str, cents: int) -> None:
        """Less is owed; what had been paid of it is the credit of the payments that paid it, the last one first."""
        invoice = self.invoices[label]
        back = max(0, cents - self.left(invoice))
        for use in [one for one in reversed(self.uses) if one["invoice"] == label]:
            part = min(back, use["cents"])
            use["cents"] -= part
            back -= part
            invoice["paid"] -= part
            if part:
                self._to_credit(use["source"], self.payments[use["source"]]["customer"], part)
        self.uses = [one for one in self.uses if one["cents"]]
        self._reduce(invoice, "credit_note", cents)

    def write_off(self, *, label: str) -> None:
        invoice = self.invoices[label]
        invoice["written_off"] += self.left(invoice)
        invoice["credited"] += self.left(invoice)

    def dispute(self, *, label: str, cents: int) -> None:
        self.invoices[label]["disputed"] = cents

    def settle_dispute(self, *, label: str, credit: int) -> None:
        self.invoices[label]["disputed"] = 0
        if credit:
            self.credit_note(label=label, cents=credit)

    def _reduce(self, invoice: Row, kind: str, cents: int) -> None:
        """Tax goes with it: what the invoice's net sum comes to follows from all that was taken off so far."""
        was, now = (self.net_of(invoice, sum_) for sum_ in (invoice["reduced"], invoice["reduced"] + cents))
        invoice["reduced"] += cents
        invoice["credited"] += cents
        row = {"invoice": invoice["label"], "kind": kind, "cents": cents, "net": now - was}
        self.adjustments.append(row)

    def net_of(self, invoice: Row, cents: int) -> int:
        """The part without tax of so much of an invoice."""
        return half_up(Fraction(cents * invoice["net"], invoice["total"]))

    def _use(self, payment: str, source: str, label: str, cents: int) -> None:
        if cents:
            self.uses.append({"payment": payment, "source": source, "invoice": label, "cents": cents})

    def _to_credit(self, source: str, customer: str, cents: int) -> None:
        lot = self.lots.setdefault(source, {"customer": customer, "left": 0, "since": self.today})
        lot["left"] += cents

    def _draw(self, customer: str, cents: int) -> list[tuple[str, int]]:
        found, mine = (
            [],
            [one for one in self.lots.items() if one[1]["customer"] == customer and one[1]["left"]],
        )
        for source, lot in sorted(mine, key=lambda one: (one[1]["since"], one[0])):
            found.append((source, min(cents, lot["left"])))
            cents -= found[-1][1]
        return [one for one in found if one[1]]

    # Instalment plans

    def begin_plan(
        self, *, plan: str, customer: str, labels: list[str], days: list[date], discount: int
    ) -> None:
        """What the invoices come to, less a discount on the only one, in as many equal parts as there are days."""
        if discount:
            (only,) = labels
            self._reduce(self.invoices[only], "hardship_discount", discount)
        total = sum(self.left(self.invoices[label]) for label in labels)
        each, rest = divmod(total, len(days))
        parts = [(day, each + (1 if at < rest else 0)) for at, day in enumerate(days)]
        self.plans[plan] = {
            "customer": customer, "labels": labels, "parts": parts, "total": total, "state": "active"
        }  # fmt: skip

    def demanded(self, plan: Row, day: date) -> int:
        """What is due of a plan on a day."""
        paid = plan["total"] - self._open_of(plan)
        reached = sum(cents for due_on, cents in plan["parts"] if due_on <= day)
        return int(max(0, reached - paid))

    def is_on_track(self, plan: Row, day: date) -> bool:
        """Agreed, and no instalment is unpaid for longer than the grace."""
        return plan["state"] == "active" and not self.demanded(
            plan, day - timedelta(days=self.rules["plan_grace"] + 1)
        )

    def _open_of(self, plan: Row) -> int:
        return sum(self.left(self.invoices[label]) for label in plan["labels"])

    def _plan_of(self, invoice: Row, day: date) -> Row | None:
        mine = (plan for plan in self.plans.values() if invoice["label"] in plan["labels"])
        return next((plan for plan in mine if self.is_on_track(plan, day)), None)

    def _look_at_promises(self, day: date) -> None:
        for promise in self.open_promises():
            customer, since = promise["customer"], promise["since"]
            came = [
                one for one in self.payments.values() if one["customer"] == customer and one["day"] >= since
            ]
            received = sum(one["cents"] - one["returned"] for one in came)
            owed = sum(self.left(one) for one in self.open_invoices() if one["customer"] == customer)
            promise["state"] = self.outcome(promise, received, owed, day)

    # Schedules are changed

    def change_quantity(self, *, schedule: str, quantity: int) -> None:
        row = self.schedules[schedule]
        row["lines"][0]["quantity"].append((self._local(row), quantity))

    def change_price(self, *, schedule: str, cents: int, since: date) -> None:
        self.schedules[schedule]["lines"][0]["price"].append((since, cents))

    def report_usage(self, *, schedule: str, record: str, quantity: int) -> None:
        row = self.schedules[schedule]
        line = next(line for line in row["lines"] if line["tiers"])
        line["used"].append((self._local(row), quantity))

    def pause(self, *, schedule: str) -> None:
        self.schedules[schedule]["pauses"].append((self._local(self.schedules[schedule]), True))

    def resume(self, *, schedule: str) -> None:
        self.schedules[schedule]["pauses"].append((self._local(self.schedules[schedule]), False))

    def cancel(self, *, schedule: str, now: bool) -> None:
        row = self.schedules[schedule]
        today = self._local(row)
        end = next(day for number in range(1_000) if (day := self.boundary(row, number)) > today)
        row["ends"] = today if now else end

    def _local(self, row: Row) -> date:
        return self.today + DAY if row["hours_ahead"] else self.today

    # Sums

    def left(self, invoice: Row) -> int:
        """What is due of an invoice."""
        return int(invoice["total"] - invoice["paid"] - invoice["credited"])

    def open_invoices(self) -> list[Row]:
        return [one for one in self.invoices.values() if self.left(one) > 0]

    def credit(self, customer: str) -> int:
        return sum(lot["left"] for lot in self.lots.values() if lot["customer"] == customer)

    def standing(self, customer: str) -> Row:
        """What a customer is told: all that is open, what is late, what is asked for now, their credit."""
        mine = [one for one in self.open_invoices() if one["customer"] == customer]
        loose = [one for one in mine if self._plan_of(one, self.today) is None]
        late = sum(max(0, self.left(one) - one["disputed"]) for one in loose if one["due_on"] < self.today)
        asked = sum(max(0, self.left(one) - one["disputed"]) for one in loose if one["due_on"] <= self.today)
        for plan in self.plans.values():
            if plan["customer"] == customer and self.is_on_track(plan, self.today):
                late += self.demanded(plan, self.today - DAY)
                asked += self.demanded(plan, self.today)
        opened = sum(self.left(one) for one in mine)
        return {"open": opened, "overdue": late, "due_now": asked, "credit": self.credit(customer)}

    def accounts(self) -> Iterator[tuple[str, int]]:
        """Balances of the ledger, debits less credits."""
        made, all_ = self.adjustments, self.invoices.values()
        noted = [one for one in made if one["kind"] == "credit_note"]
        yield "revenue", sum(one["net"] for one in noted) - sum(one["net"] for one in all_)
        yield "tax_payable", sum(one["cents"] - one["net"] for one in made) - sum(one["tax"] for one in all_)
        for kind in ("early_discount", "hardship_discount"):
            yield f"{kind}s", sum(one["net"] for one in made if one["kind"] == kind)
        yield "bad_debt", sum(one["written_off"] for one in all_)
        yield "cash_clearing", sum(one["cents"] - one["returned"] for one in self.payments.values())
        for customer in self.customers:
            owed = sum(self.left(one) for one in self.open_invoices() if one["customer"] == customer)
            yield f"receivable of {customer}", owed
            yield f"customer_credit of {customer}", -self.credit(customer)

    def sheet(self) -> Row:
        """Everything that is compared: a value for each name, zeros left out."""
        found: Row = {f"account {name}": cents for name, cents in self.accounts()}
        for customer in self.customers:
            found |= {f"{customer} {name}": cents for name, cents in self.standing(customer).items()}
        found |= {f"plan {name}": plan["state"] for name, plan in self.plans.items()}
        found |= {f"promise {name}": one["state"] for name, one in self.promises.items()}
        for name in self.schedules:
            count = sum(1 for one in self.invoices.values() if one["schedule"] == name)
            found[f"invoices of {name}"] = count
        for one in self.invoices.values():
            sums = (one["total"], one["tax"], one["paid"], one["credited"], one["written_off"])
            found[f"reminders of {one['label']}"] = tuple(one["said"])
            found[f"invoice {one['label']}"] = (one["issued_on"], one["due_on"], *sums)
        return {name: value for name, value in found.items() if value}


def differences(ours: Row, theirs: Row) -> list[str]:
    """What is not the same in two sheets."""
    names = sorted(ours.keys() | theirs.keys())
    return [
        f"{name}: model {ours.get(name, 0)}, service {theirs.get(name, 0)}"
        for name in names
        if ours.get(name, 0) != theirs.get(name, 0)
    ]
