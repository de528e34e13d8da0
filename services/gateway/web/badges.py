"""What every staff page tells: bank lines that wait, and whether the books are frozen."""

import time
from collections import OrderedDict

from chassis.errors import ServiceError
from services.gateway.clients import Sender, Services
from services.gateway.web.session import Session
from tallyport.payments.v1.books_pb2 import GetBooksStateRequest
from tallyport.payments.v1.reconciliation_pb2 import GetReconciliationOverviewRequest

_KEPT_SECONDS = 15.0
_MAX_KEPT = 2_000
_DEADLINE_SECONDS = 1.0
_PERMISSION = "payments.read"
_BOOKS_PERMISSION = "books.read"


class Badges:
    """Asked a few times a minute for each organization; a service that is away costs a page nothing."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._frozen: OrderedDict[str, tuple[float, bool]] = OrderedDict()

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

    async def books_frozen(self, session: Session, sender: Sender) -> bool:
        """Whether a check has frozen the organization's money writes; False as well while nobody can tell."""
        if _BOOKS_PERMISSION not in session.permissions:
            return False
        found = self._frozen.get(session.organization_id)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        try:
            state = await sender.call(
                self._services.books.GetBooksState, GetBooksStateRequest(), timeout_seconds=_DEADLINE_SECONDS
            )
        except ServiceError:
            return False
        self._frozen[session.organization_id] = (time.monotonic() + _KEPT_SECONDS, state.frozen)
        while len(self._frozen) > _MAX_KEPT:
            self._frozen.popitem(last=False)
        return state.frozen

    def forget_books(self, organization_id: str) -> None:
        """After the books were checked or a freeze was lifted here."""
        self._frozen.pop(organization_id, None)

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
