"""Ways to pay on a pay form: saved methods first, then what the organization offers, each with its own figure."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chassis.errors import Kind, ServiceError
from chassis.money import Money
from services.gateway.web.languages import gettext
from services.gateway.web.languages import marked as _
from services.gateway.web.page import Page
from services.gateway.web.rendering import money_of
from services.gateway.web.session import Area
from tallyport.payments.v1.payment_methods_pb2 import (
    ListPaymentMethodsRequest,
    ListPaymentMethodsResponse,
    PaymentMethod,
    PaymentMethodState,
)
from tallyport.payments.v1.payments_pb2 import OfferedMethod, PaymentMethodType

_T = PaymentMethodType
CARD, BANK_DEBIT = _T.PAYMENT_METHOD_TYPE_CARD, _T.PAYMENT_METHOD_TYPE_BANK_DEBIT
SAVABLE = (CARD, BANK_DEBIT, _T.PAYMENT_METHOD_TYPE_WALLET, _T.PAYMENT_METHOD_TYPE_REDIRECT)
"""What payers may ask to keep; whether it is kept, the provider says."""
TRANSFER, CREDIT = _T.PAYMENT_METHOD_TYPE_BANK_TRANSFER, _T.PAYMENT_METHOD_TYPE_CREDIT
SAVED = "saved:"
"""How the value of a saved method begins on the form; its id follows."""
_USABLE = (
    PaymentMethodState.PAYMENT_METHOD_STATE_ACTIVE,
    PaymentMethodState.PAYMENT_METHOD_STATE_COOLING_OFF,
)
_DEBIT_CURRENCIES = frozenset({"USD", "EUR"})
"""ACH and SEPA know no others."""
_KINDS = {
    _T.PAYMENT_METHOD_TYPE_CARD: ("card", "card", _("Card")),
    _T.PAYMENT_METHOD_TYPE_WALLET: ("wallet", "device", _("Apple Pay or Google Pay")),
    _T.PAYMENT_METHOD_TYPE_BANK_DEBIT: ("bank_debit", "bank", _("Bank account")),
    _T.PAYMENT_METHOD_TYPE_REDIRECT: ("redirect", "wallet", _("PayPal or the like")),
    _T.PAYMENT_METHOD_TYPE_STABLECOIN: ("stablecoin", "coin", _("Stablecoin")),
    _T.PAYMENT_METHOD_TYPE_CREDIT: ("credit", "check-circle", _("Your credit")),
}
_NOTES = {
    _T.PAYMENT_METHOD_TYPE_CARD: _("On the provider's protected page"),
    _T.PAYMENT_METHOD_TYPE_WALLET: _("With the wallet of your phone or browser"),
    _T.PAYMENT_METHOD_TYPE_BANK_DEBIT: _("Debited from your account; takes a few days"),
    _T.PAYMENT_METHOD_TYPE_REDIRECT: _("You approve it there and come back"),
    _T.PAYMENT_METHOD_TYPE_STABLECOIN: _("At a rate that holds for a quarter of an hour"),
    _T.PAYMENT_METHOD_TYPE_CREDIT: _("Covers everything; nothing is charged"),
}
_REFUSED = {
    "below_minimum": _("Not for an amount as small as this"),
    "above_maximum": _("Not for an amount as large as this"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One radio button. `hosted` is paid on the provider's page; `key` names its shown amount on the form."""

    value: str
    key: str
    kind: "PaymentMethodType.ValueType"
    icon: str
    title: str
    note: str
    surcharge: Money
    amount: Money
    refused: str = ""

    @property
    def hosted(self) -> bool:
        return not self.is_saved and self.kind != CREDIT

    @property
    def is_saved(self) -> bool:
        return self.value.startswith(SAVED)

    @property
    def can_be_kept(self) -> bool:
        """Whether "keep it for next time" makes sense."""
        return self.hosted and self.kind in SAVABLE

    @property
    def button(self) -> str:
        """What pressing the button does."""
        if self.hosted:
            if self.kind == CARD:
                return gettext("Continue to the card page")
            return gettext("Continue to %(method)s") % {"method": self.title}
        if self.kind == CREDIT:
            return gettext("Pay with your credit")
        return ""


