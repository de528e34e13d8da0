"""What the simulator's documents say, in our words."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chassis.money import Money
from services.payments.domain.outcome import DisputeState, DisputeView, MethodView, Outcome, Status
from services.payments.providers import (
    PayoutLineView,
    PayoutView,
    RefundOutcome,
    RefundState,
    SetupOutcome,
    SetupState,
)

Document = Mapping[str, Any]
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
"""What reading raises when a document is not what it should be."""

_CHECKOUT_STATUS: Mapping[str, Status] = {
    "open": Status.REQUIRES_ACTION,
    "processing": Status.PROCESSING,
    "completed": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "canceled": Status.CANCELED,
}
_CHARGE_STATUS: Mapping[str, Status] = {
    "requires_action": Status.REQUIRES_ACTION,
    "processing": Status.PROCESSING,
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "canceled": Status.CANCELED,
}
_NOT_PAID = (Status.FAILED, Status.CANCELED)
_WALLETS = {"apple_pay": "Apple Pay", "google_pay": "Google Pay"}


def outcome_of(document: Document, attempt_id: str) -> Outcome | None:
    """A checkout or charge; None if it cannot be one, or is not this attempt's."""
    try:
        is_checkout = document["object"] == "checkout"
        status = (_CHECKOUT_STATUS if is_checkout else _CHARGE_STATUS)[document["status"]]
        if document["metadata"].get("attempt_id") != attempt_id:
            return None
        charge = (document.get("charge") if is_checkout else document) or {}
        return Outcome(
            status=status,
            amount=_amount_of(charge or document),
            provider_reference=str(document["id"]),
            redirect_url=document["url"] if status is Status.REQUIRES_ACTION else "",
            failure_code=(document.get("decline_code") or "card_declined") if status is Status.FAILED else "",
            method_summary=_summary(charge),
            return_code=(charge.get("return_code") or "") if status is Status.SUCCEEDED else "",
            returned_at=_moment(charge.get("returned_at")) if status is Status.SUCCEEDED else None,
            expected_on=_day(charge.get("expected_on")) if status is Status.PROCESSING else None,
            saved_method=method_of(charge["method"]) if charge.get("saved") else None,
            disputes=tuple(dispute_of(dispute) for dispute in charge.get("disputes", ())),
            declines=int(document["tries"]) if is_checkout and status in _NOT_PAID else 0,
        )
    except UNREADABLE:
        return None


def method_of(document: Document) -> MethodView:
    """A saved method. Raises one of UNREADABLE."""
    mandate = document["mandate"] or {}
    return MethodView(
        method_token=str(document["id"]),
        customer_token=str(document["customer_id"]),
        kind=str(document["kind"]),
        brand=_brand(document["brand"]) if document["kind"] in ("card", "wallet") else str(document["brand"]),
        last_digits=str(document["last4"]),
        expiry_month=int(document["exp_month"]),
        expiry_year=int(document["exp_year"]),
        fingerprint=str(document["fingerprint"]),
        mandate_reference=str(mandate.get("reference", "")),
        mandate_text=str(mandate.get("text", "")),
        mandate_accepted_at=_moment(mandate.get("accepted_at")),
        is_revoked=bool(mandate.get("revoked_at")),
    )


def dispute_of(document: Document) -> DisputeView:
    """A chargeback. Raises one of UNREADABLE."""
    opened_at = _moment(document["opened_at"])
    if opened_at is None:
        raise ValueError("a dispute was opened some time")
    return DisputeView(
        provider_reference=str(document["id"]),
        state=DisputeState(document["status"]),
        amount=_amount_of(document),
        fee=Money(document["fee_minor_units"], document["currency"]),
        reason=str(document["reason"]),
        opened_at=opened_at,
        evidence_due_at=_moment(document["evidence_due_at"]),
    )


def refund_of(document: Document, refund_id: str) -> RefundOutcome | None:
    """A refund; None if it cannot be one, or is another's."""
    try:
        if document["object"] != "refund" or document["metadata"].get("refund_id") != refund_id:
            return None
        return RefundOutcome(
            state=RefundState(document["status"]),
            provider_reference=str(document["id"]),
            amount=_amount_of(document),
            failure_code=document["failure_code"] or "",
        )
    except UNREADABLE:
        return None


def setup_of(document: Document, setup_id: str) -> SetupOutcome | None:
    """A setup; None if it cannot be one, or is another's."""
    try:
        if document["object"] != "setup" or document["metadata"].get("setup_id") != setup_id:
            return None
        state = SetupState(document["status"])
        return SetupOutcome(
            state=state,
            provider_reference=str(document["id"]),
            redirect_url=document["url"] if state is SetupState.REQUIRES_ACTION else "",
            failure_code=document["failure_code"] or "",
            method=method_of(document["method"]) if document["method"] else None,
        )
    except UNREADABLE:
        return None


def payout_of(document: Document) -> PayoutView:
    """A payout with its lines. Raises one of UNREADABLE."""
    currency = document["currency"]
    return PayoutView(
        provider_reference=str(document["id"]),
        arrives_on=date.fromisoformat(document["arrives_on"]),
        net=Money(document["net_minor_units"], currency),
        lines=tuple(
            PayoutLineView(
                kind=str(line["kind"]),
                provider_reference=str(line["reference"]),
                attempt_id=str(line["attempt_id"]),
                organization_id=str(line["organization_id"]),
                amount=Money(line["amount_minor_units"], currency),
                fee=Money(line["fee_minor_units"], currency),
            )
            for line in document["lines"]
        ),
    )


def _amount_of(document: Document) -> Money:
    return Money(document["amount_minor_units"], document["currency"])


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _summary(charge: Document) -> str:
    """How it was paid, for people: Visa 4242, Apple Pay Visa 4242, Test Bank 6789."""
    card = charge.get("card")
    if not card:
        return str(charge.get("label") or "")
    words = (_WALLETS.get(charge.get("wallet") or "", ""), _brand(card["brand"]), card["last4"])
    return " ".join(word for word in words if word)


def _brand(word: str) -> str:
    """A card's brand as people know it."""
    return {"amex": "American Express"}.get(word, word.title())
