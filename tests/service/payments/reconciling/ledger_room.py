"""A till with a bank account, customers that are known by name, and what staff do to reconcile."""

import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.caller import call_scope, service_call
from chassis.errors import ServiceError
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.operations.collect_payouts import collect_payouts
from services.payments.operations.match_lines import match_waiting_lines
from services.payments.providers import PayoutLineView, PayoutView
from services.payments.store import copies
from services.payments.store.copies import Payer
from tallyport.common.v1 import money_pb2
from tallyport.payments.v1 import (
    bank_statements_pb2,
    bank_statements_pb2_grpc,
    reconciliation_pb2_grpc,
    refunds_pb2_grpc,
    transfers_pb2_grpc,
)
from tallyport.payments.v1 import reconciliation_pb2 as pb
from tests.service.payments.till import Till

HEADER = "Date;Amount;Name;IBAN;Description"
OUR_IBAN = "DE02120300000000202051"
ACME_IBAN = "DE89370400440532013000"
BETA_IBAN = "FR1420041010050500013M02606"
NAMES = {"cus_1": "Acme Trading Ltd", "cus_2": "Beta Foods GmbH"}


@dataclass
class PayoutDocuments:
    """The world outside: a provider that tells of the payouts that a test has written; all else is the real one."""

    provider: Any
    documents: list[PayoutView] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.provider.name)

    async def payouts(self, since: date, *, timeout_seconds: float) -> Sequence[PayoutView]:
        return [document for document in self.documents if document.arrives_on >= since]


