"""The provider's objects as its API shows them."""

import json
from datetime import UTC, datetime
from typing import Any

from devstack.simulator.cards import DECLINES
from devstack.simulator.store import Row, Store
from devstack.webkit import pages

Document = dict[str, Any]


def rfc3339(unix_seconds: float | None) -> str | None:
    """A moment for the API."""
    return None if unix_seconds is None else pages.rfc3339(unix_seconds)


class Documents:
    """Reads what belongs together from the store."""

    def __init__(self, store: Store, public_url: str) -> None:
        self._store = store
        self._public_url = public_url

    def charge(self, charge: Row) -> Document:
        """A charge with its disputes and the method it was made with."""
        code, kind = charge["decline_code"], charge["kind"]
        method = self._store.by_id("methods", charge["method_id"]) if charge["method_id"] else None
        asks = charge["status"] == "requires_action"
        has_card = kind in ("card", "wallet")
        return {
            "id": charge["id"],
            "object": "charge",
            "kind": kind,
            "status": charge["status"],
            "url": f"{self._public_url}/charge/{charge['id']}/challenge" if asks else "",
            "checkout_id": charge["checkout_id"],
            "amount_minor_units": charge["amount_minor_units"],
            "currency": charge["currency"],
            "reference": charge["reference"],
            "metadata": json.loads(charge["metadata"]),
            "card": {"brand": charge["brand"], "last4": charge["last4"], "exp": charge["exp"]}
            if has_card
            else None,
            "wallet": charge["wallet"],
            "label": charge["label"],
            "customer_id": charge["customer_id"],
            "method": self.method(method) if method else None,
            "saved": bool(charge["saved"]) and charge["status"] in ("processing", "succeeded"),
            "decline_code": code,
            "decline_message": DECLINES[code] if code else None,
            "fee_minor_units": charge["fee_minor_units"],
            "expected_on": charge["expected_on"],
            "settled_at": rfc3339(charge["settled_at"]),
            "return_code": charge["return_code"],
            "returned_at": rfc3339(charge["returned_at"]),
            "refunded_minor_units": self.refunded_minor_units(charge["id"]),
            "disputes": [self.dispute(row) for row in self.disputes_of(charge["id"])],
            "version": charge["version"],
            "created_at": rfc3339(charge["created_at"]),
        }

    def refunded_minor_units(self, charge_id: str) -> int:
        """What was given back, or is on its way."""
        row = self._store.one(
            "SELECT coalesce(sum(amount_minor_units), 0) AS units FROM refunds"
            " WHERE charge_id = :charge_id AND status <> 'failed'",
            charge_id=charge_id,
        )
        assert row is not None
        return int(row["units"])

    def disputes_of(self, charge_id: str) -> list[Row]:
        """Oldest first."""
        return self._store.all(
            "SELECT * FROM disputes WHERE charge_id = :charge_id ORDER BY seq", charge_id=charge_id
        )

    def checkout(self, checkout: Row) -> Document:
        """A checkout, with the charge that paid it."""
        charge = self._store.by_id("charges", checkout["charge_id"]) if checkout["charge_id"] else None
        code = checkout["decline_code"]
        return {
            "id": checkout["id"],
            "object": "checkout",
            "kind": checkout["kind"],
            "status": checkout["status"],
            "url": f"{self._public_url}/checkout/{checkout['id']}",
            "amount_minor_units": checkout["amount_minor_units"],
            "currency": checkout["currency"],
            "reference": checkout["reference"],
            "description": checkout["description"],
            "return_url": checkout["return_url"],
            "merchant_name": checkout["merchant_name"],
            "customer_name": checkout["customer_name"],
            "line_items": json.loads(checkout["line_items"]),
            "metadata": json.loads(checkout["metadata"]),
            "details": json.loads(checkout["details"]),
            "tries": checkout["tries"],
            "charge": self.charge(charge) if charge else None,
            "decline_code": code,
            "decline_message": DECLINES[code] if code else None,
            "cancel_reason": checkout["cancel_reason"],
            "version": checkout["version"],
            "created_at": rfc3339(checkout["created_at"]),
            "expires_at": rfc3339(checkout["expires_at"]),
            "finished_at": rfc3339(checkout["finished_at"]),
        }

    def refund(self, refund: Row) -> Document:
        """A refund."""
        return {
            "id": refund["id"],
            "object": "refund",
            "charge_id": refund["charge_id"],
            "status": refund["status"],
            "amount_minor_units": refund["amount_minor_units"],
            "currency": refund["currency"],
            "reason": refund["reason"],
            "failure_code": refund["failure_code"],
            "metadata": json.loads(refund["metadata"]),
            "version": refund["version"],
            "created_at": rfc3339(refund["created_at"]),
        }

    def dispute(self, dispute: Row) -> Document:
        """A chargeback."""
        return {
            "id": dispute["id"],
            "object": "dispute",
            "charge_id": dispute["charge_id"],
            "status": dispute["status"],
            "amount_minor_units": dispute["amount_minor_units"],
            "currency": dispute["currency"],
            "fee_minor_units": dispute["fee_minor_units"],
            "reason": dispute["reason"],
            "evidence": dispute["evidence"],
            "metadata": json.loads(dispute["metadata"]),
            "version": dispute["version"],
            "opened_at": rfc3339(dispute["opened_at"]),
            "evidence_due_at": rfc3339(dispute["evidence_due_at"]),
            "closed_at": rfc3339(dispute["closed_at"]),
        }

    def method(self, method: Row) -> Document:
        """A card or account. The mandate says what was shown, when it was accepted and from where."""
        month, _, year = method["exp"].partition("/")
        mandate = json.loads(method["mandate"])
        return {
            "id": method["id"],
            "object": "method",
            "kind": method["kind"],
            "status": method["status"],
            "customer_id": method["customer_id"],
            "brand": method["brand"],
            "last4": method["last4"],
            "exp_month": int(month or 0),
            "exp_year": int(year or 0),
            "fingerprint": method["fingerprint"],
            "mandate": {
                "reference": mandate["reference"],
                "text": mandate["text"],
                "accepted_at": rfc3339(mandate["accepted_at"]),
                "accepted_from": mandate["accepted_from"],
                "revoked_at": rfc3339(mandate.get("revoked_at")),
            }
            if mandate
            else None,
            "metadata": json.loads(method["metadata"]),
            "version": method["version"],
            "created_at": rfc3339(method["created_at"]),
        }

    def setup(self, setup: Row) -> Document:
        """A setup, with the method that it saved."""
        method = self._store.by_id("methods", setup["method_id"]) if setup["method_id"] else None
        return {
            "id": setup["id"],
            "object": "setup",
            "kind": setup["kind"],
            "status": setup["status"],
            "url": f"{self._public_url}/setup/{setup['id']}",
            "failure_code": setup["failure_code"],
            "customer_id": setup["customer_id"],
            "method": self.method(method) if method else None,
            "metadata": json.loads(setup["metadata"]),
            "version": setup["version"],
            "created_at": rfc3339(setup["created_at"]),
            "expires_at": rfc3339(setup["expires_at"]),
        }

    def payout(self, payout: Row) -> Document:
        """A payout with its settlement report; `net` is the sum of amounts less fees."""
        lines = self._store.all(
            "SELECT * FROM balance_lines WHERE payout_id = :payout_id ORDER BY seq", payout_id=payout["id"]
        )
        return {
            "id": payout["id"],
            "object": "payout",
            "organization_id": payout["organization_id"],
            "currency": payout["currency"],
            "net_minor_units": payout["net_minor_units"],
            "arrives_on": payout["arrives_on"],
            "lines": [
                {
                    "kind": line["kind"],
                    "reference": line["object_id"],
                    "attempt_id": line["attempt_id"],
                    "organization_id": line["organization_id"],
                    "amount_minor_units": line["amount_minor_units"],
                    "fee_minor_units": line["fee_minor_units"],
                    "created_at": rfc3339(line["created_at"]),
                }
                for line in lines
            ],
            "created_at": rfc3339(payout["created_at"]),
        }


def clock_document(now: float, ahead_seconds: float, next_due_at: float | None) -> Document:
    """The simulator's time."""
    return {
        "now": rfc3339(now),
        "ahead_seconds": round(ahead_seconds, 3),
        "next_due_at": rfc3339(next_due_at),
        "machine_time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
