"""A till with the bank desk's stubs, and files to import."""

import uuid
from dataclasses import dataclass
from typing import Any

from tallyport.payments.v1 import bank_statements_pb2 as pb
from tallyport.payments.v1 import bank_statements_pb2_grpc, transfers_pb2_grpc
from tests.service.payments.till import Till

IBAN = "DE02120300000000202051"
HEADER = "Date;Amount;Name;Description;Reference;Balance\n"


@dataclass
class BankDesk:
    """What staff do with statements and payers with transfers."""

    till: Till
    statements: "bank_statements_pb2_grpc.BankStatementsAsyncStub"
    transfers: "transfers_pb2_grpc.TransfersAsyncStub"

    @classmethod
    def of(cls, till: Till) -> "BankDesk":
        return cls(
            till,
            bank_statements_pb2_grpc.BankStatementsStub(till.channel),
            transfers_pb2_grpc.TransfersStub(till.channel),
        )

    async def account(self, iban: str = IBAN, currency: str = "EUR", **more: Any) -> pb.BankAccount:
        request = pb.CreateBankAccountRequest(
            name="Main", account_holder="Acme GmbH", iban=iban, currency=currency, **more
        )
        return await self.statements.CreateBankAccount(request, metadata=self.staff())

    async def load(self, content: bytes | str, **more: Any) -> pb.BankStatementImport:
        raw = content.encode() if isinstance(content, str) else content
        request = pb.ImportBankStatementRequest(file_name="file", content=raw, **more)
        return await self.statements.ImportBankStatement(request, metadata=self.staff())

    def staff(self, key: str | None = None) -> Any:
        return self.till.as_staff(key=key or uuid.uuid4().hex)

    def customer(self, customer_id: str = "cus_1") -> Any:
        return self.till.as_customer(customer_id, key=uuid.uuid4().hex)

    async def amounts(self) -> list[int]:
        """Amounts of all lines that are kept."""
        rows = await self.till.rows("SELECT amount_minor_units AS a FROM bank_lines ORDER BY a, bank_line_id")
        return [row.a for row in rows]


def mt940(
    *lines: str, opening: str = "C240301EUR100,00", closing: str, account: str = IBAN, number: str = "1/1"
) -> str:
    """A statement of :61: lines."""
    body = "\n".join(lines)
    return f":20:START\n:25:{account}\n:28C:{number}\n:60F:{opening}\n{body}\n:62F:{closing}\n-\n"
