"""Instalment plans, promises to pay and their policies, over gRPC."""

from typing import Any

from chassis.database import Database
from chassis.money import Money
from services.invoicing.operations import manage_plan_policies as policies
from services.invoicing.operations.accept_plan import accept_plan
from services.invoicing.operations.decide_plan import Approval, approve_plan, cancel_plan, reject_plan
from services.invoicing.operations.promise_to_pay import (
    Word,
    list_promises,
    promise_to_pay,
    withdraw_promise,
)
from services.invoicing.operations.propose_instalments import Wanted, propose_instalments
from services.invoicing.operations.read_plans import get_plan, get_schedule, list_plans
from services.invoicing.operations.request_plan import Need, offer_plan, request_plan
from services.invoicing.operations.suggest_plan import answer_plan_suggestion, get_plan_suggestion
from services.invoicing.translate import instalment_plans as translate
from services.invoicing.translate.payment_promises import from_proto_promise_state
from services.invoicing.translate.values import (
    from_proto_currency,
    from_proto_day,
    from_proto_money,
    from_proto_text,
)
from tallyport.invoicing.v1 import instalment_plans_pb2 as pb
from tallyport.invoicing.v1 import (
    instalment_plans_pb2_grpc,
    payment_promises_pb2_grpc,
    plan_policies_pb2_grpc,
)
from tallyport.invoicing.v1 import payment_promises_pb2 as promises_pb
from tallyport.invoicing.v1 import plan_policies_pb2 as policies_pb


class InstalmentPlans(instalment_plans_pb2_grpc.InstalmentPlansServicer):
    """Paying in parts, by agreement."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ProposeInstalments(
        self, request: pb.ProposeInstalmentsRequest, context: Any
    ) -> pb.InstalmentProposal:
        return translate.to_proto_proposal(await propose_instalments(self._db, _wanted(request)))

    async def RequestInstalmentPlan(
        self, request: pb.RequestInstalmentPlanRequest, context: Any
    ) -> pb.InstalmentPlan:
        need = Need(
            hardship=request.hardship,
            reasons=tuple(request.reasons),
            message=from_proto_text("message", request.message),
            wished=_optional_money(request, "wished_amount"),
        )
        return await request_plan(self._db, _wanted(request), need)

    async def OfferInstalmentPlan(
        self, request: pb.OfferInstalmentPlanRequest, context: Any
    ) -> pb.InstalmentPlan:
        note = from_proto_text("note", request.note)
        return await offer_plan(self._db, _wanted(request), note)

    async def ApproveInstalmentPlan(
        self, request: pb.ApproveInstalmentPlanRequest, context: Any
    ) -> pb.InstalmentPlan:
        approval = Approval(
            choice=translate.from_proto_choice(request.choice) if request.HasField("choice") else None,
            discount=_optional_money(request, "hardship_discount"),
            note=from_proto_text("note", request.note),
        )
        return await approve_plan(self._db, request.plan_id, approval)

    async def RejectInstalmentPlan(
        self, request: pb.RejectInstalmentPlanRequest, context: Any
    ) -> pb.InstalmentPlan:
        return await reject_plan(self._db, request.plan_id, from_proto_text("reason", request.reason))

    async def AcceptInstalmentPlan(
        self, request: pb.AcceptInstalmentPlanRequest, context: Any
    ) -> pb.InstalmentPlan:
        note = from_proto_text("note", request.note)
        return await accept_plan(self._db, request.plan_id, request.terms_hash, note)

    async def CancelInstalmentPlan(
        self, request: pb.CancelInstalmentPlanRequest, context: Any
    ) -> pb.InstalmentPlan:
        return await cancel_plan(self._db, request.plan_id, from_proto_text("reason", request.reason))

    async def GetInstalmentPlan(
        self, request: pb.GetInstalmentPlanRequest, context: Any
    ) -> pb.InstalmentPlan:
        return await get_plan(self._db, request.plan_id)

    async def ListInstalmentPlans(
        self, request: pb.ListInstalmentPlansRequest, context: Any
    ) -> pb.ListInstalmentPlansResponse:
        plans, token = await list_plans(
            self._db,
            customer_id=request.customer_id,
            state=translate.from_proto_plan_state(request.state),
            invoice_id=request.invoice_id,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return pb.ListInstalmentPlansResponse(plans=plans, next_page_token=token)

    async def GetInstalmentSchedule(
        self, request: pb.GetInstalmentScheduleRequest, context: Any
    ) -> pb.InstalmentSchedule:
        return await get_schedule(self._db, request.plan_id, from_proto_day("on_day", request.on_day))

    async def GetPlanSuggestion(
        self, request: pb.GetPlanSuggestionRequest, context: Any
    ) -> pb.PlanSuggestion:
        return await get_plan_suggestion(self._db, request.customer_id)

    async def AnswerPlanSuggestion(
        self, request: pb.AnswerPlanSuggestionRequest, context: Any
    ) -> pb.PlanSuggestion:
        return await answer_plan_suggestion(self._db, request.customer_id, declined=request.declined)


class PaymentPromises(payment_promises_pb2_grpc.PaymentPromisesServicer):
    """Promises to pay."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def PromiseToPay(
        self, request: promises_pb.PromiseToPayRequest, context: Any
    ) -> promises_pb.PaymentPromise:
        day = from_proto_day("promised_on", request.promised_on)
        assert day is not None  # the contract demands it
        word = Word(
            customer_id=request.customer_id,
            amount=from_proto_money("amount", request.amount),
            promised_on=day,
            note=from_proto_text("note", request.note),
        )
        return await promise_to_pay(self._db, word)

    async def WithdrawPaymentPromise(
        self, request: promises_pb.WithdrawPaymentPromiseRequest, context: Any
    ) -> promises_pb.PaymentPromise:
        return await withdraw_promise(self._db, request.promise_id)

    async def ListPaymentPromises(
        self, request: promises_pb.ListPaymentPromisesRequest, context: Any
    ) -> promises_pb.ListPaymentPromisesResponse:
        return await list_promises(
            self._db,
            customer_id=request.customer_id,
            state=from_proto_promise_state(request.state),
            page_size=request.page_size,
            page_token=request.page_token,
        )


