"""Stripe: payment intents, Checkout, saved methods, bank debits, refunds, disputes, payouts and webhooks.

Every request carries our own key as Stripe's idempotency key and our ids as metadata.
"""

import json
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
    WebhookRefusedError,
)
from services.payments.providers.stripe_amounts import AmountNotChargeableError, from_stripe, to_stripe
from services.payments.providers.stripe_api import PAGE_SECONDS, Refused, StripeApi, limit
from services.payments.providers.stripe_documents import (
    UNREADABLE,
    Document,
    dispute_of,
    method_of,
    outcome_of_intent,
    outcome_of_session,
    payout_line_of,
    refund_of,
    setup_of,
)

TOLERANCE_SECONDS = 300
LOOK_AROUND = timedelta(hours=1)
"""How far from an attempt's beginning its object at Stripe may have been made."""
SETUP_AGE = timedelta(days=2)
_INTENT = ("latest_charge", "payment_method")
_SESSION = ("payment_intent.latest_charge", "payment_intent.payment_method")
_SETUP = ("setup_intent.payment_method", "setup_intent.mandate")
_DEBITS = {
    "USD": "us_bank_account",
    "EUR": "sepa_debit",
    "GBP": "bacs_debit",
    "AUD": "au_becs_debit",
    "CAD": "acss_debit",
}
_PAGES = {"card": "card", "redirect": "paypal", "stablecoin": "crypto"}


