"""What invoicing asks of identity: whether somebody is staff."""

from collections.abc import Awaitable, Callable
from typing import Final

from chassis.errors import ServiceError, invalid
from chassis.rpc.client import Channel, as_service
from tallyport.identity.v1 import people_pb2, people_pb2_grpc

TIMEOUT_SECONDS: Final = 1.0

MustBeStaff = Callable[[str, str], Awaitable[None]]
"""By organization and person. VALIDATION_FAILED for anybody else, UNAVAILABLE while identity does not answer."""


async def everybody_is_staff(organization_id: str, person_id: str) -> None:
    """Where identity is not asked."""


def not_staff() -> ServiceError:
    """VALIDATION_FAILED."""
    return invalid(
        "account_manager_id", "unknown", "The account manager must be active staff of the organization."
    )


class Staff:
    """Identity's PeopleChecks over mTLS."""

    def __init__(self, channel: Channel) -> None:
        self._ask = as_service(
            people_pb2_grpc.PeopleChecksStub(channel).IsStaff, timeout_seconds=TIMEOUT_SECONDS
        )

    async def must_be_staff(self, organization_id: str, person_id: str) -> None:
        """Asked outside of transactions: identity may be away."""
        request = people_pb2.IsStaffRequest(organization_id=organization_id, person_id=person_id)
        if not (await self._ask(request)).staff:
            raise not_staff()
