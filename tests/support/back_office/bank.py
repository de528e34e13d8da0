"""Stand-ins for what the bank tells: accounts, statements, lines, rules, payouts."""

from datetime import timedelta
from typing import Any

from chassis.errors import Kind, ServiceError, invalid, not_found
from tallyport.payments.v1 import bank_statements_pb2 as statements
from tallyport.payments.v1 import reconciliation_pb2 as reconciliation
from tallyport.payments.v1 import transfers_pb2 as transfers
from tallyport.payments.v1.bank_statements_pb2_grpc import BankStatementsServicer
from tallyport.payments.v1.reconciliation_pb2_grpc import ReconciliationServicer
from tallyport.payments.v1.transfers_pb2_grpc import TransfersServicer
from tests.support.back_office.books import Books, usd

_S = reconciliation.BankLineStatus


def _lines(books: Books) -> dict[str, reconciliation.BankLine]:
    """Three that wait, the oldest first, and one that left."""
    found = {}
    for number, (units, name, text) in enumerate(
        [(9_900, "Aunt Ada", "as told"), (12_345, "Cliff Boatworks", "A-1"), (500, "Bank", "interest")]
    ):
        line = reconciliation.BankLine(
            bank_line_id=f"bln_{number}",
            booked_on=(books.today - timedelta(days=9 - number)).isoformat(),
            amount=usd(units),
            counterparty_name=name,
            remittance_text=text,
            status=_S.BANK_LINE_STATUS_UNMATCHED,
            age_days=9 - number,
        )
        found[line.bank_line_id] = line
    return found


