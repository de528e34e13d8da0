"""The visitor's organization: name, zone, address; asked once a minute, not once a page."""

import time
from collections import OrderedDict

from services.gateway.clients import Sender, Services
from tallyport.identity.v1.organizations_pb2 import GetOrganizationRequest, Organization

_KEPT_SECONDS = 60.0
_MAX_KEPT = 2_000


class Organizations:
    """Organizations by id. Only ever asked with the token of somebody who belongs to it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: OrderedDict[str, tuple[float, Organization]] = OrderedDict()

    async def of(self, organization_id: str, sender: Sender) -> Organization:
        """The organization of the sender's token."""
        found = self._kept.get(organization_id)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        organization = await sender.call(
            self._services.organizations.GetOrganization, GetOrganizationRequest()
        )
        self._kept[organization_id] = (time.monotonic() + _KEPT_SECONDS, organization)
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return organization

    def forget(self, organization_id: str) -> None:
        """After it was changed here."""
        self._kept.pop(organization_id, None)
