"""What Stripe's objects say, in our words."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from services.payments.domain.outcome import DisputeState, DisputeView, MethodView, Outcome, Status
from services.payments.providers import PayoutLineView, RefundOutcome, RefundState, SetupOutcome, SetupState
from services.payments.providers.stripe_amounts import from_stripe

Document = Mapping[str, Any]
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
"""What reading raises when a document is not what it should be."""

KINDS: Mapping[str, str] = {
    "card": "card",
    "us_bank_account": "bank_debit",
    "sepa_debit": "bank_debit",
    "bacs_debit": "bank_debit",
    "au_becs_debit": "bank_debit",
    "acss_debit": "bank_debit",
    "paypal": "redirect",
    "crypto": "stablecoin",
}
_PAYMENT_STATUS: Mapping[str, Status] = {
    "requires_action": Status.REQUIRES_ACTION,
    "requires_confirmation": Status.PROCESSING,
    "processing": Status.PROCESSING,
    "succeeded": Status.SUCCEEDED,
    "requires_payment_method": Status.FAILED,
    "canceled": Status.CANCELED,
    "requires_capture": Status.REVIEW,
}
FAILURES: Mapping[str, str] = {
    "generic_decline": "card_declined",
    "do_not_honor": "card_declined",
    "card_declined": "card_declined",
    "insufficient_funds": "insufficient_funds",
    "expired_card": "expired_card",
    "incorrect_cvc": "incorrect_cvc",
    "invalid_cvc": "incorrect_cvc",
    "incorrect_number": "incorrect_number",
    "processing_error": "processing_error",
    "lost_card": "lost_card",
    "stolen_card": "stolen_card",
    "authentication_required": "authentication_required",
    "payment_intent_authentication_failure": "authentication_failed",
    "account_closed": "account_closed",
    "no_account": "account_closed",
    "debit_not_authorized": "debit_not_authorized",
}
"""Stripe's decline and error codes that mean more to us than a plain decline."""
_REFUSALS: Mapping[str, str] = {
    "charge_already_refunded": "refund_too_large",
    "charge_disputed": "charge_disputed",
    "payment_intent_mandate_invalid": "mandate_revoked",
}
_RETURNS = frozenset(
    {
        "bank_cannot_process",
        "customer_initiated",
        "debit_not_authorized",
        "incorrect_account_details",
        "insufficient_funds",
    }
)
"""Reasons with which Stripe reports the late return of a bank debit; it calls them disputes, which nobody can win."""
_DISPUTES: Mapping[str, DisputeState] = {
    "needs_response": DisputeState.OPEN,
    "warning_needs_response": DisputeState.OPEN,
    "under_review": DisputeState.UNDER_REVIEW,
    "warning_under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "appeal_needs_response": DisputeState.UNDER_REVIEW,
    "appeal_under_review": DisputeState.UNDER_REVIEW,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "lost": DisputeState.LOST,
}
_REFUNDS: Mapping[str, RefundState] = {
    "pending": RefundState.PROCESSING,
    "requires_action": RefundState.PROCESSING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
_BRANDS = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay", "diners": "Diners Club"}
_LINES: Mapping[str, str] = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "payment_failure_refund": "return",
    "refund_failure": "refund",
    "payment_reversal": "return",
    "stripe_fee": "fee",
}


def outcome_of_session(
    session: Document, attempt_id: str, disputes: Iterable[Document] = ()
) -> Outcome | None:
    """A Checkout session with its payment intent expanded; None if it is not this attempt's."""
    try:
        if session["client_reference_id"] != attempt_id:
            return None
        intent = session.get("payment_intent")
        if session["status"] == "expired":
            return Outcome(status=Status.CANCELED, provider_reference=session["id"])
        if session["status"] == "open":
            return Outcome(
                status=Status.REQUIRES_ACTION,
                amount=from_stripe(session["amount_total"], session["currency"]),
                provider_reference=session["id"],
                redirect_url=session["url"],
            )
        if not isinstance(intent, Mapping):
            return None
        return outcome_of_intent(intent, attempt_id, disputes)
    except UNREADABLE:
        return None


