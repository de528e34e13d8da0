"""Mails about automatic payments, saved cards, approvals, and money that went back."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from babel.dates import format_skeleton

from services.notifications.domain.brand import Brand
from services.notifications.domain.facts import (
    ApprovalFacts,
    Contact,
    ExpiringFacts,
    FailedFacts,
    Mail,
    PlannedFacts,
    ReversalFacts,
)
from services.notifications.domain.message import Message
from services.notifications.formats.mails import Language, Row, put_together

_REASONS: Final[Mapping[str, str]] = {
    "insufficient_funds": "reason_funds",
    "expired_card": "reason_expired",
    "account_closed": "reason_revoked",
    "mandate_revoked": "reason_revoked",
    "debit_not_authorized": "reason_revoked",
    "authentication_required": "reason_confirm",
    "payment_method_not_usable": "reason_method",
    "payment_method_not_found": "reason_method",
    "payment_method_gone": "reason_method",
}
_REVERSALS: Final = frozenset({"refund", "return", "chargeback"})


def planned_mail(
    message: Message, brand: Brand, facts: PlannedFacts, contact: Contact, *, portal: "Portal"
) -> Mail:
    """Announces an automatic payment, or asks whether it may be made."""
    language = portal.language
    amount, day = language.amount(facts.amount), language.day(facts.pay_on)
    words = {"amount": amount, "day": day, "organization": brand.display_name, "method": facts.method}
    name = "asked" if facts.needs_confirmation else "planned"
    rows = [
        Row(language.text("receipt_invoice", number=number), language.amount(part))
        for number, part in facts.parts
    ]
    rows.append(Row(language.text("approval_amount"), amount, strong=True))
    content = {
        "preview": language.text(f"{name}_preview"),
        "eyebrow": language.text(f"{name}_eyebrow"),
        "headline": amount,
        "subline": language.text(f"{name}_on", **words),
        "lead": language.text(f"{name}_lead", **words),
        "rows": rows,
        **portal.button(f"{name}_button"),
    }
    return portal.mail(message, brand, contact, language.text(f"{name}_subject", **words), content)


def failed_mail(
    message: Message, brand: Brand, facts: FailedFacts, contact: Contact, *, portal: "Portal"
) -> Mail:
    """Tells that an automatic payment failed, why, and when it is tried again."""
    language = portal.language
    amount = language.amount(facts.amount)
    words = {"amount": amount, "organization": brand.display_name, "method": facts.method}
    again = language.day(facts.next_try_on) if facts.next_try_on is not None else ""
    reason = language.text(_REASONS.get(facts.failure_code, "reason_declined"))
    lead = (
        language.text("failed_again", day=again, **words) if again else language.text("failed_final", **words)
    )
    content = {
        "preview": f"{language.text('failed_subline')} {reason}",
        "eyebrow": language.text("failed_eyebrow"),
        "headline": amount,
        "subline": language.text("failed_subline"),
        "lead": lead,
        "rows": [
            Row(language.text("failed_reason"), "", reason),
            Row(language.text("failed_next"), again or language.text("failed_never")),
        ],
        **portal.button("planned_button" if again else "failed_button"),
    }
    return portal.mail(message, brand, contact, language.text("failed_subject", **words), content)


def expiring_mail(
    message: Message, brand: Brand, facts: ExpiringFacts, contact: Contact, *, portal: "Portal"
) -> Mail:
    """Tells that a saved card expires soon."""
    language = portal.language
    month = _month(facts.month, language)
    words = {"month": month, "method": facts.method, "organization": brand.display_name}
    lead = "expiring_lead_autopay" if facts.used_by_autopay else "expiring_lead"
    content = {
        "preview": language.text("expiring_subject", **words),
        "eyebrow": language.text("expiring_eyebrow"),
        "headline": language.isolated(facts.method),
        "subline": language.text("expiring_subline", **words),
        "lead": language.text(lead, **words),
        "rows": [
            Row(language.text("expiring_card"), language.isolated(facts.method)),
            Row(language.text("expiring_until"), month),
        ],
        **portal.button("expiring_button"),
    }
    return portal.mail(message, brand, contact, language.text("expiring_subject", **words), content)


def approval_mail(
    message: Message, brand: Brand, facts: ApprovalFacts, contact: Contact, *, portal: "Portal"
) -> Mail:
    """Asks a company to approve what one of its people started."""
    language = portal.language
    amount = language.amount(facts.amount)
    words = {"amount": amount, "name": facts.requested_by, "organization": brand.display_name}
    content = {
        "preview": language.text("approval_preview"),
        "eyebrow": language.text("approval_eyebrow"),
        "headline": amount,
        "subline": language.text("approval_subline", **words),
        "lead": language.text("approval_lead", **words),
        "rows": [
            Row(language.text("approval_by"), language.isolated(facts.requested_by)),
            Row(language.text("approval_amount"), amount, strong=True),
        ],
        **portal.button("approval_button"),
    }
    return portal.mail(message, brand, contact, language.text("approval_subject", **words), content)


def reversal_mail(
    message: Message, brand: Brand, facts: ReversalFacts, contact: Contact, *, portal: "Portal"
) -> Mail:
    """Tells that money of a payment went back, and what is to pay now."""
    language = portal.language
    amount = language.amount(facts.amount)
    words = {"amount": amount, "number": facts.receipt_number, "organization": brand.display_name}
    name = facts.kind if facts.kind in _REVERSALS else "return"
    subline = language.text("refund_credit" if facts.to_credit else f"{name}_subline")
    content = {
        "preview": language.text(f"{name}_lead", **words),
        "eyebrow": language.text(f"{name}_eyebrow"),
        "headline": amount,
        "subline": subline,
        "lead": language.text(f"{name}_lead", **words),
        "rows": _reversal_rows(facts, language, amount, title=language.text(f"{name}_eyebrow")),
        **portal.button("reversal_button"),
        "table_title": language.text("reversal_taken_from") if facts.parts else "",
    }
    return portal.mail(message, brand, contact, language.text(f"{name}_subject", **words), content)


def _reversal_rows(facts: ReversalFacts, language: Language, amount: str, *, title: str) -> list[Row]:
    rows = [
        Row(
            language.text("receipt_invoice", number=part.number),
            language.amount(part.amount),
            language.text("reversal_settled")
            if facts.forgiven or part.amount_due.is_zero
            else language.text("reversal_due", amount=language.amount(part.amount_due)),
        )
        for part in facts.parts
    ]
    if not facts.from_credit.is_zero:
        rows.append(Row(language.text("reversal_from_credit"), language.amount(facts.from_credit)))
    if not facts.fee.is_zero:
        rows.append(Row(language.text("reversal_fee"), language.amount(facts.fee)))
    rows.append(Row(title, amount, strong=True))
    return rows


class Portal:
    """What all of these mails share: the reader's language, and a way to the portal where they sign in."""

    def __init__(self, *, locale: str, public_url: str) -> None:
        self.language = Language(locale)
        self._url = public_url

    def button(self, label: str) -> dict[str, Any]:
        """A button to the portal and what stands around it."""
        return {
            "table_title": "",
            "button": self.language.text(label),
            "link": f"{self._url}/",
            "link_hint": self.language.text("portal_hint"),
            "link_fallback": self.language.text("link_fallback"),
        }

    def mail(
        self, message: Message, brand: Brand, contact: Contact, subject: str, content: Mapping[str, Any]
    ) -> Mail:
        """The mail, with nothing attached."""
        return put_together(message, brand, self.language, contact.name, subject, content, None)


def _month(month: date, language: Language) -> str:
    return str(format_skeleton("yMMMM", month, locale=language.locale))
