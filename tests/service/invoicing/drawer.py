"""Payments' books as receivables see them: they agree to the cent unless a test says otherwise."""

from dataclasses import replace
from datetime import date

from chassis.database import Database
from chassis.money import Money
from services.invoicing.cash_books import CashFacts, locked_further, payments_away
from services.invoicing.store.agreement import cash_sums


class Drawer:
    """`too_much` is what is in it that nobody told receivables of; when it `loses_answers`, what was asked is done."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.is_away = False
        self.loses_answers = False
        self.facts_told = CashFacts()
        self.too_much: list[Money] = []
        self.closed: list[tuple[date, str]] = []

    async def facts(self, organization_id: str, until: date) -> CashFacts | None:
        if self.is_away:
            return None
        async with self._db.read(organization_id) as tx:
            funds = [one.cash_clearing for one in await cash_sums(tx)]
        return replace(
            self.facts_told, customer_funds=[*funds, *self.too_much], closed_until=self._closed_until()
        )

    async def close(self, organization_id: str, until: date, *, closed_by: str) -> date | None:
        if self.is_away:
            return None
        if (self._closed_until() or date.min) < until:
            self.closed.append((until, closed_by))
        return self._closed_until()

    async def reopen(self, organization_id: str, until: date, *, reopened_by: str, reason: str) -> None:
        if self.is_away:
            raise payments_away()
        if self._closed_until() == until:
            self.closed.pop()
        if self.loses_answers:
            raise payments_away()
        left = self._closed_until()
        if left is not None and left >= until:
            raise locked_further(left)

    def _closed_until(self) -> date | None:
        return self.closed[-1][0] if self.closed else None