def outcome_of_intent(intent: Document, attempt_id: str, disputes: Iterable[Document] = ()) -> Outcome | None:
    """A payment intent with its latest charge expanded; None if it is not this attempt's."""
    try:
        if intent["metadata"].get("attempt_id") != attempt_id:
            return None
        status = _PAYMENT_STATUS[intent["status"]]
        charge = intent.get("latest_charge")
        charge = charge if isinstance(charge, Mapping) else {}
        succeeded = status is Status.SUCCEEDED
        units = intent["amount_received"] if succeeded else intent["amount"]
        details = charge.get("payment_method_details") or {}
        kind = KINDS.get(details.get("type", ""), "")
        found = list(disputes)
        returned = next((one for one in found if kind == "bank_debit" and one["reason"] in _RETURNS), None)
        return Outcome(
            status=status,
            amount=from_stripe(units, intent["currency"]),
            provider_reference=intent["id"],
            redirect_url=_next_page(intent) if status is Status.REQUIRES_ACTION else "",
            failure_code=_failure(intent, charge) if status is Status.FAILED else "",
            method_summary=_summary(details),
            return_code=returned["reason"] if returned and succeeded else "",
            returned_at=_moment(returned["created"]) if returned and succeeded else None,
            expected_on=_debited_on(details) if status is Status.PROCESSING else None,
            saved_method=_saved(intent) if status is Status.SUCCEEDED or kind == "bank_debit" else None,
            disputes=tuple(dispute_of(one) for one in found if one is not returned),
        )
    except UNREADABLE:
        return None


def failure_of(error: Document) -> str:
    """Our word for why a payment failed."""
    for name in ("decline_code", "code"):
        if (code := FAILURES.get(str(error.get(name)))) is not None:
            return code
    return "card_declined"


def _failure(intent: Document, charge: Document) -> str:
    """A debit that came back says why on its charge; a card in the intent's error."""
    if str(charge.get("failure_code")) in FAILURES:
        return failure_of({"code": charge["failure_code"]})
    return failure_of(intent.get("last_payment_error") or {})


def refusal_of(code: str, param: str) -> str:
    """Our word for why Stripe would not even try, from the code of its error and the parameter it is about."""
    if code == "resource_missing" and param.startswith("payment_method_data"):
        return "invalid_card_token"
    if code in ("resource_missing", "payment_method_unexpected_state") and param == "payment_method":
        return "payment_method_gone"
    if param == "amount" and not code:  # Stripe's words for a refund of more than is left have no code
        return "refund_too_large"
    return _REFUSALS.get(code, "provider_rejected")


def dispute_of(dispute: Document) -> DisputeView:
    """A dispute. Raises one of UNREADABLE."""
    lines = dispute.get("balance_transactions") or ()
    fee = sum(line["fee"] for line in lines)
    currency = lines[0]["currency"] if lines else dispute["currency"]
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeView(
        provider_reference=dispute["id"],
        state=_DISPUTES[dispute["status"]],
        amount=from_stripe(dispute["amount"], dispute["currency"]),
        fee=from_stripe(max(0, fee), currency),
        reason=dispute["reason"],
        opened_at=_moment(dispute["created"]),
        evidence_due_at=_moment(due) if due else None,
    )


def refund_of(refund: Document) -> RefundOutcome:
    """A refund. Raises one of UNREADABLE."""
    return RefundOutcome(
        state=_REFUNDS[refund["status"]],
        provider_reference=refund["id"],
        amount=from_stripe(refund["amount"], refund["currency"]),
        failure_code=refund.get("failure_reason") or "",
    )


def setup_of(session: Document) -> SetupOutcome:
    """A Checkout session in setup mode, its intent's method expanded. Raises one of UNREADABLE."""
    reference = session["id"]
    if session["status"] == "open":
        return SetupOutcome(
            state=SetupState.REQUIRES_ACTION, provider_reference=reference, redirect_url=session["url"]
        )
    if session["status"] == "expired":
        return SetupOutcome(state=SetupState.FAILED, provider_reference=reference, failure_code="expired")
    intent = session["setup_intent"]
    if intent["status"] != "succeeded":
        code = failure_of(intent.get("last_setup_error") or {})
        return SetupOutcome(state=SetupState.FAILED, provider_reference=reference, failure_code=code)
    return SetupOutcome(
        state=SetupState.SUCCEEDED,
        provider_reference=reference,
        method=method_of(intent["payment_method"], mandate=intent.get("mandate")),
    )


