"""Servicer of saved methods."""

from collections.abc import Sequence
from typing import Any

from chassis.caller import current_call
from services.payments.desk import Desk
from services.payments.operations.manage_payment_methods import (
    list_methods,
    remove_method,
    set_default_method,
)
from services.payments.operations.set_up_payment_method import complete_setup, start_setup
from services.payments.store import cases
from services.payments.translate.methods import to_proto_completed, to_proto_method, to_proto_setup
from services.payments.translate.payments import from_proto_method
from tallyport.payments.v1 import payment_methods_pb2 as pb
from tallyport.payments.v1 import payment_methods_pb2_grpc

Context = Any


class PaymentMethods(payment_methods_pb2_grpc.PaymentMethodsServicer):
    """Saved methods of customers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def StartPaymentMethodSetup(
        self, request: pb.StartPaymentMethodSetupRequest, context: Context
    ) -> pb.PaymentMethodSetup:
        setup = await start_setup(
            self._desk,
            kind=from_proto_method(request.type).value,
            return_url=request.return_url,
            make_default=request.make_default,
        )
        return to_proto_setup(setup)

    async def CompletePaymentMethodSetup(
        self, request: pb.CompletePaymentMethodSetupRequest, context: Context
    ) -> pb.PaymentMethodSetup:
        completed = await complete_setup(self._desk, request.setup_id)
        async with self._desk.db.read(current_call().organization_id) as tx:
            today = (await cases.organization(tx)).day_of(tx.now())
            return to_proto_completed(completed, now=tx.now(), today=today)

    async def ListPaymentMethods(
        self, request: pb.ListPaymentMethodsRequest, context: Context
    ) -> pb.ListPaymentMethodsResponse:
        shown = await list_methods(self._desk, request.customer_id)
        suggested = shown.suggested
        return pb.ListPaymentMethodsResponse(
            payment_methods=[to_proto_method(one, now=shown.now, today=shown.today) for one in shown.methods],
            suggested_payment_method_id=suggested.payment_method_id if suggested is not None else "",
        )

    async def SetDefaultPaymentMethod(
        self, request: pb.SetDefaultPaymentMethodRequest, context: Context
    ) -> pb.PaymentMethod:
        shown = await set_default_method(self._desk, request.payment_method_id)
        return to_proto_method(shown.methods[0], now=shown.now, today=shown.today)

    async def RemovePaymentMethod(
        self, request: pb.RemovePaymentMethodRequest, context: Context
    ) -> pb.RemovePaymentMethodResponse:
        await remove_method(self._desk, request.payment_method_id, request.replacement_payment_method_id)
        return pb.RemovePaymentMethodResponse()


def servicers(desk: Desk) -> Sequence[tuple[Any, object]]:
    """The pairs that Server takes."""
    return ((payment_methods_pb2_grpc.add_PaymentMethodsServicer_to_server, PaymentMethods(desk)),)
