"""What payments asks of identity: who belongs to a paying company."""

from collections.abc import Awaitable, Callable
from typing import Final

from chassis.rpc.client import Channel, as_service
from tallyport.identity.v1 import people_pb2, people_pb2_grpc

TIMEOUT_SECONDS: Final = 1.0

FindColleagues = Callable[[str, str], Awaitable[frozenset[str] | None]]
"""Ids of a customer's active people, by organization and customer; None where identity is not asked."""


async def nobody_is_asked(organization_id: str, customer_id: str) -> frozenset[str] | None:
    """Where there is no identity."""
    return None


class Colleagues:
    """Identity's PeopleChecks over mTLS."""

    def __init__(self, channel: Channel) -> None:
        self._ask = as_service(
            people_pb2_grpc.PeopleChecksStub(channel).FindColleagues, timeout_seconds=TIMEOUT_SECONDS
        )

    async def find(self, organization_id: str, customer_id: str) -> frozenset[str] | None:
        """Asked outside of transactions: identity may be away. Raises ServiceError."""
        request = people_pb2.FindColleaguesRequest(organization_id=organization_id, customer_id=customer_id)
        return frozenset((await self._ask(request)).person_ids)