class Reconciliation(ReconciliationServicer):
    """Bank lines and what they were for."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.lines = _lines(books)
        self.rules: dict[str, reconciliation.MatchRule] = {}

    def _waiting(self) -> list[reconciliation.BankLine]:
        return [one for one in self.lines.values() if one.status == _S.BANK_LINE_STATUS_UNMATCHED]

    async def GetReconciliationOverview(
        self, request: Any, context: Any
    ) -> reconciliation.ReconciliationOverview:
        if "payments" in self._books.away:
            raise ServiceError(Kind.UNAVAILABLE, "SERVICE_UNAVAILABLE", "Away.")
        waiting = self._waiting()
        return reconciliation.ReconciliationOverview(
            unmatched_lines=len(waiting),
            oldest_age_days=max((one.age_days for one in waiting), default=0),
            unmatched=[usd(sum(one.amount.minor_units for one in waiting))],
            payout_differences=1,
            clearing=[
                reconciliation.ClearingBalance(
                    account="provider_clearing:simulator",
                    balance=usd(321),
                    oldest_on=self._books.today.isoformat(),
                    overdue=True,
                )
            ],
            matched_automatically_30_days=97,
            matched_by_hand_30_days=3,
        )

    async def ListBankLines(self, request: Any, context: Any) -> reconciliation.ListBankLinesResponse:
        found = [one for one in self.lines.values() if request.status in (0, one.status)]
        return reconciliation.ListBankLinesResponse(lines=found)

    async def GetBankLine(self, request: Any, context: Any) -> reconciliation.BankLineDetail:
        if request.bank_line_id not in self.lines:
            raise not_found("bank_line")
        line = self.lines[request.bank_line_id]
        proposal = reconciliation.MatchProposal(
            customer_id="cus_3",
            customer_name="Cliff Boatworks",
            parts=[
                reconciliation.MatchPart(
                    invoice_id="inv_285", amount=line.amount, invoice_number="INV-000285"
                )
            ],
            credit=usd(0),
            confidence_per_mille=800,
            reasons=[reconciliation.MatchReason(code="name", text="The payer has the customer's name.")],
        )
        named = line.counterparty_name == "Cliff Boatworks"
        waits = line.status == _S.BANK_LINE_STATUS_UNMATCHED
        return reconciliation.BankLineDetail(line=line, proposals=[proposal] if named and waits else [])

    async def MatchBankLine(self, request: Any, context: Any) -> reconciliation.BankLineDetail:
        self._books.calls.append("MatchBankLine")
        line = self.lines[request.bank_line_id]
        if sum(part.amount.minor_units for part in request.parts) > line.amount.minor_units:
            raise ServiceError(Kind.FAILED_PRECONDITION, "AMOUNT_EXCEEDS_DUE", "Too much.")
        line.status, line.matched_by = _S.BANK_LINE_STATUS_MATCHED, "Olivia"
        return reconciliation.BankLineDetail(line=line)

    async def SplitBankLine(self, request: Any, context: Any) -> reconciliation.SplitBankLineResponse:
        whole, parts = self.lines[request.bank_line_id], []
        for at, amount in enumerate(request.amounts):
            part = reconciliation.BankLine()
            part.CopyFrom(whole)
            part.bank_line_id, part.split_from = f"{whole.bank_line_id}_{at}", whole.bank_line_id
            part.amount.CopyFrom(amount)
            self.lines[part.bank_line_id] = part
            parts.append(part)
        whole.status = _S.BANK_LINE_STATUS_SUPERSEDED
        return reconciliation.SplitBankLineResponse(lines=parts)

    async def MatchPayout(self, request: Any, context: Any) -> reconciliation.BankLineDetail:
        line = self.lines[request.bank_line_id]
        line.status, line.payout_id = _S.BANK_LINE_STATUS_MATCHED, request.payout_id
        return reconciliation.BankLineDetail(line=line)

    async def IgnoreBankLine(self, request: Any, context: Any) -> reconciliation.BankLineDetail:
        line = self.lines[request.bank_line_id]
        line.status, line.note = _S.BANK_LINE_STATUS_IGNORED, request.reason
        return reconciliation.BankLineDetail(line=line)

    async def UndoMatch(self, request: Any, context: Any) -> reconciliation.BankLineDetail:
        line = self.lines[request.bank_line_id]
        line.status, line.note = _S.BANK_LINE_STATUS_UNMATCHED, ""
        return reconciliation.BankLineDetail(line=line)

    async def AssignBankLine(self, request: Any, context: Any) -> reconciliation.BankLineDetail:
        line = self.lines[request.bank_line_id]
        line.assignee = request.assignee
        return reconciliation.BankLineDetail(line=line)

    async def CreateMatchRule(self, request: Any, context: Any) -> reconciliation.MatchRule:
        rule = reconciliation.MatchRule()
        rule.CopyFrom(request.rule)
        rule.match_rule_id = f"mru_{len(self.rules)}"
        self.rules[rule.match_rule_id] = rule
        return rule

    async def ListMatchRules(self, request: Any, context: Any) -> reconciliation.ListMatchRulesResponse:
        return reconciliation.ListMatchRulesResponse(rules=self.rules.values())

    async def DeleteMatchRule(self, request: Any, context: Any) -> reconciliation.DeleteMatchRuleResponse:
        del self.rules[request.match_rule_id]
        return reconciliation.DeleteMatchRuleResponse()

    def _payout(self) -> reconciliation.Payout:
        return reconciliation.Payout(
            payout_id="po_1",
            provider="simulator",
            provider_reference="payout_7",
            gross=usd(10_000),
            fees=usd(320),
            refunded=usd(0),
            net=usd(9_680),
            arrives_on=self._books.today.isoformat(),
            lines=2,
            unmatched_lines=1,
        )

    async def ListPayouts(self, request: Any, context: Any) -> reconciliation.ListPayoutsResponse:
        return reconciliation.ListPayoutsResponse(payouts=[self._payout()])

    async def GetPayout(self, request: Any, context: Any) -> reconciliation.PayoutDetail:
        known = reconciliation.PayoutLine(
            kind="charge", payment_id="pay_7", provider_reference="ch_1", amount=usd(6_000), fee=usd(200)
        )
        strange = reconciliation.PayoutLine(
            kind="charge",
            provider_reference="ch_2",
            amount=usd(4_000),
            fee=usd(120),
            difference="Our books do not know this charge.",
        )
        return reconciliation.PayoutDetail(
            payout=self._payout(),
            lines=[known, strange],
            missing_payment_ids=["pay_8"],
            candidates=[one for one in self._waiting() if one.bank_line_id == "bln_2"],
        )


class BankStatements(BankStatementsServicer):
    """Accounts and files. A file is readable when it begins with a colon, or when a mapping is named."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.mappings: dict[str, statements.CsvMapping] = {}
        self.imported: list[bytes] = []

    async def ListBankAccounts(self, request: Any, context: Any) -> statements.ListBankAccountsResponse:
        account = statements.BankAccount(
            bank_account_id="ba_1", name="Main account", iban="DE02120300000000202051", currency="USD"
        )
        return statements.ListBankAccountsResponse(bank_accounts=[account])

    async def CreateBankAccount(self, request: Any, context: Any) -> statements.BankAccount:
        if request.iban.startswith("XX"):
            raise invalid("iban", "wrong", "This IBAN is not right.")
        return statements.BankAccount(bank_account_id="ba_2", name=request.name)

    async def ListBankStatements(self, request: Any, context: Any) -> statements.ListBankStatementsResponse:
        return statements.ListBankStatementsResponse(statements=[self._statement()])

    async def ListCsvMappings(self, request: Any, context: Any) -> statements.ListCsvMappingsResponse:
        return statements.ListCsvMappingsResponse(mappings=self.mappings.values())

    async def SaveCsvMapping(self, request: Any, context: Any) -> statements.CsvMapping:
        self.mappings[request.name] = request.mapping
        return statements.CsvMapping.FromString(request.mapping.SerializeToString())

    async def ImportBankStatement(self, request: Any, context: Any) -> statements.BankStatementImport:
        if not request.content.startswith(b":") and not request.csv_mapping:
            raise invalid("content.line_1", "unknown_header", "Line 1: No header was found.")
        known = request.content in self.imported
        if not request.dry_run:
            self.imported.append(request.content)
        return statements.BankStatementImport(
            format=statements.BANK_FILE_FORMAT_CSV
            if request.csv_mapping
            else statements.BANK_FILE_FORMAT_MT940,
            statements=[self._statement()],
            new_lines=0 if known else 3,
            known_lines=3 if known else 0,
            matched_lines=0 if request.dry_run else 1,
            warnings=["The file names no end-to-end ids."],
        )

    def _statement(self) -> statements.BankStatement:
        day = self._books.today.isoformat()
        return statements.BankStatement(
            bank_statement_id="bst_1",
            bank_account_id="ba_1",
            account_identification="DE02120300000000202051",
            statement_reference="7/1",
            from_day=day,
            to_day=day,
            closing_balance=usd(99_000),
            lines=3,
        )


class Transfers(TransfersServicer):
    """Payers who say that they have paid."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def ListTransferClaims(self, request: Any, context: Any) -> transfers.ListTransferClaimsResponse:
        day = self._books.today.isoformat()
        claim = transfers.TransferClaim(
            claim_id="tcl_1",
            customer_id="cus_3",
            amount=usd(7_700),
            transferred_on=day,
            expires_on=day,
            proof_file_name="proof.pdf",
        )
        return transfers.ListTransferClaimsResponse(claims=[claim])

    async def GetTransferProof(self, request: Any, context: Any) -> transfers.TransferProof:
        return transfers.TransferProof(
            file_name="proof.pdf", media_type="application/pdf", content=b"%PDF-1.7 stand-in"
        )

    async def CloseTransferClaim(self, request: Any, context: Any) -> transfers.TransferClaim:
        self._books.calls.append("CloseTransferClaim")
        return transfers.TransferClaim(claim_id=request.claim_id)
