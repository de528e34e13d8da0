"""The world of Stripe: the simulator's Stripe-shaped side, its hosted pages, its test helpers, faults and clock.

What Stripe has no notion of, and the tests that therefore do not run for it:

- `stablecoins`: Stripe takes exactly the amount of the quote, never less or more;
- `left_pages`: going back from Checkout changes nothing, the session stays open until it expires;
- `mandate_texts`: Stripe shows the text on its page and keeps it to itself.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.money import Money
from services.payments.providers.stripe import Stripe
from services.payments.providers.stripe_amounts import from_stripe
from tests.conformance.providers.simulator_world import ACCOUNTS, NUMBERS, SimulatorWorld
from tests.conformance.providers.world import CAPABILITIES, Act, Card, Hook
from tests.service.payments.till import Gate
from tests.support.programs import free_address, running
from tests.support.wait import until

STRIPE_CAN = CAPABILITIES - {"stablecoins", "left_pages", "mandate_texts"}
_SECRET = "sk_test_stripe_shaped"
_WEBHOOK_SECRET = "whsec_stripe_shaped"
_SIMULATOR_SECRET = "sk_test_simulator"
_CARDS: Mapping[Card, str] = {
    Card.GOOD: "pm_card_visa",
    Card.DECLINED: "pm_card_chargeDeclined",
    Card.NO_FUNDS: "pm_card_chargeDeclinedInsufficientFunds",
    Card.ASKS: "pm_card_authenticationRequired",
    Card.ASKS_UNLESS_SAVED: "pm_card_authenticationRequiredOnSetup",
    Card.SAVED_THEN_DECLINED: "pm_card_chargeCustomerFail",
    Card.DISPUTED: "pm_card_createDispute",
    Card.REFUND_WAITS: "pm_card_pendingRefund",
    Card.REFUND_FAILS: "pm_card_refundFail",
}
_BEHAVIOURS: Mapping[Act, str] = {Act.PAYS: "as_usual", Act.NEVER_RETURNS: "never_returns"}


@dataclass
class StripeWorld(SimulatorWorld):
    """Clock and faults are the simulator's own; everything else goes through Stripe's addresses."""

    provider: Stripe  # type: ignore[assignment]
    name: str = "stripe"
    can: frozenset[str] = STRIPE_CAN

    def card(self, card: Card) -> str:
        return _CARDS[card]

    async def pay_on_page(self, url: str, act: Act) -> None:
        """Read the page as a browser would, to see what it is for."""
        if act is Act.LEAVES:
            await self._send(f"{url}/leave", {})
            return
        page = (await self.http.get(url)).text
        if 'name="iban"' in page or 'name="routing"' in page:
            account, iban = ACCOUNTS[act]
            scheme = "sepa" if 'name="iban"' in page else "ach"
            bank = {"iban": iban} if scheme == "sepa" else {"routing": "110000000", "account": account}
            await self._send(url, bank | {"holder": "Ann Lee", "mandate": "accepted", "scheme": scheme})
        elif 'name="behaviour"' in page:
            await self._send(url, {"behaviour": _BEHAVIOURS[act]})
        else:
            form = {"number": NUMBERS[act], "expiry": "04/39", "cvc": "123", "name": "Ann Lee"}
            await self._send(url, form)
            if act in (Act.CONFIRMS, Act.REFUSES):
                await self.answer_challenge(f"{url}/challenge", approve=act is Act.CONFIRMS)

    async def open_dispute(self, attempt_id: str) -> None:
        await self._help("disputes", attempt_id=attempt_id)

    async def decide_dispute(self, dispute_reference: str) -> None:
        await self._help(f"disputes/{dispute_reference}/decide")

    async def revoke_mandate(self, method_token: str) -> None:
        await self._help(f"payment_methods/{method_token}/revoke_mandate")

    async def pay_out(self, organization_id: str) -> None:
        """Stripe pays out for the whole account: the organization's part is among the lines."""
        await self._help("payouts")

    async def captured(self, attempt_id: str) -> Sequence[Money]:
        query = {"query": f"metadata['attempt_id']:'{attempt_id}'", "limit": "100"}
        answer = await self.http.get("/stripe/v1/charges/search", params=query, headers=AUTHORIZED)
        assert answer.status_code == 200, answer.text
        charges: list[dict[str, Any]] = answer.json()["data"]
        paid = [charge for charge in charges if charge["status"] == "succeeded"]
        return [from_stripe(charge["amount"], charge["currency"]) for charge in paid]

    async def next_webhooks(self, about: str, *, at_least: int = 1) -> Sequence[Hook]:
        """A dispute is told by the payment intent, which the events of the payment itself name."""

        def found() -> list[Hook]:
            seen = [Hook(headers, body) for headers, body in self.gate.seen]
            named = [hook for hook in seen if about.encode() in hook.body]
            intents = {_intent_of(hook) for hook in named} - {""}
            return [hook for hook in seen if hook in named or _intent_of(hook) in intents]

        await until(lambda: len(found()) >= at_least)
        return found()

    async def _help(self, path: str, **params: str) -> None:
        answer = await self.http.post(f"/stripe/v1/test_helpers/{path}", data=params, headers=AUTHORIZED)
        assert answer.status_code == 200, answer.text


def _intent_of(hook: Hook) -> str:
    """The payment intent that an event is about, or whose dispute it is; others are told by our own ids."""
    subject = json.loads(hook.body)["data"]["object"]
    if subject["object"] == "payment_intent":
        return str(subject["id"])
    return str(subject["payment_intent"]) if subject["object"] == "dispute" else ""


AUTHORIZED = {"authorization": f"Bearer {_SECRET}"}


@asynccontextmanager
async def stripe_world(folder: Path) -> AsyncIterator[StripeWorld]:
    """A simulator process whose Stripe-shaped side sends its webhooks to somebody."""
    gate = Gate(free_address())
    host, port = gate.address.split(":")
    server = await asyncio.start_server(gate.serve, host, int(port))
    address = free_address()
    environment = {
        "SIMULATOR_LISTEN": address,
        "SIMULATOR_SECRET": _SIMULATOR_SECRET,
        "SIMULATOR_WEBHOOK_SECRET": "whsec_" + base64.b64encode(bytes(24)).decode(),
        "SIMULATOR_DATA_FILE": str(folder / "simulator.sqlite"),
        "SIMULATOR_STRIPE_SECRET": _SECRET,
        "SIMULATOR_STRIPE_WEBHOOK_URL": f"http://{gate.address}/webhooks/stripe",
        "SIMULATOR_STRIPE_WEBHOOK_SECRET": _WEBHOOK_SECRET,
    }
    async with running("devstack.simulator", environment, http_address=address, folder=folder) as program:
        provider = Stripe(_SECRET, (_WEBHOOK_SECRET,), api_url=f"http://{address}/stripe")
        try:
            yield StripeWorld(provider, program.http, gate)
        finally:
            await provider.close()
    server.close()
    await gate.close()
