"""What payments asks of identity: who belongs to a paying company."""

from collections.abc import Awaitable, Callable, Collection
from typing import Final

from chassis.rpc.client import Channel, as_service
from tallyport.identity.v1 import people_pb2, people_pb2_grpc

TIMEOUT_SECONDS: Final = 1.0

FindColleagues = Callable[[str, str, Collection[str]], Awaitable[frozenset[str] | None]]
"""Which people of some ids are active ones of a customer, by organization, customer and ids; None if nobody knows."""


async def nobody_is_asked(
    organization_id: str, customer_id: str, person_ids: Collection[str]
) -> frozenset[str] | None:
    """Where there is no identity."""
    return None


class Colleagues:
    """Identity's PeopleChecks over mTLS."""

    def __init__(self, channel: Channel) -> None:
        self._ask = as_service(
            people_pb2_grpc.PeopleChecksStub(channel).FindColleagues, timeout_seconds=TIMEOUT_SECONDS
        )

    async def find(
        self, organization_id: str, customer_id: str, person_ids: Collection[str]
    ) -> frozenset[str] | None:
        """Asked outside of transactions: identity may be away. Raises ServiceError."""
        request = people_pb2.FindColleaguesRequest(
            organization_id=organization_id, customer_id=customer_id, person_ids=person_ids
        )
        return frozenset((await self._ask(request)).person_ids)
