"""Stand-ins for those services of invoicing that have nothing to tell on the stage: no notes, plans, disputes."""

from typing import Any

from tallyport.invoicing.v1 import credit_notes_pb2, disputes_pb2, instalment_plans_pb2, payment_promises_pb2
from tallyport.invoicing.v1.credit_notes_pb2_grpc import (
    CreditNotesServicer,
    add_CreditNotesServicer_to_server,
)
from tallyport.invoicing.v1.disputes_pb2_grpc import DisputesServicer, add_DisputesServicer_to_server
from tallyport.invoicing.v1.instalment_plans_pb2_grpc import (
    InstalmentPlansServicer,
    add_InstalmentPlansServicer_to_server,
)
from tallyport.invoicing.v1.payment_promises_pb2_grpc import (
    PaymentPromisesServicer,
    add_PaymentPromisesServicer_to_server,
)


class _CreditNotes(CreditNotesServicer):
    async def ListCreditNotes(self, request: Any, context: Any) -> credit_notes_pb2.ListCreditNotesResponse:
        return credit_notes_pb2.ListCreditNotesResponse()


class _Disputes(DisputesServicer):
    async def ListDisputes(self, request: Any, context: Any) -> disputes_pb2.ListDisputesResponse:
        return disputes_pb2.ListDisputesResponse()


class _Plans(InstalmentPlansServicer):
    async def ListInstalmentPlans(
        self, request: Any, context: Any
    ) -> instalment_plans_pb2.ListInstalmentPlansResponse:
        return instalment_plans_pb2.ListInstalmentPlansResponse()

    async def GetPlanSuggestion(self, request: Any, context: Any) -> instalment_plans_pb2.PlanSuggestion:
        return instalment_plans_pb2.PlanSuggestion()


class _Promises(PaymentPromisesServicer):
    async def ListPaymentPromises(
        self, request: Any, context: Any
    ) -> payment_promises_pb2.ListPaymentPromisesResponse:
        return payment_promises_pb2.ListPaymentPromisesResponse()


def receivables() -> list[tuple[Any, object]]:
    """As a server takes them."""
    return [
        (add_CreditNotesServicer_to_server, _CreditNotes()),  # type: ignore[abstract]
        (add_DisputesServicer_to_server, _Disputes()),  # type: ignore[abstract]
        (add_InstalmentPlansServicer_to_server, _Plans()),  # type: ignore[abstract]
        (add_PaymentPromisesServicer_to_server, _Promises()),  # type: ignore[abstract]
    ]
