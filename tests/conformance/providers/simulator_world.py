"""The world of our own simulator: its process, its hosted pages, its faults and its clock."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx

from chassis.money import Money
from services.payments.providers.simulator import Simulator
from tests.conformance.providers.world import CAPABILITIES, Act, Card, Fault, Hook
from tests.service.payments.till import Gate
from tests.support.programs import free_address, running
from tests.support.wait import until

SIMULATOR_CAN = CAPABILITIES - {"stripe_documents", "kept_redirects"}
_SECRET = "sk_test_simulator"
_WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
_CARDS: Mapping[Card, str] = {
    Card.GOOD: "tok_visa",
    Card.DECLINED: "tok_declined",
    Card.NO_FUNDS: "tok_insufficient_funds",
    Card.ASKS: "tok_3ds_always",
    Card.ASKS_UNLESS_SAVED: "tok_3ds_unless_set_up",
    Card.SAVED_THEN_DECLINED: "tok_charge_fails",
    Card.DISPUTED: "tok_disputed",
    Card.REFUND_WAITS: "tok_refund_pending",
    Card.REFUND_FAILS: "tok_refund_fails",
}
NUMBERS: Mapping[Act, str] = {
    Act.PAYS: "4242424242424242",
    Act.IS_DECLINED: "4000000000000002",
    Act.CONFIRMS: "4000002760003184",
    Act.REFUSES: "4000002760003184",
}
ACCOUNTS: Mapping[Act, tuple[str, str]] = {
    Act.PAYS: ("000123456789", "DE89370400440532013000"),
    Act.BOUNCES: ("000222222227", "DE62370400440532013001"),
    Act.BOUNCES_2_DAYS_LATER: ("000111222202", "DE35370400440532013002"),
    Act.BOUNCES_6_DAYS_LATER: ("000111222206", "DE24370400440532013006"),
    Act.BOUNCES_40_DAYS_LATER: ("000111222240", "DE76370400440532013040"),
    Act.REVOKES_MANDATE: ("000111222270", "DE42370400440532013070"),
}
_BEHAVIOURS: Mapping[Act, str] = {
    Act.PAYS: "as_usual",
    Act.IS_DECLINED: "declined",
    Act.NEVER_RETURNS: "never_returns",
}
_WALLET_BUTTONS: Mapping[Act, str] = {Act.PAYS: "tok_apple_pay", Act.IS_DECLINED: "tok_apple_pay_declined"}
_COINS: Mapping[Act, float] = {Act.PAYS: 1.0, Act.SENDS_LESS: 0.5, Act.SENDS_MORE: 2.0}
_FAULTS: Mapping[Fault, tuple[str, int]] = {
    Fault.HANG_BEFORE: ("hang_before_charging", 1),
    Fault.HANG_AFTER: ("hang_after_charging", 1),
    Fault.ERROR_BEFORE: ("error_500", 1),
    Fault.ERROR_AFTER: ("error_500_after_charging", 1),
    Fault.RESET_BEFORE: ("reset_before_charging", 1),
    Fault.RESET_AFTER: ("reset_after_charging", 1),
    Fault.CUT_BODY: ("truncated_body", 1),
    Fault.WRONG_AMOUNT: ("wrong_amount", 1),
    Fault.WRONG_CURRENCY: ("wrong_currency", 1),
    Fault.TWICE_TOLD: ("duplicate_webhooks", 1),
    Fault.TOLD_BACKWARDS: ("reorder_webhooks", 2),
}


@dataclass
class SimulatorWorld:
    """Everything goes over HTTP, as it does for people and programs."""

    provider: Simulator
    http: httpx.AsyncClient
    gate: Gate
    name: str = "simulator"
    can: frozenset[str] = SIMULATOR_CAN

    _AUTHORIZED: ClassVar[dict[str, str]] = {"authorization": f"Bearer {_SECRET}"}

    def card(self, card: Card) -> str:
        return _CARDS[card]

    def wallet_token(self, wallet: str) -> str:
        return f"tok_{wallet}"

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
        elif 'value="tok_apple_pay"' in page:
            await self._send(url, {"token": _WALLET_BUTTONS[act]})
        elif 'name="amount_minor_units"' in page:
            asked = (await self._get(f"/v1/checkouts/{url.rpartition('/')[2]}"))["amount_minor_units"]
            await self._send(url, {"amount_minor_units": str(int(asked * _COINS[act]))})
        else:
            await self._pay_by_card(url, act)

    async def _pay_by_card(self, url: str, act: Act) -> None:
        form = {"number": NUMBERS[act], "expiry": "04/39", "cvc": "123", "name": "Ann Lee", "tries": "0"}
        await self._send(url, form)
        if act in (Act.CONFIRMS, Act.REFUSES):
            await self.answer_challenge(f"{url}/challenge", approve=act is Act.CONFIRMS)

    async def answer_challenge(self, url: str, *, approve: bool) -> None:
        await self._send(url, {"answer": "approve" if approve else "refuse"})

    async def _send(self, url: str, form: dict[str, str]) -> None:
        answer = await self.http.post(url, data=form)
        assert answer.status_code in (200, 303), f"{answer.status_code}: {answer.text}"

    async def advance(self, *, days: int) -> None:
        await self._post("/v1/clock", {"advance_seconds": days * 86_400})

    async def open_dispute(self, attempt_id: str) -> None:
        (charge,) = await self._charges(attempt_id)
        await self._post(f"/v1/charges/{charge['id']}/disputes", {"reason": "fraudulent"})

    def evidence(self, *, winning: bool) -> str:
        return f"They signed for it. {'winning_evidence' if winning else 'losing_evidence'}"

    async def decide_dispute(self, dispute_reference: str) -> None:
        await self._post("/v1/clock", {"advance_seconds": 60})

    async def revoke_mandate(self, method_token: str) -> None:
        await self._post(f"/v1/methods/{method_token}/revoke", {})

    async def pay_out(self, organization_id: str) -> None:
        await self._post("/v1/payouts", {"organization_id": organization_id})

    async def fault(self, fault: Fault, key: str) -> None:
        name, times = _FAULTS[fault]
        field = {"att": "attempt_id", "ref": "refund_id", "set": "setup_id"}[key[:3]]
        body = {"fault": name, "times": times, "match": {field: key}}
        answer = await self.http.post("/faults", json=body)
        assert answer.status_code == 201, answer.text

    async def captured(self, attempt_id: str) -> Sequence[Money]:
        charges = await self._charges(attempt_id)
        return [Money(charge["amount_minor_units"], charge["currency"]) for charge in charges]

    async def next_webhooks(self, about: str, *, at_least: int = 1) -> Sequence[Hook]:
        def found() -> list[Hook]:
            return [Hook(headers, body) for headers, body in self.gate.seen if about.encode() in body]

        await until(lambda: len(found()) >= at_least)
        return found()

    async def _charges(self, attempt_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._get("/v1/ledger", attempt_id=attempt_id))["charges"]
        return found

    async def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = await self.http.get(path, params=query, headers=self._AUTHORIZED)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = await self.http.post(path, json=body, headers=self._AUTHORIZED)
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def simulator_world(folder: Path) -> AsyncIterator[SimulatorWorld]:
    """A simulator process with somebody who takes its webhooks."""
    gate = Gate(free_address())
    host, port = gate.address.split(":")
    server = await asyncio.start_server(gate.serve, host, int(port))
    address = free_address()
    environment = {
        "SIMULATOR_LISTEN": address,
        "SIMULATOR_SECRET": _SECRET,
        "SIMULATOR_DATA_FILE": str(folder / "simulator.sqlite"),
        "SIMULATOR_WEBHOOK_URL": f"http://{gate.address}/webhooks/simulator",
        "SIMULATOR_WEBHOOK_SECRET": _WEBHOOK_SECRET,
    }
    async with running("devstack.simulator", environment, http_address=address, folder=folder) as program:
        provider = Simulator(f"http://{address}", _SECRET, (_WEBHOOK_SECRET,))
        try:
            yield SimulatorWorld(provider, program.http, gate)
        finally:
            await provider.close()
    server.close()
    await gate.close()