class PlanPolicies(plan_policies_pb2_grpc.PlanPoliciesServicer):
    """What is allowed by segment and currency."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ListPlanPolicies(
        self, request: policies_pb.ListPlanPoliciesRequest, context: Any
    ) -> policies_pb.ListPlanPoliciesResponse:
        return policies_pb.ListPlanPoliciesResponse(
            policies=[
                policies_pb.PlanPolicy(
                    segment=segment,
                    currency=rules.currency,
                    rules=translate.to_proto_rules(rules),
                    written=written,
                )
                for segment, rules, written in await policies.list_plan_policies(self._db)
            ]
        )

    async def PutPlanPolicy(
        self, request: policies_pb.PutPlanPolicyRequest, context: Any
    ) -> policies_pb.PlanPolicy:
        policy = request.policy
        currency = from_proto_currency("policy.currency", policy.currency)
        rules = translate.from_proto_rules(policy.rules, currency)
        segment = from_proto_text("policy.segment", policy.segment)
        await policies.put_plan_policy(self._db, segment, rules)
        return policies_pb.PlanPolicy(
            segment=segment, currency=currency, rules=translate.to_proto_rules(rules), written=True
        )

    async def DeletePlanPolicy(
        self, request: policies_pb.DeletePlanPolicyRequest, context: Any
    ) -> policies_pb.DeletePlanPolicyResponse:
        currency = from_proto_currency("currency", request.currency)
        await policies.delete_plan_policy(self._db, from_proto_text("segment", request.segment), currency)
        return policies_pb.DeletePlanPolicyResponse()


def _wanted(
    request: pb.ProposeInstalmentsRequest | pb.RequestInstalmentPlanRequest | pb.OfferInstalmentPlanRequest,
) -> Wanted:
    return Wanted(
        customer_id=request.customer_id,
        invoice_ids=list(request.invoice_ids),
        choice=translate.from_proto_choice(request.choice),
        discount=_optional_money(request, "hardship_discount")
        if isinstance(request, pb.OfferInstalmentPlanRequest)
        else None,
    )


def _optional_money(request: Any, name: str) -> Money | None:
    """Nothing and zero are the same: none."""
    if not request.HasField(name) or not getattr(request, name).minor_units:
        return None
    return from_proto_money(name, getattr(request, name))
