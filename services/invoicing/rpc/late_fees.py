"""Late fees over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations import manage_late_fees as manage
from services.invoicing.operations import manage_legal_rates as rates
from services.invoicing.translate import late_fees as translate
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import credit_notes_pb2, late_fees_pb2_grpc
from tallyport.invoicing.v1 import late_fees_pb2 as pb


class LateFeePolicies(late_fees_pb2_grpc.LateFeePoliciesServicer):
    """Policies, legal limits, what became of late invoices, and waiving."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def PutLateFeePolicy(self, request: pb.PutLateFeePolicyRequest, context: Any) -> pb.LateFeePolicy:
        policy = translate.from_proto_policy(request.policy)
        return translate.to_proto_policy(await manage.put_late_fee_policy(self._db, policy))

    async def ListLateFeePolicies(
        self, request: pb.ListLateFeePoliciesRequest, context: Any
    ) -> pb.ListLateFeePoliciesResponse:
        policies, caps = await manage.list_late_fee_policies(self._db)
        return pb.ListLateFeePoliciesResponse(
            policies=[translate.to_proto_policy(one) for one in policies],
            caps=[translate.to_proto_cap(one) for one in caps],
        )

    async def PutLateFeeCap(self, request: pb.PutLateFeeCapRequest, context: Any) -> pb.LateFeeCap:
        return translate.to_proto_cap(
            await manage.put_late_fee_cap(self._db, translate.from_proto_cap(request.cap))
        )

    async def PutLegalRate(self, request: pb.PutLegalRateRequest, context: Any) -> pb.LegalRate:
        rate = translate.from_proto_legal_rate(request.rate)
        return translate.to_proto_legal_rate(await rates.put_legal_rate(self._db, rate))

    async def ListLegalRates(
        self, request: pb.ListLegalRatesRequest, context: Any
    ) -> pb.ListLegalRatesResponse:
        found, to_check = await rates.list_legal_rates(self._db)
        return translate.to_proto_legal_rates(found, to_check)

    async def ListLateFees(self, request: pb.ListLateFeesRequest, context: Any) -> pb.ListLateFeesResponse:
        return translate.to_proto_late_fees(await manage.list_late_fees(self._db, request.invoice_id))

    async def WaiveLateFee(
        self, request: pb.WaiveLateFeeRequest, context: Any
    ) -> credit_notes_pb2.CreditNote:
        return await manage.waive_late_fee(
            self._db, request.invoice_id, from_proto_text("reason", request.reason)
        )