class Stripe:
    """One client for the process; every call has a time limit."""

    name = "stripe"

    def __init__(self, secret_key: str, webhook_secrets: tuple[str, ...], *, api_url: str = "") -> None:
        self._webhook_secrets = webhook_secrets
        self._api = StripeApi(secret_key, url=api_url)

    async def create_checkout(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """POST /v1/checkout/sessions, mode payment."""
        intent: dict[str, Any] = {"metadata": _metadata(order)}
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": order.attempt_id,
            "metadata": _metadata(order),
            "payment_intent_data": intent,
            "success_url": order.return_url,
            "cancel_url": order.return_url,
            "expand": list(_SESSION),
        }
        if order.save_method:
            intent["setup_future_usage"] = "off_session"
        if order.customer_token:
            params["customer"] = order.customer_token
        elif order.save_method:
            params["customer_creation"] = "always"
        try:
            params["line_items"] = _line_items(order)
            params["payment_method_types"] = [_page_of(order.kind, order.amount.currency)]
        except (AmountNotChargeableError, KeyError):
            return Outcome.failed("provider_rejected")
        sessions = self._api.v1.checkout.sessions
        return await self._charge(
            lambda: sessions.create_async(params, {"idempotency_key": order.attempt_id}),
            lambda document: outcome_of_session(document, order.attempt_id),
            timeout_seconds,
        )

    async def charge(self, order: Order, *, timeout_seconds: float) -> Outcome:
        """POST /v1/payment_intents, confirmed at once."""
        params: dict[str, Any] = {
            "currency": order.amount.currency.lower(),
            "confirm": True,
            "metadata": _metadata(order),
            "expand": list(_INTENT),
        }
        if order.method_token:
            params["payment_method"] = order.method_token
            params["payment_method_types"] = (
                [*_DEBITS.values(), "card"] if order.kind == "bank_debit" else ["card"]
            )
        elif (order.card_token or "").startswith("tok_"):
            params["payment_method_data"] = {"type": "card", "card": {"token": order.card_token}}
        else:
            params["payment_method"] = order.card_token
        if order.customer_token:
            params["customer"] = order.customer_token
        if order.off_session:
            params["off_session"] = True
        elif order.return_url:
            params["return_url"] = order.return_url
        if "payment_method_types" not in params:
            params["payment_method_types"] = ["card"]
        try:
            params["amount"] = to_stripe(order.amount)
        except AmountNotChargeableError:
            return Outcome.failed("provider_rejected")
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
        """POST /v1/refunds"""
        try:
            intent_id = await self._intent_id(order.attempt, timeout_seconds)
            params: dict[str, Any] = {
                "payment_intent": intent_id,
                "amount": to_stripe(order.amount),
                "metadata": {
                    "organization_id": order.organization_id,
                    "attempt_id": order.attempt.attempt_id,
                    "refund_id": order.refund_id,
                },
            }
            refunds = self._api.v1.refunds
            document = await self._api.tell(
                lambda: refunds.create_async(params, {"idempotency_key": order.refund_id}), timeout_seconds
            )
            return refund_of(document)
        except (Refused, AmountNotChargeableError) as error:
            code = error.code if isinstance(error, Refused) else "provider_rejected"
            return RefundOutcome(state=RefundState.FAILED, failure_code=code)
        except ProviderUnreachableError:
            raise
        except (ProviderSilentError, *UNREADABLE):
            return RefundOutcome(state=RefundState.UNKNOWN)

    async def lookup_refund(self, order: RefundOrder, *, timeout_seconds: float) -> RefundOutcome | None:
        """Among the refunds of the payment intent."""
        async with limit(timeout_seconds):
            try:
                intent_id = await self._intent_id(order.attempt, timeout_seconds)
            except Refused:
                return None
            refunds = await self._api.list_all(self._api.v1.refunds.list_async, {"payment_intent": intent_id})
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
        metadata = {"organization_id": order.organization_id, "setup_id": order.setup_id}
        api = self._api.v1
        try:
            customer = order.customer_token or await self._new_customer(order, metadata, timeout_seconds)
            params: dict[str, Any] = {
                "mode": "setup",
                "customer": customer,
                "client_reference_id": order.setup_id,
                "metadata": metadata,
                "setup_intent_data": {"metadata": metadata},
                "payment_method_types": ["card"]
                if order.kind == "card"
                else ["us_bank_account", "sepa_debit"],
                "success_url": order.return_url,
                "cancel_url": order.return_url,
                "expand": list(_SETUP),
            }
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
            params = {"created": {"gte": since}, "expand": [f"data.{path}" for path in _SETUP]}
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
            return method_of(document) if document.get("customer") else None
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
        async with limit(timeout_seconds):
            found = await self._api.list_all(api.payouts.list_async, {"arrival_date": {"gte": moment}})
            try:
                return [await self._payout(one) for one in found if one["status"] in ("paid", "in_transit")]
            except UNREADABLE as error:
                raise ProviderSilentError("payouts answered with something else") from error

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> WebhookEvent:
        """Stripe-Signature, by the library; the age is compared with our own clock."""
        from stripe import SignatureVerificationError, WebhookSignature

        header = headers.get("stripe-signature", "")
        for secret in self._webhook_secrets:
            try:
                WebhookSignature.verify_header(body, header, secret)
                break
            except (SignatureVerificationError, UnicodeDecodeError):
                continue
        else:
            raise WebhookRefusedError("WEBHOOK_SIGNATURE_INVALID", "The webhook's signature is not right.")
        stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
        if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
            raise WebhookRefusedError("WEBHOOK_TOO_OLD", "The webhook was signed too long ago.")
        return _event_of(body)

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
            return Outcome.failed(refused.code)
        except ProviderUnreachableError:
            raise
        except ProviderSilentError:
            return Outcome.unknown()
        return read(document) or Outcome.unknown()

    async def _document_of(self, attempt: Attempt) -> dict[str, Any] | None:
        api, reference = self._api.v1, attempt.provider_reference
        try:
            if reference is not None and reference.startswith("cs_"):
                params = {"expand": list(_SESSION)}
                return await self._api.tell(
                    lambda: api.checkout.sessions.retrieve_async(reference, params), PAGE_SECONDS
                )
            if reference is not None:
                params = {"expand": list(_INTENT)}
                return await self._api.tell(
                    lambda: api.payment_intents.retrieve_async(reference, params), PAGE_SECONDS
                )
        except Refused as refused:
            raise ProviderSilentError("Stripe does not show an object that it had made") from refused
        begun = int(attempt.created_at.timestamp())
        around = int(LOOK_AROUND.total_seconds())
        window = {"gte": begun - around, "lte": begun + around}
        if attempt.is_hosted:
            params_ = {"created": window, "expand": [f"data.{path}" for path in _SESSION]}
            sessions = await self._api.list_all(api.checkout.sessions.list_async, params_)
            return next(
                (one for one in sessions if one.get("client_reference_id") == attempt.attempt_id), None
            )
        params_ = {"created": window, "expand": [f"data.{path}" for path in _INTENT]}
        intents = await self._api.list_all(api.payment_intents.list_async, params_)
        mine = (one for one in intents if (one.get("metadata") or {}).get("attempt_id") == attempt.attempt_id)
        return next(mine, None)

    async def _disputes_of(self, intent: Document) -> list[dict[str, Any]]:
        charge = intent.get("latest_charge")
        if not isinstance(charge, Mapping) or not charge.get("disputed"):
            return []
        return await self._api.list_all(self._api.v1.disputes.list_async, {"payment_intent": intent["id"]})

    async def _intent_id(self, attempt: Attempt, timeout_seconds: float) -> str:
        reference = attempt.provider_reference or ""
        if reference.startswith("pi_"):
            return reference
        sessions = self._api.v1.checkout.sessions
        session = await self._api.tell(lambda: sessions.retrieve_async(reference), timeout_seconds)
        intent = session.get("payment_intent")
        if not isinstance(intent, str):
            raise Refused("charge_not_refundable")
        return intent

    async def _new_customer(self, order: SetupOrder, metadata: dict[str, str], timeout_seconds: float) -> str:
        customers = self._api.v1.customers
        key = {"idempotency_key": f"customer-{order.setup_id}"}
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
        lines = await self._api.list_all(self._api.v1.balance_transactions.list_async, params)
        return PayoutView(
            provider_reference=payout["id"],
            arrives_on=datetime.fromtimestamp(payout["arrival_date"], UTC).date(),
            net=from_stripe(payout["amount"], payout["currency"]),
            lines=tuple(payout_line_of(line) for line in lines if line["type"] != "payout"),
        )


