"""Servicers of reconciliation: bank lines, rules, payouts."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.operations.list_bank_lines import get_bank_line, list_bank_lines
from services.payments.operations.manage_match_rules import (
    create_match_rule,
    delete_match_rule,
    list_match_rules,
)
from services.payments.operations.match_bank_line import (
    assign_bank_line,
    ignore_bank_line,
    match_bank_line,
    match_payout,
    undo_match,
)
from services.payments.operations.read_reconciliation import get_payout, get_reconciliation, list_payouts
from services.payments.operations.split_bank_line import split_bank_line
from services.payments.translate.payments import from_proto_money
from services.payments.translate.reconciliation import (
    from_proto_match_parts,
    from_proto_rule,
    from_proto_status,
    to_proto_payout,
    to_proto_payout_detail,
    to_proto_reconciliation,
)
from tallyport.payments.v1 import reconciliation_pb2 as pb
from tallyport.payments.v1 import reconciliation_pb2_grpc

Context = Any


class Reconciliation(reconciliation_pb2_grpc.ReconciliationServicer):
    """Bank lines and what they were for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def ListBankLines(
        self, request: pb.ListBankLinesRequest, context: Context
    ) -> pb.ListBankLinesResponse:
        return await list_bank_lines(
            self._desk,
            status=from_proto_status(request.status),
            statement_id=request.bank_statement_id,
            page_size=request.page_size,
            page_token=request.page_token,
        )

    async def GetBankLine(self, request: pb.GetBankLineRequest, context: Context) -> pb.BankLineDetail:
        return await get_bank_line(self._desk, request.bank_line_id)

    async def MatchBankLine(self, request: pb.MatchBankLineRequest, context: Context) -> pb.BankLineDetail:
        return await match_bank_line(
            self._desk,
            request.bank_line_id,
            customer_id=request.customer_id,
            parts=from_proto_match_parts(request.parts),
        )

    async def SplitBankLine(
        self, request: pb.SplitBankLineRequest, context: Context
    ) -> pb.SplitBankLineResponse:
        amounts = [
            from_proto_money(amount, f"amounts[{index}]") for index, amount in enumerate(request.amounts)
        ]
        return await split_bank_line(self._desk, request.bank_line_id, amounts)

    async def MatchPayout(self, request: pb.MatchPayoutRequest, context: Context) -> pb.BankLineDetail:
        return await match_payout(self._desk, request.bank_line_id, request.payout_id)

    async def UndoMatch(self, request: pb.UndoMatchRequest, context: Context) -> pb.BankLineDetail:
        return await undo_match(self._desk, request.bank_line_id, request.reason)

    async def IgnoreBankLine(self, request: pb.IgnoreBankLineRequest, context: Context) -> pb.BankLineDetail:
        return await ignore_bank_line(self._desk, request.bank_line_id, request.reason)

    async def AssignBankLine(self, request: pb.AssignBankLineRequest, context: Context) -> pb.BankLineDetail:
        return await assign_bank_line(self._desk, request.bank_line_id, request.assignee)

    async def CreateMatchRule(self, request: pb.CreateMatchRuleRequest, context: Context) -> pb.MatchRule:
        return await create_match_rule(self._desk, from_proto_rule(request.rule))

    async def ListMatchRules(
        self, request: pb.ListMatchRulesRequest, context: Context
    ) -> pb.ListMatchRulesResponse:
        return await list_match_rules(self._desk)

    async def DeleteMatchRule(
        self, request: pb.DeleteMatchRuleRequest, context: Context
    ) -> pb.DeleteMatchRuleResponse:
        await delete_match_rule(self._desk, request.match_rule_id)
        return pb.DeleteMatchRuleResponse()

    async def ListPayouts(self, request: pb.ListPayoutsRequest, context: Context) -> pb.ListPayoutsResponse:
        found, token = await list_payouts(
            self._desk, page_size=request.page_size, page_token=request.page_token
        )
        return pb.ListPayoutsResponse(
            payouts=[to_proto_payout(each) for each in found], next_page_token=token
        )

    async def GetPayout(self, request: pb.GetPayoutRequest, context: Context) -> pb.PayoutDetail:
        found = await get_payout(self._desk, request.payout_id)
        return to_proto_payout_detail(found)

    async def GetReconciliationOverview(
        self, request: pb.GetReconciliationOverviewRequest, context: Context
    ) -> pb.ReconciliationOverview:
        return to_proto_reconciliation(await get_reconciliation(self._desk))


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return ((reconciliation_pb2_grpc.add_ReconciliationServicer_to_server, Reconciliation(desk)),)
