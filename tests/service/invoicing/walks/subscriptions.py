"""The sheet of subscriptions: what each period costs, counted day by day. Nothing of the service is used here."""

from calendar import monthrange
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

Row = dict[str, Any]
DAY = timedelta(days=1)


def half_up(value: Fraction) -> int:
    """Rounded to whole cents, halves away from zero."""
    cents = int(abs(value) + Fraction(1, 2))
    return cents if value >= 0 else -cents


def same_day(start: date, months: int) -> date:
    """The same day so many months later, or the last day of a shorter month."""
    index = start.year * 12 + start.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


class Subscriptions:
    """Schedules as rows, with a row for each line, and what is billed on a day."""

    def __init__(self) -> None:
        self.schedules: dict[str, Row] = {}

    def begin(self, name: str, customer: str, lines: list[Row], **terms: Any) -> None:
        """A new row. Lines have `price` in cents, `tax` in percent, and `quantity` or the `tiers` of what is used."""
        row = {
            "customer": customer, "begins": terms["begins"], "months": terms.get("months", 0),
            "weeks": terms.get("weeks", 0), "anchor": terms.get("anchor", 0), "ends": terms.get("ends"),
            "in_arrears": terms.get("in_arrears", False), "hours_ahead": terms.get("hours_ahead", False),
            "lines": [
                {"price": [(date.min, line["price"])], "quantity": [(date.min, line.get("quantity", 0))],
                 "tax": line["tax"], "tiers": line.get("tiers"), "used": []}
                for line in lines
            ],
            "pauses": [], "next": 1 if terms.get("in_arrears") else 0, "billed": None, "waiting": [], "over": False,
        }  # fmt: skip
        self.schedules[name] = row

    def boundary(self, row: Row, number: int) -> date:
        """First day of a period; the one before an anchored day is shorter."""
        begins: date = row["begins"]
        if row["weeks"]:
            return begins + timedelta(weeks=row["weeks"] * number)
        if not row["anchor"] or row["anchor"] == begins.day:
            return same_day(begins, row["months"] * number)
        return begins if number == 0 else same_day(self._anchored(row), row["months"] * (number - 1))

    def whole_days(self, row: Row, number: int) -> int:
        """Days of the period that the price is for."""
        if number == 0 and row["anchor"] and row["anchor"] != row["begins"].day:
            first = self._anchored(row)
            return (first - same_day(first, -row["months"])).days
        return (self.boundary(row, number + 1) - self.boundary(row, number)).days

    def _anchored(self, row: Row) -> date:
        day: date = row["begins"]
        while day.day != row["anchor"]:
            day += DAY
        return day

    def at(self, changes: list[tuple[date, Any]], day: date) -> Any:
        """What holds on a day: the last change that has come, the later made one of two on a day."""
        found = None
        for since, value in sorted(changes, key=lambda change: change[0]):
            if since <= day:
                found = value
        return found

    def cost(self, row: Row, line: Row, number: int) -> int:
        """Cents of a period: its price for each day with service, by the quantity of that day, rounded once."""
        day, after = self.boundary(row, number), self.boundary(row, number + 1)
        price = self.at(line["price"], day)
        quantities = 0
        while day < after and (row["ends"] is None or day < row["ends"]):
            if not self.at(row["pauses"], day):
                quantities += self.at(line["quantity"], day)
            day += DAY
        return half_up(Fraction(quantities * price, self.whole_days(row, number)))

    def usage(self, line: Row, until: date, price: int) -> list[int]:
        """Cents of what was used before a day and is not billed yet, tier by tier; it is billed then."""
        quantity = sum(used for day, used in line["used"] if day < until)
        line["used"] = [(day, used) for day, used in line["used"] if day >= until]
        amounts, floor = [], 0
        for up_to, cents in line["tiers"] or [(None, price)]:
            ceiling = quantity if up_to is None else min(up_to, quantity)
            if ceiling > floor:
                amounts.append((ceiling - floor) * cents)
                floor = ceiling
        return amounts

    def bill(self, name: str, day: date) -> Row | None:
        """The next billing of a schedule if its day has come: cents by tax rate, and what is to be given back."""
        row = self.schedules[name]
        today = day + DAY if row["hours_ahead"] else day
        number, ends = row["next"], row["ends"]
        start = self.boundary(row, number)
        is_last = ends is not None and start >= ends
        if row["over"] or today < (ends if is_last else start):
            return None
        row["next"] += 1
        row["over"] = is_last
        charges: list[tuple[int, int]] = []  # position of the line, cents
        before, row["billed"] = row["billed"], None
        if row["in_arrears"] or not is_last:
            charged = number - 1 if row["in_arrears"] else number
            costs = [0 if line["tiers"] else self.cost(row, line, charged) for line in row["lines"]]
            charges += [(at, cents) for at, cents in enumerate(costs) if cents]
            row["billed"] = None if row["in_arrears"] else costs
        for at, line in enumerate(row["lines"]):
            if before is not None and not line["tiers"]:
                more = self.cost(row, line, number - 1) - before[at]
                if more > 0:
                    charges.append((at, more))
                if more < 0:
                    row["waiting"].append([at, -more, number - 1])
            if line["tiers"]:
                price = self.at(line["price"], self.boundary(row, max(0, number - 1)))
                until = min(start, ends) if ends is not None else start
                charges += [(at, cents) for cents in self.usage(line, until, price)]
        return self._settled(row, charges, is_last=is_last, day=today)

    def _settled(self, row: Row, charges: list[tuple[int, int]], *, is_last: bool, day: date) -> Row:
        """Take what waits off charges with the same tax; at the end what still waits is given back."""
        sums: dict[int, int] = {}
        for at, cents in charges:
            tax = row["lines"][at]["tax"]
            sums[tax] = sums.get(tax, 0) + cents
        still = []
        for at, cents, number in row["waiting"]:
            tax = row["lines"][at]["tax"]
            takes = min(cents, sums.get(tax, 0))
            sums[tax] = sums.get(tax, 0) - takes
            if cents > takes:
                still.append([at, cents - takes, number])
        row["waiting"] = [] if is_last else still
        return {"day": day, "sums": sums, "give_back": still if is_last else []}
