"""Servicer of policies: translate, call one operation, translate back."""

from collections.abc import Sequence
from typing import Any

from services.payments.desk import Desk
from services.payments.operations.change_policy import (
    get_customer_segment,
    get_policy,
    set_customer_segment,
    update_policy,
)
from services.payments.translate.policies import from_proto_policy, to_proto_policy
from tallyport.payments.v1 import policies_pb2, policies_pb2_grpc

Context = Any
"""Servicers leave gRPC's context to the boundary."""


class PaymentPolicies(policies_pb2_grpc.PaymentPoliciesServicer):
    """What an organization allows."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def GetPaymentPolicy(
        self, request: policies_pb2.GetPaymentPolicyRequest, context: Context
    ) -> policies_pb2.PaymentPolicy:
        return to_proto_policy(await get_policy(self._desk))

    async def UpdatePaymentPolicy(
        self, request: policies_pb2.UpdatePaymentPolicyRequest, context: Context
    ) -> policies_pb2.PaymentPolicy:
        return to_proto_policy(await update_policy(self._desk, from_proto_policy(request.policy)))

    async def GetCustomerSegment(
        self, request: policies_pb2.GetCustomerSegmentRequest, context: Context
    ) -> policies_pb2.CustomerSegment:
        segment = await get_customer_segment(self._desk, request.customer_id)
        return policies_pb2.CustomerSegment(customer_id=request.customer_id, segment=segment)

    async def SetCustomerSegment(
        self, request: policies_pb2.SetCustomerSegmentRequest, context: Context
    ) -> policies_pb2.CustomerSegment:
        await set_customer_segment(self._desk, request.customer_id, request.segment)
        return policies_pb2.CustomerSegment(customer_id=request.customer_id, segment=request.segment)


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pair that Server takes."""
    return ((policies_pb2_grpc.add_PaymentPoliciesServicer_to_server, PaymentPolicies(desk)),)