def kind_name(kind: "PaymentMethodType.ValueType") -> str:
    """The way in words; empty for ways that payers do not choose."""
    return gettext(_KINDS[kind][2]) if kind in _KINDS else ""


def key_of(kind: "PaymentMethodType.ValueType") -> str:
    """A short name of a way for forms."""
    return _KINDS[kind][0] if kind in _KINDS else ""


def kind_of(value: str) -> "PaymentMethodType.ValueType":
    """The way that a radio button's value stands for; unspecified for saved methods and nonsense."""
    return next(
        (kind for kind, (key, _icon, _word) in _KINDS.items() if key == value),
        _T.PAYMENT_METHOD_TYPE_UNSPECIFIED,
    )


async def saved_methods(page: Page) -> ListPaymentMethodsResponse:
    """The visitor's saved methods; none for pay links, and none while the list cannot be had."""
    if page.area is not Area.CUSTOMER:
        return ListPaymentMethodsResponse()
    try:
        return await asyncio.shield(
            page.call(page.to.payment_methods.ListPaymentMethods, ListPaymentMethodsRequest())
        )
    except ServiceError as error:
        if error.kind in (Kind.UNAUTHENTICATED, Kind.INTERNAL):
            raise
        return ListPaymentMethodsResponse()


def is_usable(method: PaymentMethod) -> bool:
    """Whether the payer can pay with it now."""
    return method.state in _USABLE


def icon_of(method: PaymentMethod) -> str:
    """The icon of a saved method."""
    return "bank" if method.type == BANK_DEBIT else "card"


def ways_to_pay(offers: Iterable[OfferedMethod], saved: ListPaymentMethodsResponse) -> list[Way]:
    """Saved methods, the suggested first, then everything that is offered but transfers, which have their own page."""
    offered = {offer.method: offer for offer in offers}
    methods = sorted(
        (one for one in saved.payment_methods if is_usable(one)),
        key=lambda one: one.payment_method_id != saved.suggested_payment_method_id,
    )
    kept = [_saved_way(method, offered[method.type]) for method in methods if method.type in offered]
    return kept + [_way(offer) for kind, offer in offered.items() if kind in _KINDS and _makes_sense(offer)]


def chosen_of(ways: Sequence[Way], value: str) -> Way | None:
    """The way that was chosen, or the first that can be used."""
    usable = [way for way in ways if not way.refused]
    return next((way for way in usable if way.value == value), usable[0] if usable else None)


def _makes_sense(offer: OfferedMethod) -> bool:
    return offer.method != BANK_DEBIT or offer.amount.currency in _DEBIT_CURRENCIES


def _saved_way(method: PaymentMethod, offer: OfferedMethod) -> Way:
    note = ""
    if method.expires_soon:
        note = gettext("Expires %(month)s/%(year)s") % {
            "month": f"{method.expiry_month:02}",
            "year": method.expiry_year,
        }
    elif method.type == BANK_DEBIT:
        note = gettext(_NOTES[BANK_DEBIT])
    return Way(
        value=f"{SAVED}{method.payment_method_id}",
        key=key_of(method.type),
        kind=method.type,
        icon=icon_of(method),
        title=method.summary,
        note=note,
        surcharge=money_of(offer.surcharge),
        amount=money_of(offer.amount),
        refused=_why(offer),
    )


def _way(offer: OfferedMethod) -> Way:
    key, icon, title = _KINDS[offer.method]
    note = _NOTES.get(offer.method)
    return Way(
        value=key,
        key=key,
        kind=offer.method,
        icon=icon,
        title=gettext(title),
        note=gettext(note) if note else "",
        surcharge=money_of(offer.surcharge),
        amount=money_of(offer.amount),
        refused=_why(offer),
    )


def _why(offer: OfferedMethod) -> str:
    if not offer.refused:
        return ""
    return gettext(_REFUSED.get(offer.refused, _("Not for this payment")))
