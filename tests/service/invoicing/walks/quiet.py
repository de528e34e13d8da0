"""The sheet of what keeps reminders back: promises, holds, pauses, and money that was announced."""

from datetime import date, timedelta

from tests.service.invoicing.walks.subscriptions import Row


class Quiet:
    """Rows by the names of the story, and what writes them."""

    rules: Row
    today: date

    def __init__(self) -> None:
        self.promises: dict[str, Row] = {}
        self.held: set[str] = set()
        self.pauses: dict[str, date] = {}  # the last day, by customer
        self.coming: dict[str, Row] = {}  # transfers that somebody claims, and runs of autopay

    def promise(self, *, promise: str, customer: str, cents: int, until: date) -> None:
        self.promises[promise] = {
            "customer": customer, "cents": cents, "until": until, "since": self.today, "state": "open"
        }  # fmt: skip

    def hold(self, *, customer: str) -> None:
        self.held.add(customer)

    def release(self, *, customer: str) -> None:
        self.held.remove(customer)

    def pause_reminders(self, *, customer: str, until: date) -> None:
        self.pauses[customer] = until

    def claim(self, *, claim: str, label: str, until: date) -> None:
        self.coming[claim] = {"kind": "claimed", "invoice": label, "until": until}

    def announce(self, *, run: str, label: str, pay_on: date) -> None:
        """It is paid automatically, which may take three days."""
        until = pay_on + timedelta(days=3)
        self.coming[run] = {"kind": "autopay", "invoice": label, "until": until}

    def give_up(self, *, run: str) -> None:
        del self.coming[run]

    def open_promises(self) -> list[Row]:
        return [one for one in self.promises.values() if one["state"] == "open"]

    def promise_of(self, customer: str) -> Row | None:
        """The promise that a customer has still to keep."""
        return next((one for one in self.open_promises() if one["customer"] == customer), None)

    def outcome(self, promise: Row, received: int, owed: int, day: date) -> str:
        """Kept by the money, or by what is left of it being all that was owed; broken after the grace."""
        if received >= promise["cents"] or (not owed and received):
            return "kept"
        if not owed:
            return "released"
        return "broken" if day > promise["until"] + timedelta(days=self.rules["plan_grace"]) else "open"

    def is_excused(self, invoice: Row) -> bool:
        """Whether no late fee is charged either."""
        return invoice["customer"] in self.held or self.promise_of(invoice["customer"]) is not None

    def announced(self, kind: str, invoice: Row) -> date:
        """The last day on which money of a kind may still come for an invoice."""
        mine = [
            one for one in self.coming.values() if (one["kind"], one["invoice"]) == (kind, invoice["label"])
        ]
        return max((one["until"] for one in mine), default=date.min)
