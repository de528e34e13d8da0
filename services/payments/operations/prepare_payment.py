"""Makes a payment out of a wish: who pays for whom, what it comes to, with what, and by whose leave."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.caller import Audience, Call
from chassis.database import WriteTx
from chassis.errors import Kind, ServiceError, invalid, not_found
from chassis.ids import new_id
from chassis.money import Money
from services.payments.desk import Desk
from services.payments.domain.attempt import CREDIT_PROVIDER, Attempt
from services.payments.domain.outcome import Status
from services.payments.domain.payment import Method, Payment
from services.payments.domain.policy import Terms
from services.payments.domain.saved_method import MethodForCharge
from services.payments.domain.wish import Sums, Wish, sums_of
from services.payments.operations.begin_autopay_run import begin_run
from services.payments.operations.check_payer_rules import apply_payer_rules
from services.payments.operations.guard_payments import guard_payment
from services.payments.store import cases, payment_methods, policies

PAYMENT_ID_PLACES = ("{payment_id}", "%7Bpayment_id%7D", "%7bpayment_id%7d")
FURTHEST_DAYS = 366
"""How far ahead a payment may be scheduled."""


class PreviewChangedError(Exception):
    """The payment would charge something else than what was shown."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(payment.payment_id)
        self.payment = payment


class DuesNeededError(Exception):
    """The policy limits part payments, so it must be known first what is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A wish that is well formed and allowed to this caller; nothing has been read or written yet."""

    wish: Wish
    call: Call
    customer_id: str
    payment_id: str
    sums: Sums
    now: datetime

    @property
    def is_automatic(self) -> bool:
        """Nobody is there to answer questions."""
        return self.call.caller.audience is Audience.SERVICE


@dataclass(frozen=True, slots=True)
class Means:
    """What is charged: the saved method if there is one, at which provider."""

    method: Method
    provider: str
    saved: MethodForCharge | None = None
    customer_token: str = ""


def draft_payment(desk: Desk, wish: Wish, call: Call, *, now: datetime) -> Draft:
    """Whoever may not pay these invoices, or not so, is refused here or later by invoicing.

    `now` is the organization's time.
    """
    customer_id = _customer_of(wish, call)
    if call.caller.audience is Audience.PAY_LINK:
        _check_pay_link(wish, call)
    if wish.return_url or wish.is_hosted:
        _check_return_url(desk, wish)
    if wish.scheduled_for is not None and not wish.payment_method_id:
        raise invalid(
            "scheduled_for", "saved_method_needed", "Only a saved method can be charged on a later day."
        )
    return Draft(
        wish=wish,
        call=call,
        customer_id=customer_id,
        payment_id=new_id("pay"),
        sums=sums_of(wish),
        now=now,
    )


async def make_payment(
    tx: WriteTx, desk: Desk, draft: Draft, dues: Mapping[str, Money] | None
) -> tuple[Payment, Attempt | None]:
    """The payment as it is to be written, with its attempt unless it has to wait.

    Raises ServiceError by policy, guards and payers' rules; PreviewChangedError; DuesNeededError.
    """
    wish = draft.wish
    terms = await policies.terms(tx, draft.customer_id)
    if terms.policy.limits_parts and wish.parts and dues is None:
        raise DuesNeededError
    means = await _means(tx, desk, draft, terms)
    surcharge = _surcharge(draft, terms, means.method, dues)
    payment = await _scheduled(tx, draft, _payment(draft, means, surcharge))
    if wish.expected_amount is not None and wish.expected_amount != payment.amount:
        raise PreviewChangedError(payment)
    await guard_payment(tx, payment)
    await begin_run(tx, payment)
    payment = await apply_payer_rules(tx, payment)
    if not payment.status.is_waiting:
        off_session = draft.is_automatic
        return payment, new_attempt(desk, payment, means, wish=wish, off_session=off_session, now=draft.now)
    if wish.card_token is not None:
        raise method_not_allowed(
            "A payment that has to wait for approval is made on the provider's page or with a saved method."
        )
    return payment, None


