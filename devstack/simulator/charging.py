"""What the provider does with money: charges, what the bank says to them, and what comes back later."""

import json
from collections.abc import Callable
from dataclasses import replace

from devstack.simulator import accounts, cards, wallets
from devstack.simulator.balance import RETURN_FEE_MINOR_UNITS, Balance
from devstack.simulator.clock import DAY_SECONDS, Clock, after_business_days, day_text
from devstack.simulator.faults import Faults, Subject
from devstack.simulator.orders import ChargeOrder, PaidWith, Terms
from devstack.simulator.saving import Saving
from devstack.simulator.store import Row, Store, new_id
from devstack.simulator.timeline import Timeline
from devstack.simulator.webhooks import Webhooks
from devstack.webkit.asgi import HttpError

DISPUTED_AFTER_SECONDS = 2.0


class Charging:
    """Each operation is one transaction that ends before the caller is answered."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        timeline: Timeline,
        *,
        faults: Faults,
        webhooks: Webhooks,
        balance: Balance,
        saving: Saving,
    ) -> None:
        self._store = store
        self._clock = clock
        self._timeline = timeline
        self._faults = faults
        self._webhooks = webhooks
        self._balance = balance
        self._saving = saving
        self._checkout_follows: Callable[[Row], None] | None = None
        timeline.on("settle_charge", self.settle)
        timeline.on("return_charge", self.give_back)

    def followed_by(self, checkout_follows: Callable[[Row], None]) -> None:
        """Who hears of it when the charge of a checkout changes."""
        self._checkout_follows = checkout_follows

    def charge(self, charge_id: str) -> Row:
        """The charge; 404 when there is none."""
        row = self._store.by_id("charges", charge_id)
        if row is None:
            raise HttpError(404, "not_found", "There is no such charge.")
        return row

    def create_charge(self, order: ChargeOrder) -> str:
        """Charge a token or a saved method, inside the caller's transaction."""
        paid_with, asks = self._source(order)
        if asks and (order.off_session or not order.return_url):
            paid_with, asks = paid_with.declined("authentication_required"), False
        answered = self.with_fault(paid_with, order.terms.subject("create_charge"))
        paid_with, asks = answered, asks and answered is paid_with
        asks = asks and paid_with.decline_code != "card_declined_by_fault"
        if order.save_method and not paid_with.method_id:
            paid_with = replace(paid_with, saved=True)
            if not asks and paid_with.decline_code is None:
                paid_with = self._saving.save_for(paid_with, order.terms)
        terms = self.misheard(order.terms, order.terms.subject("create_charge"))
        charge = self.insert(terms, paid_with, checkout_id=None, asks=asks, order=order)
        self._tell(charge)
        return str(charge["id"])

    def _source(self, order: ChargeOrder) -> tuple[PaidWith, bool]:
        """What is charged, and whether the bank asks first."""
        if order.method_id:
            return self._method(order)
        card, wallet = cards.by_token(order.card_token), ""
        if card is None:
            used_by = order.terms.metadata.get("attempt_id", "?")
            found = wallets.resolve(self._store, order.card_token, used_by)
            if found is None:
                raise HttpError(
                    400, "unknown_card_token", "There is no card with this token.", field="card_token"
                )
            wallet, card = found
        paid_with = replace(PaidWith.card(card, wallet=wallet), customer_id=order.customer_id)
        return paid_with, card.challenge != "never"

    def _method(self, order: ChargeOrder) -> tuple[PaidWith, bool]:
        method = self._store.by_id("methods", order.method_id)
        if (
            method is None
            or method["status"] != "saved"
            or order.customer_id not in ("", method["customer_id"])
        ):
            raise HttpError(400, "unknown_method", "There is no such saved method.", field="method_id")
        belongs = {"customer_id": method["customer_id"], "method_id": method["id"]}
        if account := accounts.by_key(method["instrument"]):
            paid_with = replace(PaidWith.account(account), **belongs)
            if json.loads(method["mandate"]).get("revoked_at"):
                return paid_with.declined("mandate_revoked"), False
            if accounts.CURRENCIES.get(order.terms.currency) != account.scheme:
                return paid_with.declined("currency_not_supported"), False
            return paid_with, False
        card = cards.by_token(method["instrument"])
        assert card is not None, "a saved method is a card or an account"
        asks = card.challenge == "always" or (card.challenge == "unless_set_up" and not method["set_up"])
        return replace(PaidWith.card(card, method["exp"]), **belongs), asks

    def with_fault(self, paid_with: PaidWith, subject: Subject) -> PaidWith:
        """Declined, if a fault says so."""
        if self._faults.take("decline", subject):
            return paid_with.declined("card_declined")
        return paid_with

    def misheard(self, terms: Terms, subject: Subject) -> Terms:
        """What is charged when a fault makes the provider charge something else than asked."""
        if terms.amount_minor_units > 1 and self._faults.take("wrong_amount", subject):
            terms = replace(terms, amount_minor_units=terms.amount_minor_units - 1)
        if self._faults.take("wrong_currency", subject):
            terms = replace(terms, currency="EUR" if terms.currency != "EUR" else "USD")
        return terms

    def insert(
        self,
        terms: Terms,
        paid_with: PaidWith,
        *,
        checkout_id: str | None,
        asks: bool = False,
        order: ChargeOrder | None = None,
    ) -> Row:
        """Charge now, inside the caller's transaction; a debit begins its way through the banks."""
        charge_id, now = new_id("ch"), self._clock.now()
        account = accounts.by_key(paid_with.instrument)
        status = _status(paid_with, asks=asks)
        settles_at = (
            after_business_days(now, accounts.SETTLES_AFTER_BUSINESS_DAYS[account.scheme])
            if account is not None
            else now
        )
        self._store.insert(
            "charges",
            id=charge_id,
            checkout_id=checkout_id,
            status=status,
            kind=paid_with.kind,
            instrument=paid_with.instrument,
            wallet=paid_with.wallet,
            amount_minor_units=terms.amount_minor_units,
            currency=terms.currency,
            reference=terms.reference,
            metadata=json.dumps(terms.metadata),
            attempt_id=terms.metadata.get("attempt_id", ""),
            decline_code=None if asks else paid_with.decline_code,
            brand=paid_with.brand,
            last4=paid_with.last4,
            exp=paid_with.exp,
            label=paid_with.label,
            fee_minor_units=0 if status == "failed" else cards.fee_minor_units(terms.amount_minor_units),
            customer_id=paid_with.customer_id,
            method_id=paid_with.method_id,
            saved=paid_with.saved,
            merchant_name=order.merchant_name if order else "",
            return_url=order.return_url if order else "",
            expected_on=day_text(settles_at) if status == "processing" else None,
            settled_at=now if status == "succeeded" else None,
            created_at=now,
        )
        charge = self.charge(charge_id)
        if status == "processing":
            self._on_its_way(charge, account, settles_at)
        if status == "succeeded":
            self._settled(charge)
        return charge

    def _on_its_way(self, charge: Row, account: accounts.TestAccount | None, settles_at: float) -> None:
        if account is not None and account.early_return:
            due_at = after_business_days(charge["created_at"], accounts.EARLY_RETURN_AFTER_BUSINESS_DAYS)
            self._timeline.add("return_charge", charge["id"], due_at=due_at)
        else:
            self._timeline.add("settle_charge", charge["id"], due_at=settles_at)

    def _settled(self, charge: Row) -> None:
        """The money is the merchant's now; some cards and accounts have more to say later."""
        self._balance.add(
            "charge",
            charge,
            amount_minor_units=charge["amount_minor_units"],
            fee_minor_units=charge["fee_minor_units"],
        )
        now = self._clock.now()
        card, account = cards.by_token(charge["instrument"]), accounts.by_key(charge["instrument"])
        if card is not None and card.later.startswith("disputed"):
            self._timeline.add("open_dispute", charge["id"], due_at=now + DISPUTED_AFTER_SECONDS)
        if account is not None and account.late_return:
            due_at = now + account.late_return[1] * DAY_SECONDS
            self._timeline.add("return_charge", charge["id"], due_at=due_at)
        if account is not None and account.revoked_after_days and charge["method_id"]:
            due_at = now + account.revoked_after_days * DAY_SECONDS
            self._timeline.add("revoke_mandate", charge["method_id"], due_at=due_at)

    def settle(self, charge_id: str) -> Row:
        """A debit went through; nothing happens to one that is not on its way."""
        charge = self.charge(charge_id)
        if charge["status"] != "processing":
            return charge
        with self._store.transaction():
            self._timeline.drop("settle_charge", charge_id)
            self._timeline.drop("return_charge", charge_id)
            now = self._clock.now()
            charge = self._store.change("charges", charge_id, status="succeeded", settled_at=now)
            self._settled(charge)
            self._tell(charge)
        return charge

    def give_back(self, charge_id: str, code: str = "") -> Row:
        """The bank takes a debit back: it fails if it had not settled, else it is returned."""
        charge = self.charge(charge_id)
        if charge["kind"] != "bank_debit" or charge["status"] not in ("processing", "succeeded"):
            return charge
        if charge["returned_at"] is not None:
            return charge
        with self._store.transaction():
            for action in ("settle_charge", "return_charge"):
                self._timeline.drop(action, charge_id)
            if charge["status"] == "processing":
                return self._fails(charge, code)
            account = accounts.by_key(charge["instrument"])
            late = account.late_return[0] if account is not None and account.late_return else "R01"
            charge = self._store.change(
                "charges", charge_id, return_code=code or late, returned_at=self._clock.now()
            )
            self._balance.add(
                "return",
                charge,
                amount_minor_units=-charge["amount_minor_units"],
                fee_minor_units=RETURN_FEE_MINOR_UNITS,
            )
            self._webhooks.emit("charge.returned", charge, version=charge["version"])
            return charge

    def _fails(self, charge: Row, code: str) -> Row:
        account = accounts.by_key(charge["instrument"])
        early = account.early_return if account is not None else None
        early_code, decline_code = early or ("R01", "insufficient_funds")
        charge = self._store.change(
            "charges",
            charge["id"],
            status="failed",
            decline_code=decline_code,
            return_code=code or early_code,
            returned_at=self._clock.now(),
            expected_on=None,
            fee_minor_units=0,
        )
        self._tell(charge)
        return charge

    def answer_challenge(self, charge_id: str, *, approved: bool) -> Row:
        """Go on after the bank asked the card holder; nothing happens when no question is open."""
        charge = self.charge(charge_id)
        if charge["status"] != "requires_action":
            return charge
        card = cards.by_token(charge["instrument"])
        assert card is not None, "only cards ask"
        code = card.decline_code if approved else "authentication_failed"
        with self._store.transaction():
            if code is not None:
                changes = {"status": "failed", "decline_code": code, "fee_minor_units": 0}
                charge = self._store.change("charges", charge_id, **changes)
            else:
                method_id = self._saved_after_asking(charge, card)
                charge = self._store.change(
                    "charges",
                    charge_id,
                    status="succeeded",
                    settled_at=self._clock.now(),
                    method_id=method_id,
                )
                self._settled(charge)
            self._tell(charge)
        return charge

    def _saved_after_asking(self, charge: Row, card: cards.TestCard) -> str:
        if not charge["saved"]:
            return str(charge["method_id"])
        paid_with = replace(PaidWith.card(card, charge["exp"]), customer_id=charge["customer_id"])
        saved = self._saving.save_for(paid_with, terms_of(charge))
        self._store.change("charges", charge["id"], customer_id=saved.customer_id)
        return saved.method_id

    def cancel(self, charge_id: str) -> Row:
        """End a charge that still waits for the card holder; any other is returned as it is."""
        charge = self.charge(charge_id)
        if charge["status"] != "requires_action":
            return charge
        with self._store.transaction():
            charge = self._store.change("charges", charge_id, status="canceled", fee_minor_units=0)
            self._tell(charge)
        return charge

    def _tell(self, charge: Row) -> None:
        """Events are about the checkout where there is one."""
        if charge["checkout_id"] is not None:
            if self._checkout_follows is not None:
                self._checkout_follows(charge)
        elif charge["status"] != "requires_action":
            self._webhooks.emit(f"charge.{charge['status']}", charge, version=charge["version"])


def _status(paid_with: PaidWith, *, asks: bool) -> str:
    if asks:
        return "requires_action"
    if paid_with.decline_code is not None:
        return "failed"
    return "processing" if paid_with.kind == "bank_debit" else "succeeded"


def terms_of(row: Row) -> Terms:
    """The terms of a stored checkout or charge."""
    return Terms(row["amount_minor_units"], row["currency"], row["reference"], json.loads(row["metadata"]))
