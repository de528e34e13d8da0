"""Stripe: payment intents, Checkout, saved methods, bank debits, refunds, disputes, payouts and webhooks.

Every request carries our own key as Stripe's idempotency key and our ids as metadata.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.payments.domain.attempt import Attempt
from services.payments.domain.outcome import DisputeView, MethodView, Outcome
from services.payments.providers import (
    Order,
    PayoutView,
    ProviderSilentError,
    ProviderUnreachableError,
    RefundOrder,
    RefundOutcome,
    RefundState,
    SetupOrder,
    SetupOutcome,
    SetupState,
    WebhookEvent,
    stripe_requests,
    stripe_webhooks,
)
from services.payments.providers.stripe_amounts import from_stripe
from services.payments.providers.stripe_api import PAGE_SECONDS, Refused, StripeApi, limit
from services.payments.providers.stripe_documents import (
    KINDS,
    UNREADABLE,
    Document,
    dispute_of,
    disputed_intent,
    mandate_named,
    method_of,
    outcome_of_intent,
    outcome_of_session,
    payout_line_of,
    refund_of,
    setup_of,
)
from services.payments.providers.stripe_requests import INTENT, NOT_CHARGEABLE, SESSION, SETUP

LOOK_AROUND = timedelta(hours=1)
"""How far from an attempt's beginning its object at Stripe may have been made."""
SETUP_AGE = timedelta(days=2)
PAYOUTS_AT_ONCE = 6


