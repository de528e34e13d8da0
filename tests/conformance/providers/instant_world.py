"""The world of the instant provider: nothing but itself."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from chassis.money import Money
from services.payments.domain.outcome import Status
from services.payments.providers.instant import DECLINED_TOKEN, Instant
from tests.conformance.providers.world import Act, Card, Fault, Hook, Shop


@dataclass
class InstantWorld:
    """It can do nothing by itself, so most of what happens in a world does not happen here."""

    provider: Instant
    name: str = "instant"
    can: frozenset[str] = frozenset()

    def card(self, card: Card) -> str:
        return DECLINED_TOKEN if card is Card.DECLINED else "tok_visa"

    def wallet_token(self, wallet: str) -> str:
        return f"tok_{wallet}"

    async def pay_on_page(self, url: str, act: Act) -> None:
        """A page counts as used once it is open."""

    async def captured(self, attempt_id: str) -> Sequence[Money]:
        shop = Shop(self.provider)
        found = await shop.lookup(shop.order(attempt_id=attempt_id))
        return [found.amount] if found.status is Status.SUCCEEDED and found.amount is not None else []

    async def answer_challenge(self, url: str, *, approve: bool) -> NoReturn:
        raise NotImplementedError

    async def advance(self, *, days: int) -> None:
        """Nothing is ever due."""

    async def open_dispute(self, attempt_id: str) -> NoReturn:
        raise NotImplementedError

    def evidence(self, *, winning: bool) -> NoReturn:
        raise NotImplementedError

    async def decide_dispute(self, dispute_reference: str) -> NoReturn:
        raise NotImplementedError

    async def revoke_mandate(self, method_token: str) -> NoReturn:
        raise NotImplementedError

    async def pay_out(self, organization_id: str) -> NoReturn:
        raise NotImplementedError

    async def fault(self, fault: Fault, key: str) -> NoReturn:
        raise NotImplementedError

    async def next_webhooks(self, about: str, *, at_least: int = 1) -> Sequence[Hook]:
        return ()


@asynccontextmanager
async def instant_world(folder: Path) -> AsyncIterator[InstantWorld]:
    """Inside this process."""
    provider = Instant()
    yield InstantWorld(provider)
    await provider.close()