@dataclass
class LedgerRoom:
    """Everything a test of reconciliation needs."""

    till: Till
    statements: "bank_statements_pb2_grpc.BankStatementsAsyncStub"
    stub: "reconciliation_pb2_grpc.ReconciliationAsyncStub"
    refunds: "refunds_pb2_grpc.RefundsAsyncStub"
    transfers: "transfers_pb2_grpc.TransfersAsyncStub"
    documents: PayoutDocuments
    account_id: str = ""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @classmethod
    def of(cls, till: Till) -> "LedgerRoom":
        return cls(
            till,
            bank_statements_pb2_grpc.BankStatementsStub(till.channel),
            reconciliation_pb2_grpc.ReconciliationStub(till.channel),
            refunds_pb2_grpc.RefundsStub(till.channel),
            transfers_pb2_grpc.TransfersStub(till.channel),
            PayoutDocuments(till.desk.provider),
        )

    async def open(self) -> None:
        """Open a bank account in USD, and let payments hear of two customers."""
        request = bank_statements_pb2.CreateBankAccountRequest(
            name="Main", account_holder="We Ltd", iban=OUR_IBAN, currency="USD"
        )
        account = await self.statements.CreateBankAccount(request, metadata=self.staff())
        self.account_id = account.bank_account_id
        self.till.invoices.names = dict(NAMES)
        with call_scope(service_call("payments", self.till.organization_id)):
            async with self.till.db.write(self.till.organization_id) as tx:
                for customer_id, name in NAMES.items():
                    await copies.keep_customer(tx, customer_id, Payer(name, "en"))

    def staff(self, key: str | None = None) -> Any:
        return self.till.as_staff(key=key or uuid.uuid4().hex)

    def scripted_desk(self) -> Desk:
        """The till's desk with the scripted payouts."""
        scripted: Any = self.documents
        return replace(self.till.desk, provider=scripted, providers={})

    async def load(self, *lines: str) -> bank_statements_pb2.BankStatementImport:
        """Import lines of a CSV file: "12.50;Name;IBAN;text"."""
        content = "\n".join([HEADER, *(f"{self.today.isoformat()};{line}" for line in lines)])
        request = bank_statements_pb2.ImportBankStatementRequest(
            file_name="statement.csv", content=content.encode(), bank_account_id=self.account_id
        )
        return await self.statements.ImportBankStatement(request, metadata=self.staff(), timeout=20)

    async def lines(self, **more: Any) -> list[pb.BankLine]:
        """Bank lines as staff see them."""
        return list(
            (await self.stub.ListBankLines(pb.ListBankLinesRequest(**more), metadata=self.staff())).lines
        )

    async def one(self) -> pb.BankLineDetail:
        """The only line, with its proposals."""
        (line,) = await self.lines()
        return await self.detail(line.bank_line_id)

    async def detail(self, bank_line_id: str) -> pb.BankLineDetail:
        request = pb.GetBankLineRequest(bank_line_id=bank_line_id)
        return await self.stub.GetBankLine(request, metadata=self.staff())

    async def match(
        self, bank_line_id: str, parts: dict[str, int], *, customer_id: str = "cus_1", key: str | None = None
    ) -> pb.BankLineDetail:
        request = pb.MatchBankLineRequest(bank_line_id=bank_line_id, customer_id=customer_id)
        for invoice_id, units in parts.items():
            request.parts.add(
                invoice_id=invoice_id, amount=money_pb2.Money(minor_units=units, currency="USD")
            )
        return await self.stub.MatchBankLine(request, metadata=self.staff(key))

    async def undo(self, bank_line_id: str) -> pb.BankLineDetail:
        request = pb.UndoMatchRequest(bank_line_id=bank_line_id, reason="somebody else's money")
        return await self.stub.UndoMatch(request, metadata=self.staff())

    async def rule(self, **fields: Any) -> pb.MatchRule:
        request = pb.CreateMatchRuleRequest(rule=pb.MatchRule(name="A rule", **fields))
        return await self.stub.CreateMatchRule(request, metadata=self.staff())

    async def overview(self) -> pb.ReconciliationOverview:
        return await self.stub.GetReconciliationOverview(
            pb.GetReconciliationOverviewRequest(), metadata=self.staff()
        )

    async def look_again(self) -> None:
        """The job that looks at what waits."""
        await match_waiting_lines(self.till.desk)

    async def collect(self) -> int:
        """The job that collects payouts: those that the test has written."""
        return await collect_payouts(self.scripted_desk())

    async def payout(self) -> pb.PayoutDetail:
        """The only payout."""
        listed = await self.stub.ListPayouts(pb.ListPayoutsRequest(), metadata=self.staff())
        (payout,) = listed.payouts
        return await self.stub.GetPayout(
            pb.GetPayoutRequest(payout_id=payout.payout_id), metadata=self.staff()
        )

    def write_payout(
        self, *lines: PayoutLineView, days_ago: int = 0, reference: str = "po_at_provider"
    ) -> PayoutView:
        """What the provider will tell of."""
        net = sum(line.amount.minor_units - line.fee.minor_units for line in lines)
        view = PayoutView(
            provider_reference=reference,
            arrives_on=self.today - timedelta(days=days_ago),
            net=Money(net, "USD"),
            lines=lines,
        )
        self.documents.documents.append(view)
        return view

    def movement(
        self, kind: str, units: int, *, fee: int = 0, attempt_id: str = "", reference: str = "x"
    ) -> Any:
        """A line of a payout."""
        return PayoutLineView(
            kind=kind,
            provider_reference=reference,
            attempt_id=attempt_id,
            organization_id=self.till.organization_id,
            amount=Money(units, "USD"),
            fee=Money(fee, "USD"),
        )

    async def balances(self) -> dict[str, int]:
        """Debits less credits of all accounts that are not zero."""
        rows = await self.till.rows(
            "SELECT account || CASE owner WHEN '' THEN '' ELSE ':' || owner END AS account,"
            " sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END) AS units"
            " FROM ledger_lines GROUP BY 1"
        )
        named = {f"bank:{self.account_id}": "bank"}
        return {named.get(row.account, row.account): int(row.units) for row in rows if row.units}


async def refused(call: Awaitable[Any], reason: str) -> None:
    """The call is refused for this reason, or as that kind of error."""
    with pytest.raises(ServiceError) as error:
        await call
    assert reason in (error.value.reason, error.value.kind.name)