class Stripe:
    """One client for the process; every call has a time limit."""

    name = "stripe"

    def __init__(self, secret_key: str, webhook_secrets: tuple[str, ...], *, api_url: str = "") -> None:
        self._webhook_secrets = webhook_secrets
        self._api = StripeApi(secret_key, url=api_url)

    async def create_checkout(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """POST /v1/checkout/sessions, mode payment."""
        try:
            params = stripe_requests.checkout(order)
        except NOT_CHARGEABLE:
            return Outcome.failed("provider_rejected")
        sessions = self._api.v1.checkout.sessions
        return await self._charge(
            lambda: sessions.create_async(params, {"idempotency_key": order.attempt_id}),
            lambda document: outcome_of_session(document, order.attempt_id),
            timeout_seconds,
        )

    async def charge(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """POST /v1/payment_intents, confirmed at once; before it /v1/customers if a method is saved for a new one."""
        try:
            customer = order.customer_token
            if order.save_method and not customer:
                metadata = stripe_requests.metadata(order)
                customer = await self._new_customer(order.attempt_id, metadata, timeout_seconds)
            params = stripe_requests.charge(order, customer)
        except NOT_CHARGEABLE:
            return Outcome.failed("provider_rejected")
        except Refused as refused:
            return Outcome.failed(refused.code)
        except ProviderSilentError as error:
            raise ProviderUnreachableError("there is no customer yet, so nothing was charged") from error
        intents = self._api.v1.payment_intents
        return await self._charge(
            lambda: intents.create_async(params, {"idempotency_key": order.attempt_id}),
            lambda document: outcome_of_intent(document, order.attempt_id),
            timeout_seconds,
        )

    async def lookup(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome | None:
        """By the reference if there is one, else among what was made around the attempt's beginning."""
        async with limit(timeout_seconds):
            found = await self._document_of(attempt)
            if found is None:
                return None
            is_session = found["object"] == "checkout.session"
            intent = found.get("payment_intent") if is_session else found
            disputes = await self._disputes_of(intent) if isinstance(intent, Mapping) else []
            read = outcome_of_session if is_session else outcome_of_intent
            outcome = read(found, attempt.attempt_id, disputes)
        if outcome is None:
            raise ProviderSilentError("lookup answered with something else")
        return outcome

    async def cancel(self, attempt: Attempt, *, timeout_seconds: float) -> Outcome:
        """Expires a Checkout session or cancels an intent; if it is too late, what is true instead."""
        reference = attempt.provider_reference
        if reference is None:
            raise ProviderSilentError("the object's id is not known yet")
        api = self._api.v1
        try:
            if reference.startswith("cs_"):
                await self._api.tell(lambda: api.checkout.sessions.expire_async(reference), timeout_seconds)
            else:
                await self._api.tell(lambda: api.payment_intents.cancel_async(reference), timeout_seconds)
        except Refused:
            pass  # it is over already: the lookup says how
        outcome = await self.lookup(attempt, timeout_seconds=timeout_seconds)
        if outcome is None:
            raise ProviderSilentError("the object is gone")
        return outcome

    async def refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome:
        """POST /v1/refunds, once the payment is known to be there and in the same currency."""
        try:
            intent = await self._intent_of(order.attempt, timeout_seconds)
        except ProviderUnreachableError:
            raise
        except ProviderSilentError as error:
            raise ProviderUnreachableError("the payment cannot be read, so nothing was refunded") from error
        if intent is None or intent["status"] != "succeeded":
            return _not_refunded("charge_not_refundable")
        if intent["currency"] != order.amount.currency.lower():
            return _not_refunded("currency_mismatch")
        refunds = self._api.v1.refunds
        try:
            params = stripe_requests.refund(order, intent["id"])
            document = await self._api.tell(
                lambda: refunds.create_async(params, {"idempotency_key": order.refund_id}), timeout_seconds
            )
            return refund_of(document)
        except NOT_CHARGEABLE:
            return _not_refunded("provider_rejected")
        except Refused as refused:
            return _not_refunded(refused.code)
        except ProviderUnreachableError:
            raise
        except (ProviderSilentError, *UNREADABLE):
            return RefundOutcome(state=RefundState.UNKNOWN)

    async def lookup_refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome | None:
        """Among the refunds of the payment intent."""
        async with limit(timeout_seconds):
            intent = await self._intent_of(order.attempt, timeout_seconds)
            if intent is None:
                return None
            of_intent = {"payment_intent": intent["id"]}
            refunds = await self._api.list_all(self._api.v1.refunds.list_async, of_intent)
            try:
                return next(
                    (
                        refund_of(one)
                        for one in refunds
                        if one["metadata"].get("refund_id") == order.refund_id
                    ),
                    None,
                )
            except UNREADABLE as error:
                raise ProviderSilentError("lookup answered with something else") from error

    async def start_setup(self, order: SetupOrder, *, timeout_seconds: float) -> SetupOutcome:
        """POST /v1/customers if there is none yet, then /v1/checkout/sessions in mode setup."""
        metadata = stripe_requests.setup_metadata(order)
        api = self._api.v1
        try:
            customer = order.customer_token or await self._new_customer(
                order.setup_id, metadata, timeout_seconds
            )
            params = stripe_requests.setup(order, customer)
            document = await self._api.tell(
                lambda: api.checkout.sessions.create_async(params, {"idempotency_key": order.setup_id}),
                timeout_seconds,
            )
            return setup_of(document)
        except Refused as error:
            return SetupOutcome(state=SetupState.FAILED, failure_code=error.code)
        except ProviderUnreachableError:
            raise
        except (ProviderSilentError, *UNREADABLE):
            return SetupOutcome(state=SetupState.UNKNOWN)

    async def lookup_setup(self, setup_id: str, *, timeout_seconds: float) -> SetupOutcome | None:
        """Among the Checkout sessions of the last two days."""
        async with limit(timeout_seconds):
            since = int((datetime.now(UTC) - SETUP_AGE).timestamp())
            params = {"created": {"gte": since}, "expand": [f"data.{path}" for path in SETUP]}
            sessions = await self._api.list_all(self._api.v1.checkout.sessions.list_async, params)
        try:
            found = next((one for one in sessions if one["client_reference_id"] == setup_id), None)
            return None if found is None else setup_of(found)
        except UNREADABLE as error:
            raise ProviderSilentError("lookup answered with something else") from error

    async def lookup_method(self, method_token: str, *, timeout_seconds: float) -> MethodView | None:
        """GET /v1/payment_methods/{id}; one without a customer is gone."""
        methods = self._api.v1.payment_methods
        try:
            document = await self._api.tell(lambda: methods.retrieve_async(method_token), timeout_seconds)
            if not document.get("customer"):
                return None
            return method_of(document, mandate=await self._mandate_of(document, timeout_seconds))
        except Refused:
            return None
        except UNREADABLE as error:
            raise ProviderSilentError("lookup answered with something else") from error

    async def detach(self, method_token: str, *, timeout_seconds: float) -> None:
        """POST /v1/payment_methods/{id}/detach, which revokes its mandates."""
        methods = self._api.v1.payment_methods
        try:
            await self._api.tell(lambda: methods.detach_async(method_token), timeout_seconds)
        except Refused:
            return  # it is gone already

    async def submit_evidence(
        self, dispute_reference: str, evidence: str, *, timeout_seconds: float
    ) -> DisputeView:
        """POST /v1/disputes/{id} with submit."""
        params: dict[str, Any] = {"evidence": {"uncategorized_text": evidence}, "submit": True}
        disputes = self._api.v1.disputes
        return await self._dispute(
            lambda: disputes.update_async(dispute_reference, params), dispute_reference, timeout_seconds
        )

    async def accept_dispute(self, dispute_reference: str, *, timeout_seconds: float) -> DisputeView:
        """POST /v1/disputes/{id}/close"""
        disputes = self._api.v1.disputes
        return await self._dispute(
            lambda: disputes.close_async(dispute_reference), dispute_reference, timeout_seconds
        )

    async def payouts(self, since: date, *, timeout_seconds: float) -> Sequence[PayoutView]:
        """GET /v1/payouts, and the balance transactions of each."""
        api = self._api.v1
        moment = int(datetime.combine(since, time(), UTC).timestamp())
        gate = asyncio.Semaphore(PAYOUTS_AT_ONCE)

        async def few(payout: Document) -> PayoutView:
            async with gate:
                return await self._payout(payout)

        async with limit(timeout_seconds):
            found = await self._api.list_all(api.payouts.list_async, {"arrival_date": {"gte": moment}})
            try:
                sent = [one for one in found if one["status"] in ("paid", "in_transit")]
                return await asyncio.gather(*(few(one) for one in sent))
            except UNREADABLE as error:
                raise ProviderSilentError("payouts answered with something else") from error

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> WebhookEvent:
        """Stripe-Signature."""
        return stripe_webhooks.verify(headers, body, secrets=self._webhook_secrets, now=now)

    async def close(self) -> None:
        await self._api.close()

    async def _charge(
        self,
        call: Callable[[], Awaitable[Any]],
        read: Callable[[Document], Outcome | None],
        timeout_seconds: float,
    ) -> Outcome:
        try:
            document = await self._api.tell(call, timeout_seconds)
        except Refused as refused:
            left_behind = None if refused.intent is None else read(refused.intent)
            return left_behind or Outcome.failed(refused.code)
        except ProviderUnreachableError:
            raise
        except ProviderSilentError:
            return Outcome.unknown()
        return read(document) or Outcome.unknown()

    async def _document_of(self, attempt: Attempt) -> dict[str, Any] | None:
        api, reference = self._api.v1, attempt.provider_reference
        try:
            if reference is not None and reference.startswith("cs_"):
                params = {"expand": list(SESSION)}
                return await self._api.tell(
                    lambda: api.checkout.sessions.retrieve_async(reference, params), PAGE_SECONDS
                )
            if reference is not None:
                params = {"expand": list(INTENT)}
                return await self._api.tell(
                    lambda: api.payment_intents.retrieve_async(reference, params), PAGE_SECONDS
                )
        except Refused as refused:
            raise ProviderSilentError("Stripe does not show an object that it had made") from refused
        begun = int(attempt.created_at.timestamp())
        around = int(LOOK_AROUND.total_seconds())
        window = {"gte": begun - around, "lte": begun + around}
        if attempt.is_hosted:
            params_ = {"created": window, "expand": [f"data.{path}" for path in SESSION]}
            sessions = await self._api.list_all(api.checkout.sessions.list_async, params_)
            return next(
                (one for one in sessions if one.get("client_reference_id") == attempt.attempt_id), None
            )
        params_ = {"created": window, "expand": [f"data.{path}" for path in INTENT]}
        intents = await self._api.list_all(api.payment_intents.list_async, params_)
        mine = (one for one in intents if (one.get("metadata") or {}).get("attempt_id") == attempt.attempt_id)
        return next(mine, None)

    async def _disputes_of(self, intent: Document) -> list[dict[str, Any]]:
        charge = intent.get("latest_charge")
        if not isinstance(charge, Mapping) or not charge.get("disputed"):
            return []
        return await self._api.list_all(self._api.v1.disputes.list_async, {"payment_intent": intent["id"]})

    async def _intent_of(self, attempt: Attempt, timeout_seconds: float) -> Document | None:
        """The payment intent of an attempt; None if nobody has tried to pay."""
        async with limit(timeout_seconds):
            found = await self._document_of(attempt)
        if found is not None and found["object"] == "checkout.session":
            found = found.get("payment_intent")
        return found

    async def _mandate_of(self, method: Document, timeout_seconds: float) -> Document | None:
        """What the account holder agreed to when a debit's method was saved; Stripe finds it by its setup."""
        if KINDS.get(method["type"]) != "bank_debit":
            return None
        params = {"payment_method": method["id"], "expand": ["data.mandate"]}
        async with limit(timeout_seconds):
            setups = await self._api.list_all(self._api.v1.setup_intents.list_async, params)
        found = next((one["mandate"] for one in setups if isinstance(one.get("mandate"), Mapping)), None)
        return found or await self._mandate_of_payment(method, timeout_seconds)

    async def _mandate_of_payment(self, method: Document, timeout_seconds: float) -> Document | None:
        """The same of a method that was saved while paying: the charge of that payment names it."""
        params = {"customer": method["customer"], "expand": ["data.latest_charge"]}
        async with limit(timeout_seconds):
            intents = await self._api.list_all(self._api.v1.payment_intents.list_async, params)
        reference = mandate_named(intents, method)
        mandates = self._api.v1.mandates
        return (
            await self._api.tell(lambda: mandates.retrieve_async(reference), timeout_seconds)
            if reference
            else None
        )

    async def _new_customer(self, about: str, metadata: dict[str, str], timeout_seconds: float) -> str:
        customers = self._api.v1.customers
        key = {"idempotency_key": f"customer-{about}"}
        document = await self._api.tell(
            lambda: customers.create_async({"metadata": metadata}, key), timeout_seconds
        )
        return str(document["id"])

    async def _dispute(
        self, call: Callable[[], Awaitable[Any]], reference: str, timeout_seconds: float
    ) -> DisputeView:
        try:
            document = await self._api.tell(call, timeout_seconds)
        except Refused:  # it is decided already
            disputes = self._api.v1.disputes
            try:
                document = await self._api.tell(lambda: disputes.retrieve_async(reference), timeout_seconds)
            except Refused as refused:
                raise ProviderSilentError("there is no such dispute") from refused
        try:
            return dispute_of(document)
        except UNREADABLE as error:
            raise ProviderSilentError("the answer is not a dispute") from error

    async def _payout(self, payout: Document) -> PayoutView:
        params = {"payout": payout["id"], "expand": ["data.source"]}
        found = await self._api.list_all(self._api.v1.balance_transactions.list_async, params)
        lines = [line for line in found if line["type"] != "payout"]
        disputed = {disputed_intent(line) for line in lines} - {""}
        metadata = {intent_id: await self._metadata_of(intent_id) for intent_id in sorted(disputed)}
        return PayoutView(
            provider_reference=payout["id"],
            arrives_on=datetime.fromtimestamp(payout["arrival_date"], UTC).date(),
            net=from_stripe(payout["amount"], payout["currency"]),
            lines=tuple(payout_line_of(line, metadata) for line in lines),
        )

    async def _metadata_of(self, intent_id: str) -> Document:
        intents = self._api.v1.payment_intents
        try:
            document = await self._api.tell(lambda: intents.retrieve_async(intent_id), PAGE_SECONDS)
        except Refused as refused:
            raise ProviderSilentError("Stripe does not show a disputed payment") from refused
        found: Document = document["metadata"]
        return found


def _not_refunded(code: str) -> RefundOutcome:
    return RefundOutcome(state=RefundState.FAILED, failure_code=code)