def is_ordinary(draft: Draft) -> bool:
    """Whether only the policy, guards and a company's rules have to be looked at to make this payment."""
    wish = draft.wish
    return (
        draft.call.caller.audience is Audience.CUSTOMER  # who holds a link only is guarded try by try
        and draft.call.idempotency_key is not None
        and not (wish.payment_method_id or wish.save or wish.source)
        and wish.scheduled_for is None
        and wish.method is not Method.CREDIT
    )


def make_ordinary_payment(
    desk: Desk, draft: Draft, terms: Terms, *, customer_name: str
) -> tuple[Payment, Attempt]:
    """An ordinary draft's payment, where no guard, rule or limit of parts speaks. Raises as `make_payment`."""
    means = Means(draft.wish.method, provider_name(desk, terms))
    payment = replace(
        _payment(draft, means, _surcharge(draft, terms, means.method, None)), customer_name=customer_name
    )
    if draft.wish.expected_amount is not None and draft.wish.expected_amount != payment.amount:
        raise PreviewChangedError(payment)
    return payment, new_attempt(desk, payment, means, wish=draft.wish, off_session=False, now=draft.now)


def new_attempt(
    desk: Desk,
    payment: Payment,
    means: Means,
    *,
    wish: Wish | None = None,
    off_session: bool,
    now: datetime,
) -> Attempt:
    """The first and only try of a payment at its provider. Without a wish its tokens are gone by now."""
    saved = means.saved
    card_token = wish.card_token if wish is not None else None
    return Attempt(
        attempt_id=new_id("att"),
        payment_id=payment.payment_id,
        provider=means.provider,
        state=Status.SUBMITTING,
        amount=payment.amount,
        is_hosted=card_token is None and saved is None and means.method is not Method.CREDIT,
        card_token=card_token,
        created_at=now,
        next_check_at=now + timedelta(seconds=desk.settings.check_delays_seconds[0]),
        kind=means.method.value,
        wallet=wish.wallet if wish is not None else "",
        method_token=saved.method_token if saved is not None else "",
        customer_token=saved.customer_token if saved is not None else means.customer_token,
        save_method=payment.save_method,
        off_session=off_session,
    )


def provider_name(desk: Desk, terms: Terms) -> str:
    """Who takes a new payment. PROVIDER_UNAVAILABLE if the policy names one that is not set up here."""
    name = terms.policy.provider or desk.provider.name
    if name not in desk.providers:
        raise ServiceError(
            Kind.UNAVAILABLE,
            "PROVIDER_UNAVAILABLE",
            "The card provider cannot be reached just now. Please try again.",
        )
    return name


def method_not_allowed(message: str) -> ServiceError:
    """PAYMENT_METHOD_NOT_ALLOWED for what the policy itself does not refuse."""
    return ServiceError(Kind.FAILED_PRECONDITION, "PAYMENT_METHOD_NOT_ALLOWED", message)


def initiator(call: Call) -> str:
    """Who started a payment, for people."""
    audience = call.caller.audience
    if audience is Audience.PAY_LINK:
        return "pay link"
    if audience is Audience.SERVICE:
        return "autopay"
    return call.caller.subject_name or call.actor


def _customer_of(wish: Wish, call: Call) -> str:
    caller = call.caller
    if caller.audience is Audience.SERVICE:
        return wish.customer_id
    if caller.audience is not Audience.STAFF:
        if caller.customer_id is None or wish.customer_id not in ("", caller.customer_id):
            raise not_found("customer")
        if wish.on_behalf_of:
            raise invalid("on_behalf_of", "staff_only", "Only staff pay on behalf of somebody.")
        return caller.customer_id
    if not wish.customer_id:
        raise invalid("customer_id", "required", "Say for which customer you pay.")
    if not wish.on_behalf_of:
        raise invalid("on_behalf_of", "required", "Say who asked you to pay.")
    return wish.customer_id


