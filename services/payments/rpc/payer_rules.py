"""Servicer of payer companies' rules and approvals."""

from collections.abc import Sequence
from typing import Any

from chassis.caller import current_call
from services.payments.desk import Desk
from services.payments.operations.approve_payment import (
    approve_payment,
    decline_payment,
    get_rules,
    list_approvals,
    set_rules,
)
from services.payments.translate.methods import from_proto_rules, to_proto_approval, to_proto_rules
from services.payments.translate.payments import to_proto_payment
from tallyport.payments.v1 import payer_rules_pb2 as pb
from tallyport.payments.v1 import payer_rules_pb2_grpc, payments_pb2

Context = Any


class PayerRules(payer_rules_pb2_grpc.PayerRulesServicer):
    """Rules that a paying company sets for its own people."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetPayerRules(self, request: pb.GetPayerRulesRequest, context: Context) -> pb.PayerRuleSet:
        return to_proto_rules(await get_rules(self._desk, request.customer_id))

    async def SetPayerRules(self, request: pb.SetPayerRulesRequest, context: Context) -> pb.PayerRuleSet:
        return to_proto_rules(await set_rules(self._desk, from_proto_rules(request)))

    async def ApprovePayment(
        self, request: pb.ApprovePaymentRequest, context: Context
    ) -> payments_pb2.Payment:
        return to_proto_payment(await approve_payment(self._desk, request.payment_id))

    async def DeclinePayment(
        self, request: pb.DeclinePaymentRequest, context: Context
    ) -> payments_pb2.Payment:
        return to_proto_payment(await decline_payment(self._desk, request.payment_id, request.reason))

    async def ListApprovals(
        self, request: pb.ListApprovalsRequest, context: Context
    ) -> pb.ListApprovalsResponse:
        caller = current_call().caller
        may = "payments.approve" in caller.permissions
        return pb.ListApprovalsResponse(
            approvals=[
                to_proto_approval(one, person_id=caller.subject_id or "", may=may)
                for one in await list_approvals(self._desk)
            ]
        )


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return ((payer_rules_pb2_grpc.add_PayerRulesServicer_to_server, PayerRules(desk)),)