def method_of(method: Document, *, mandate: Any = None) -> MethodView:
    """A payment method, with its mandate if that is expanded. Raises one of UNREADABLE."""
    kind = method["type"]
    details = method[kind]
    agreed = mandate if isinstance(mandate, Mapping) else {}
    accepted_at = (agreed.get("customer_acceptance") or {}).get("accepted_at")
    return MethodView(
        method_token=method["id"],
        customer_token=method.get("customer") or "",
        kind=KINDS[kind],
        brand=_brand(details) or details.get("bank_name") or kind.replace("_", " "),
        last_digits=details.get("last4") or "",
        expiry_month=details.get("exp_month") or 0,
        expiry_year=details.get("exp_year") or 0,
        fingerprint=details.get("fingerprint") or "",
        mandate_reference=((agreed.get("payment_method_details") or {}).get(kind) or {}).get("reference")
        or agreed.get("id", ""),
        mandate_accepted_at=_moment(accepted_at) if accepted_at else None,
        is_revoked=agreed.get("status") == "inactive",
    )


def mandate_named(intents: Iterable[Document], method: Document) -> str:
    """Id of the mandate by which one of these payment intents, its charge expanded, debited a method; may be empty."""
    for intent in intents:
        charge = intent.get("latest_charge")
        if isinstance(charge, Mapping) and charge.get("payment_method") == method["id"]:
            details = (charge.get("payment_method_details") or {}).get(method["type"]) or {}
            if details.get("mandate"):
                return str(details["mandate"])
    return ""


def payout_line_of(line: Document, metadata_of: Mapping[str, Document]) -> PayoutLineView:
    """A balance transaction with its source expanded; a dispute has only its payment's metadata, by intent.

    Raises one of UNREADABLE.
    """
    source = line.get("source")
    source = source if isinstance(source, Mapping) else {}
    metadata = metadata_of.get(disputed_intent(line)) or source.get("metadata") or {}
    kind = _LINES.get(line["type"], "adjustment")
    if source.get("object") == "dispute":
        kind = "chargeback" if line["amount"] < 0 else "chargeback_reversal"
        kind = "return" if source["reason"] in _RETURNS else kind
    return PayoutLineView(
        kind=kind,
        provider_reference=str(source.get("id") or line["id"]),
        attempt_id=metadata.get("attempt_id", ""),
        organization_id=metadata.get("organization_id", ""),
        amount=from_stripe(line["amount"], line["currency"]),
        fee=from_stripe(line["fee"], line["currency"]),
    )


def disputed_intent(line: Document) -> str:
    """The payment intent of a balance transaction that a dispute made; empty if it was something else."""
    source = line.get("source")
    if not isinstance(source, Mapping) or source.get("object") != "dispute":
        return ""
    return str(source.get("payment_intent") or "")


def _saved(intent: Document) -> MethodView | None:
    """The method, if it was kept for later; it must be expanded."""
    method = intent.get("payment_method")
    kept = intent.get("setup_future_usage") == "off_session" and isinstance(method, Mapping)
    return method_of(method) if kept and method and method.get("customer") else None


def _next_page(intent: Document) -> str:
    action = intent.get("next_action") or {}
    page = action.get("redirect_to_url") or {}
    return str(page.get("url") or "")


def _debited_on(details: Document) -> date | None:
    """When the payer's bank is asked; the money is here some working days later."""
    day = (details.get(details.get("type", "")) or {}).get("expected_debit_date")
    return date.fromisoformat(day) if day else None


def _summary(details: Document) -> str:
    """How it was paid, for people: Visa 4242, Apple Pay Visa 4242, Test Bank 6789."""
    kind = details.get("type", "")
    inside = details.get(kind) or {}
    wallet = ((inside.get("wallet") or {}).get("type") or "").replace("_", " ").title()
    name = _brand(inside) or inside.get("bank_name") or {"paypal": "PayPal", "crypto": "Stablecoin"}.get(kind)
    words = (wallet, name or kind.replace("_", " ").title(), inside.get("last4") or "")
    return " ".join(word for word in words if word)


def _brand(details: Document) -> str:
    brand = details.get("brand") or ""
    return _BRANDS.get(brand, brand.title())


def _moment(unix_seconds: int) -> datetime:
    return datetime.fromtimestamp(unix_seconds, UTC)
