"""Who the customers are and what they do: by their habits, with the luck of a seed.

What they do is told as actions, each the name of a method that both the model and the desk have, with its arguments.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

from tests.service.invoicing.walks.model import Book
from tests.service.invoicing.walks.subscriptions import DAY, Row

FIRST_DAY, LAST_DAY = date(2026, 12, 1), date(2027, 11, 30)
Action = tuple[str, dict[str, Any]]

_PLAIN: Row = {"days": 14, "month_end": False, "early_percent": 0, "early_days": 0, "segment": "", "zone": ""}
CUSTOMERS: dict[str, Row] = {
    "Harbor Cafe": _PLAIN,
    "Blue Anchor": _PLAIN | {"days": 30, "early_percent": 2, "early_days": 10},
    "Gull Freight": _PLAIN,
    "Kelp Labs": _PLAIN | {"days": 30, "zone": "Asia/Tokyo"},
    "Reef Data": _PLAIN | {"days": 21},
    "Tide Studio": _PLAIN,
    "Pier Markets": _PLAIN,
    "Sail School": _PLAIN,
    "Dock Bank": _PLAIN,
    "Buoy Care": _PLAIN,
    "Wreck Salvage": _PLAIN,
    "Lamp Works": _PLAIN | {"days": 7},
    "Mast Wholesale": _PLAIN | {"days": 20, "month_end": True, "segment": "wholesale"},
}
RULES: Row = {
    "late_fees": {
        "": {"flat": 500, "percent": 1, "by_year": False, "grace": 3, "cap": 2_500, "least": 200, "months": 1},
        "wholesale": {"flat": 0, "percent": 9, "by_year": True, "grace": 0, "cap": 0, "least": 100, "months": 1},
    },
    "reminders": {
        "": [
            {"after": 4, "deadline": 7, "fee": 0}, {"after": 12, "deadline": 10, "fee": 500},
            {"after": 30, "deadline": 14, "fee": 0},
        ],
        "wholesale": [{"after": 5, "deadline": 7, "fee": 0}, {"after": 15, "deadline": 7, "fee": 1_000}],
    },
    "plan_grace": 5,
}  # fmt: skip
SCHEDULES: dict[str, tuple[str, list[Row], Row]] = {
    "cafe": ("Harbor Cafe", [{"price": 4_900, "quantity": 1, "tax": 10}], {"months": 1}),
    "anchor": ("Blue Anchor", [{"price": 12_950, "quantity": 3, "tax": 19}], {"months": 1}),
    "fleet": ("Gull Freight", [{"price": 29_900, "quantity": 12, "tax": 7}], {"months": 3, "anchor": 15}),
    "lab": ("Kelp Labs", [{"price": 1_799, "quantity": 40, "tax": 10}], {"months": 1, "in_arrears": True}),
    "feed": (
        "Reef Data",
        [{"price": 9_900, "quantity": 1, "tax": 10},
         {"price": 7, "tax": 19, "tiers": [(1_000, 7), (5_000, 5), (None, 3)]}],
        {"months": 1},
    ),
    "studio": ("Tide Studio", [{"price": 7_500, "quantity": 2, "tax": 10}], {"months": 1, "trial": 14}),
    "stalls": ("Pier Markets", [{"price": 18_700, "quantity": 1, "tax": 10}], {"months": 1, "anchor": 1, "start": 12}),
    "lessons": ("Sail School", [{"price": 3_333, "quantity": 2, "tax": 19}], {"months": 1}),
    "desk": ("Dock Bank", [{"price": 21_000, "quantity": 1, "tax": 0}], {"months": 1}),
    "care": ("Buoy Care", [{"price": 15_000, "quantity": 1, "tax": 7}], {"months": 1}),
    "wreck": ("Wreck Salvage", [{"price": 23_450, "quantity": 1, "tax": 10}], {"months": 1}),
    "lamps": ("Lamp Works", [{"price": 2_450, "quantity": 3, "tax": 10}], {"weeks": 2}),
    "masts": ("Mast Wholesale", [{"price": 88_000, "quantity": 2, "tax": 19}], {"months": 3, "in_arrears": True}),
    "oars": ("Mast Wholesale", [{"price": 31_000, "quantity": 1, "tax": 19}], {"months": 1, "last_period": 6}),
}  # fmt: skip


class Story:
    """A diary for each day. Habits are asked whenever an invoice is issued; what they write is decided on its day."""

    def __init__(self, book: Book, seed: int) -> None:
        self.book = book
        self.luck = {name: random.Random(f"{seed} {name}") for name in CUSTOMERS}
        self.diary: dict[date, list[Callable[[], list[Action]]]] = defaultdict(list)
        self.count = 0
        self.habits: dict[str, Callable[[Row, random.Random], None]] = {
            "Blue Anchor": self._early, "Gull Freight": self._halves, "Pier Markets": self._promises,
            "Sail School": self._rounded_up, "Dock Bank": self._bounces, "Buoy Care": self._struggles,
            "Wreck Salvage": self._sinks, "Lamp Works": self._complains, "Mast Wholesale": self._late,
        }  # fmt: skip
        self._plan_the_year()

    def decisions(self, day: date) -> list[Callable[[], list[Action]]]:
        """What is decided on a day: each as things are then, so do what one says before asking the next."""
        return self.diary.pop(day, [])

    def hear_of_invoices(self) -> None:
        """New invoices are seen by their customers."""
        while self.book.fresh:
            invoice = self.book.fresh.pop(0)
            customer = invoice["customer"]
            if invoice["kind"] == "invoice":
                self.habits.get(customer, self._in_time)(invoice, self.luck[customer])
            elif customer not in ("Wreck Salvage", "Buoy Care"):
                self._pay_on(invoice["due_on"] + timedelta(days=self.luck[customer].randint(-3, 2)), invoice)

    def _on(self, day: date, decide: Callable[[], list[Action]]) -> None:
        self.diary[max(day, self.book.today + DAY)].append(decide)

    # Habits

    def _in_time(self, invoice: Row, luck: random.Random) -> None:
        self._pay_on(invoice["due_on"] - timedelta(days=luck.randint(0, 3)), invoice)

    def _early(self, invoice: Row, luck: random.Random) -> None:
        """In time for the discount; sometimes a day late with the discount taken off all the same."""
        until = invoice["early_until"]
        if luck.random() < 0.3:
            less = self.book.early_offer(invoice)
            self._on(until + DAY, lambda: self._pay(invoice, self.book.left(invoice) - less))
            self._pay_on(invoice["due_on"] + timedelta(days=luck.randint(1, 9)), invoice)
            return
        day = until - timedelta(days=luck.randint(0, 4))
        self._on(day, lambda: self._pay(invoice, self.book.left(invoice) - self.book.early_offer(invoice)))

    def _halves(self, invoice: Row, luck: random.Random) -> None:
        half = invoice["total"] // 2 + luck.randint(0, 99)
        self._on(invoice["due_on"] - timedelta(days=luck.randint(2, 6)), lambda: self._pay(invoice, half))
        self._pay_on(invoice["due_on"] + timedelta(days=luck.randint(-1, 12)), invoice)

    def _late(self, invoice: Row, luck: random.Random) -> None:
        self._pay_on(invoice["due_on"] + timedelta(days=luck.randint(-2, 48)), invoice)

    def _promises(self, invoice: Row, luck: random.Random) -> None:
        """Late, with promises in between, some of which are kept, or with a transfer that is said to be made."""
        due, label = invoice["due_on"], invoice["label"]
        if luck.random() < 0.6:
            told = {
                "claim": f"clm_{label}",
                "label": label,
                "until": due + timedelta(days=luck.randint(6, 9)),
            }
            day = due + timedelta(days=luck.randint(1, 3))
            self._on(day, lambda: self._if_owed(invoice, ("claim", told)))
        until = due + timedelta(days=luck.randint(14, 28))
        self._on(due + timedelta(days=luck.randint(9, 11)), lambda: self._promise(invoice, until))
        self._pay_on(due + timedelta(days=luck.randint(2, 40)), invoice)

    def _promise(self, invoice: Row, until: date) -> list[Action]:
        customer, label = invoice["customer"], invoice["label"]
        if self.book.promise_of(customer) is not None:
            return []
        word = {"promise": label, "customer": customer, "cents": self.book.left(invoice), "until": until}
        return self._if_owed(invoice, ("promise", word))

    def _if_owed(self, invoice: Row, action: Action) -> list[Action]:
        return [action] if self.book.left(invoice) > 0 else []

    def _rounded_up(self, invoice: Row, luck: random.Random) -> None:
        """Up to the next fifty dollars, or so much that the next ones are paid too; that is done late sometimes."""
        step, days = luck.choice((5_000, 20_000)), luck.choice((0, -3, -5, 6))

        def decide() -> list[Action]:
            credit, owed = self.book.credit(invoice["customer"]), self.book.left(invoice)
            if credit:
                used = min(credit, owed)
                return self._pay(invoice, owed - used, credit=used)
            return self._pay(invoice, -(-owed // step) * step)

        self._on(invoice["due_on"] + timedelta(days=days), decide)

    def _bounces(self, invoice: Row, luck: random.Random) -> None:
        """Some debits come back after days; most are tried again, and are paid later, with the fee."""
        day = invoice["due_on"] - timedelta(days=luck.randint(0, 2))
        told = {"run": f"run_{invoice['label']}", "label": invoice["label"], "pay_on": day}
        self._on(day - DAY, lambda: [("announce", told)])
        if luck.random() > 0.4:
            self._pay_on(day, invoice)
            return

        def bounce() -> list[Action]:
            made = self._pay(invoice, self.book.left(invoice))
            for _, fields in made:
                returned = {"payment": fields["payment"], "fee": 850}
                self._on(self.book.today + timedelta(days=luck.randint(2, 4)), partial(_returned, returned))
            return made

        self._on(day, bounce)
        again, failed_on = day + timedelta(days=luck.randint(6, 30)), day + timedelta(days=5)
        next_try = told | {"pay_on": again}
        if luck.random() < 0.3:
            self._on(failed_on, lambda: [("give_up", {"run": told["run"]})])
        else:
            self._on(failed_on, lambda: [("announce", next_try)])
        self._pay_on(again, invoice)

    def _complains(self, invoice: Row, luck: random.Random) -> None:
        """Pays; is credited or disputes a part of some invoices, and spends the credit next time."""
        chance, cents = luck.random(), luck.randint(300, 2_000)
        if chance < 0.25:
            self._on(
                invoice["due_on"] + DAY,
                lambda: [("credit_note", {"label": invoice["label"], "cents": cents})],
            )
        elif chance < 0.6:
            label, credit = invoice["label"], luck.choice((0, cents // 2, cents))
            self._on(invoice["issued_on"] + DAY, lambda: [("dispute", {"label": label, "cents": cents})])
            day = invoice["due_on"] + timedelta(days=luck.randint(1, 20))
            self._on(day, lambda: [("settle_dispute", {"label": label, "credit": credit})])
            self._pay_on(day + timedelta(days=luck.randint(1, 4)), invoice)

        def decide() -> list[Action]:
            owed = self.book.left(invoice) - invoice["disputed"]
            used = min(self.book.credit(invoice["customer"]), owed)
            return self._pay(invoice, owed - used, credit=used)

        self._on(invoice["due_on"] - timedelta(days=luck.randint(0, 2)), decide)

    def _struggles(self, invoice: Row, luck: random.Random) -> None:
        """Nothing is paid from February to May; what is owed then is paid by a plan, what comes later in time."""
        if not date(2027, 2, 1) <= invoice["issued_on"] < date(2027, 6, 1):
            self._in_time(invoice, luck)

    def _sinks(self, invoice: Row, luck: random.Random) -> None:
        if invoice["issued_on"] < date(2027, 2, 1):
            self._in_time(invoice, luck)

    # What is planned for the year

    def _plan_the_year(self) -> None:
        luck = self.luck["Gull Freight"]
        for month in (2, 6, 9):
            self._change("fleet", date(2027, month, luck.randint(1, 28)), luck.randint(8, 20))
        for month in (1, 5, 10):
            self._change("lab", date(2027, month, luck.randint(2, 27)), luck.randint(30, 60))
        day = FIRST_DAY + timedelta(days=3)
        while day < LAST_DAY:
            self._use("feed", day, self.luck["Reef Data"].randint(50, 2_500))
            day += timedelta(days=self.luck["Reef Data"].randint(5, 9))
        new_price = {"schedule": "studio", "cents": 8_900, "since": date(2027, 5, 15)}
        self._on(date(2027, 3, 2), lambda: [("change_price", new_price)])
        gone = date(2027, 9, self.luck["Tide Studio"].randint(18, 29))
        self._on(gone, lambda: [("cancel", {"schedule": "studio", "now": True})])
        pause = date(2027, 7, self.luck["Lamp Works"].randint(1, 12))
        self._on(pause, lambda: [("pause", {"schedule": "lamps"})])
        self._on(pause + timedelta(days=17), lambda: [("resume", {"schedule": "lamps"})])
        self._on(date(2027, 8, 20), self._waive_one)
        talk = {"customer": "Mast Wholesale", "until": date(2027, 4, 30)}
        self._on(date(2027, 4, 2), lambda: [("pause_reminders", talk)])
        self._agree_with_buoy_care()
        self._give_up_wreck()

    def _change(self, schedule: str, day: date, quantity: int) -> None:
        self._on(day, lambda: [("change_quantity", {"schedule": schedule, "quantity": quantity})])

    def _use(self, schedule: str, day: date, quantity: int) -> None:
        fields = {"schedule": schedule, "record": day.isoformat(), "quantity": quantity}
        self._on(day, lambda: [("report_usage", fields)])

    def _waive_one(self) -> list[Action]:
        found = [one for one in self.book.open_invoices() if one["kind"] == "late_fee" and not one["paid"]]
        return [("waive", {"label": found[0]["label"]})] if found else []

    def _agree_with_buoy_care(self) -> None:
        """Four instalments: one early, one in parts, one late, the last one in time."""
        luck, first = self.luck["Buoy Care"], date(2027, 6, 20)
        days = [first + timedelta(weeks=2 * at) for at in range(4)]
        self._on(date(2027, 6, 10), lambda: self._agree("buoy", "Buoy Care", days, 10))
        self._on(
            date(2027, 6, 10 + luck.randint(2, 8)), lambda: self._instalment("buoy", 0, luck.randint(5, 9))
        )
        self._on(days[0], lambda: self._instalment("buoy", 0))
        self._on(days[1], lambda: self._instalment("buoy", 1, luck.randint(3, 7)))
        self._on(days[1] + timedelta(days=4), lambda: self._instalment("buoy", 1))
        self._on(days[2] + timedelta(days=luck.randint(1, 5)), lambda: self._instalment("buoy", 2))
        self._on(days[3], lambda: self._instalment("buoy", 3))

    def _give_up_wreck(self) -> None:
        """A plan that is paid once and then no more, a schedule that ends, a loss, and a part that comes after all."""
        luck, days = self.luck["Wreck Salvage"], [date(2027, month, 5) for month in (5, 6, 7)]
        self._on(date(2027, 4, 20), lambda: self._agree("wreck", "Wreck Salvage", days, 0))
        self._on(date(2027, 5, 5), lambda: self._instalment("wreck", 0))
        self._on(date(2027, 6, 18), lambda: [("cancel", {"schedule": "wreck", "now": False})])
        self._on(date(2027, 6, 20), lambda: [("hold", {"customer": "Wreck Salvage"})])
        self._on(date(2027, 7, 20), lambda: [("release", {"customer": "Wreck Salvage"})])
        self._on(date(2027, 8, 3), lambda: [
            ("write_off", {"label": one["label"]}) for one in self._owed("Wreck Salvage")
        ])  # fmt: skip
        for month in (9, 10):
            self._on(
                date(2027, month, luck.randint(5, 25)), lambda: self._recover(luck.randint(9_000, 30_000))
            )

    def _agree(self, plan: str, customer: str, days: list[date], percent: int) -> list[Action]:
        """Over all that is owed; with a hardship discount over the oldest invoice alone, staff having looked at it."""
        labels = [one["label"] for one in self._owed(customer)]
        fields = {"plan": plan, "customer": customer, "days": days, "labels": labels, "discount": 0}
        if not percent:
            return [("begin_plan", fields)]
        discount = self.book.left(self.book.invoices[labels[0]]) * percent // 100
        first = fields | {"plan": f"{plan} 1", "labels": labels[:1], "discount": discount}
        return [("begin_plan", first), ("begin_plan", fields | {"labels": labels[1:]})]

    def _instalment(self, plan: str, number: int, tenths: int = 10) -> list[Action]:
        """So many tenths of an instalment of each of somebody's plans, or what is left to be paid up to it."""
        actions = []
        for name, row in self.book.plans.items():
            if not name.startswith(plan) or row["state"] != "active":
                continue
            day, cents = row["parts"][number]
            asked = self.book.demanded(row, day)
            wanted = cents * tenths // 10 if tenths < 10 else asked
            owed = sorted((self.book.invoices[one] for one in row["labels"]), key=lambda one: one["due_on"])
            actions += self._spread(owed, min(asked, wanted))
        return actions

    def _recover(self, cents: int) -> list[Action]:
        """Money for what was written off; more than that becomes credit."""
        lost = [one for one in self.book.invoices.values() if one["written_off"]]
        parts = [(one["label"], min(cents, one["written_off"])) for one in lost[:2]]
        return [self._payment("Wreck Salvage", cents, parts)] if parts else []

    # Paying

    def _owed(self, customer: str) -> list[Row]:
        mine = [one for one in self.book.open_invoices() if one["customer"] == customer]
        return sorted(mine, key=lambda one: one["due_on"])

    def _pay_on(self, day: date, invoice: Row) -> None:
        self._on(day, lambda: self._pay(invoice, self.book.left(invoice) - invoice["disputed"]))

    def _pay(self, invoice: Row, cents: int, *, credit: int = 0) -> list[Action]:
        if cents + credit <= 0 or self.book.left(invoice) <= 0:
            return []
        fields = {"credit": credit} if credit else {}
        return [self._payment(invoice["customer"], cents, [(invoice["label"], cents + credit)], **fields)]

    def _spread(self, owed: list[Row], cents: int) -> list[Action]:
        parts, left = [], cents
        for one in owed:
            takes = min(left, self.book.left(one))
            left -= takes
            if takes:
                parts.append((one["label"], takes))
        return [self._payment(owed[0]["customer"], cents, parts)] if parts else []

    def _payment(self, customer: str, cents: int, parts: list[tuple[str, int]], **fields: Any) -> Action:
        self.count += 1
        payment = f"pay_{self.count:04d}"
        return "receive", {"payment": payment, "customer": customer, "cents": cents, "parts": parts, **fields}


def _returned(fields: dict[str, Any]) -> list[Action]:
    return [("give_back", fields)]