def _check_pay_link(wish: Wish, call: Call) -> None:
    """A pay link opens one invoice, and neither credit nor saved methods."""
    if any(part.invoice_id != call.caller.invoice_id for part in wish.parts):
        raise not_found("invoice")
    if not wish.parts:
        raise invalid("parts", "empty", "Name what is to be paid.")
    if wish.payment_method_id:
        raise not_found("payment_method")
    if wish.save:
        raise invalid("hosted_page.save", "sign_in_needed", "Please sign in to keep a payment method.")
    if wish.method is Method.CREDIT or (wish.credit is not None and not wish.credit.is_zero):
        raise invalid("credit", "sign_in_needed", "Please sign in to use credit.")


def _check_return_url(desk: Desk, wish: Wish) -> None:
    if not desk.settings.allows_return_to(wish.return_url):
        field = "hosted_page.return_url" if wish.is_hosted else "saved_method.return_url"
        raise invalid(field, "not_ours", "This is not an address of the portal.")


async def _means(tx: WriteTx, desk: Desk, draft: Draft, terms: Terms) -> Means:
    wish = draft.wish
    if wish.payment_method_id:
        saved = await payment_methods.usable(
            tx, wish.payment_method_id, customer_id=draft.customer_id, automatic=draft.is_automatic
        )
        return Means(Method(saved.kind), saved.provider, saved)
    if wish.method is Method.CREDIT:
        return Means(Method.CREDIT, CREDIT_PROVIDER)
    name = provider_name(desk, terms)
    token = ""
    if wish.save:
        token = await payment_methods.customer_token(tx, draft.customer_id, provider=name)
    return Means(wish.method, name, None, token)


def _surcharge(draft: Draft, terms: Terms, method: Method, dues: Mapping[str, Money] | None) -> Money:
    """By policy, which may refuse the method, the amount or the parts."""
    sums = draft.sums
    rule = terms.rule(method)
    if not sums.credit.is_zero:
        terms.rule(Method.CREDIT)
    terms.check_prepayment(sums.prepayment)
    for part in draft.wish.parts:
        terms.check_part(part.amount, (dues or {}).get(part.invoice_id, part.amount))
    if method is not Method.CREDIT:
        terms.check_amount(rule, sums.net)
    return rule.charge.on(sums.net)


async def _scheduled(tx: WriteTx, draft: Draft, payment: Payment) -> Payment:
    """The payment as it is, or waiting for its day."""
    if payment.scheduled_for is None:
        return payment
    organization = await cases.organization(tx)
    today = organization.day_of(draft.now)
    if not today <= payment.scheduled_for <= today + timedelta(days=FURTHEST_DAYS):
        raise invalid("scheduled_for", "out_of_range", "Choose a day from today on, within a year.")
    if payment.scheduled_for == today:
        return payment
    starts_at = organization.moment_of(payment.scheduled_for)
    return replace(payment, status=Status.SCHEDULED, starts_at=starts_at)


def _payment(draft: Draft, means: Means, surcharge: Money) -> Payment:
    wish, sums = draft.wish, draft.sums
    return_url = wish.return_url
    for place in PAYMENT_ID_PLACES:
        return_url = return_url.replace(place, draft.payment_id)
    return Payment(
        payment_id=draft.payment_id,
        customer_id=draft.customer_id,
        status=Status.SUBMITTING,
        amount=sums.net + surcharge,
        parts=wish.parts,
        method=means.method,
        method_summary=means.saved.summary if means.saved is not None else "",
        initiated_by=initiator(draft.call),
        created_at=draft.now,
        return_url=return_url,
        credit_used_minor_units=sums.credit.minor_units,
        surcharge_minor_units=surcharge.minor_units,
        prepayment_minor_units=sums.prepayment.minor_units,
        scheduled_for=wish.scheduled_for,
        payment_method_id=wish.payment_method_id,
        save_method=wish.save,
        on_behalf_of=wish.on_behalf_of,
        source=wish.source,
    )
