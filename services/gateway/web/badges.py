"""The figure beside a word of the staff's navigation: bank lines that wait."""

import time
from collections import OrderedDict

from chassis.errors import ServiceError
from services.gateway.clients import Sender, Services
from services.gateway.web.session import Session
from tallyport.payments.v1.reconciliation_pb2 import GetReconciliationOverviewRequest

_KEPT_SECONDS = 15.0
_MAX_KEPT = 2_000
_DEADLINE_SECONDS = 1.0
_PERMISSION = "payments.read"


class Badges:
    """Asked a few times a minute for each organization, not on each page; a service that is away costs a page nothing."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def waiting_lines(self, session: Session, sender: Sender) -> int:
        """Bank lines that wait in the visitor's organization; 0 as well while nobody can tell."""
        if _PERMISSION not in session.permissions:
            return 0
        found = self._kept.get(session.organization_id)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        count = await self._ask(sender)
        self._kept[session.organization_id] = (time.monotonic() + _KEPT_SECONDS, count)
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return count

    def forget(self, organization_id: str) -> None:
        """After something was done about them here."""
        self._kept.pop(organization_id, None)

    async def _ask(self, sender: Sender) -> int:
        try:
            overview = await sender.call(
                self._services.reconciliation.GetReconciliationOverview,
                GetReconciliationOverviewRequest(),
                timeout_seconds=_DEADLINE_SECONDS,
            )
        except ServiceError:
            return 0
        return overview.unmatched_lines