def _metadata(order: Order) -> dict[str, str]:
    return {
        "organization_id": order.organization_id,
        "payment_id": order.payment_id,
        "attempt_id": order.attempt_id,
    }


def _line_items(order: Order) -> list[dict[str, Any]]:
    """The invoices, if they add up to the charge; else (credit, surcharges) one line for the whole."""
    currency = order.amount.currency.lower()
    lines = [(line.description, line.amount) for line in order.lines]
    if sum(amount.minor_units for _, amount in lines) != order.amount.minor_units or any(
        amount.minor_units <= 0 for _, amount in lines
    ):
        lines = [(", ".join(name for name, _ in lines)[:250] or order.merchant_name, order.amount)]
    return [
        {
            "quantity": 1,
            "price_data": {
                "currency": currency,
                "unit_amount": to_stripe(amount),
                "product_data": {"name": name[:250] or order.merchant_name},
            },
        }
        for name, amount in lines
    ]


def _page_of(kind: str, currency: str) -> str:
    """Stripe's word for a kind of method. KeyError if Stripe has none."""
    return _DEBITS[currency] if kind == "bank_debit" else _PAGES[kind]


def _event_of(body: bytes) -> WebhookEvent:
    try:
        document = json.loads(body)
        subject = document["data"]["object"]
        metadata = subject.get("metadata") or {}
        intent = subject.get("payment_intent")
        return WebhookEvent(
            event_id=str(document["id"]),
            type=str(document["type"]),
            organization_id=str(metadata.get("organization_id", "")),
            attempt_id=str(metadata.get("attempt_id", "")),
            refund_id=str(metadata.get("refund_id", "")),
            setup_id=str(metadata.get("setup_id", "")),
            provider_reference=intent if isinstance(intent, str) else "",
        )
    except UNREADABLE:
        raise WebhookRefusedError("WEBHOOK_UNREADABLE", "The webhook's body cannot be read.") from None
