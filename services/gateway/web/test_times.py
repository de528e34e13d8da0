"""The test clock of the visitor's organization, for the notice on every page and for what a page calls today."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.errors import ServiceError
from services.gateway.clients import Sender, Services
from tallyport.identity.v1.test_clocks_pb2 import GetTestTimeRequest

_WITHOUT_CLOCK_SECONDS = 5.0
_WITH_CLOCK_SECONDS = 0.5
_MAX_KEPT = 2_000
_DEADLINE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Stopped:
    """An organization's time by its test clock. `advancing` while it is being moved."""

    at: datetime
    advancing: bool


class TestTimes:
    """Never asked where no test clocks are allowed; a service that is away costs a page nothing."""

    __test__ = False

    def __init__(self, services: Services, *, allowed: bool) -> None:
        self._services = services
        self._allowed = allowed
        self._kept: OrderedDict[str, tuple[float, Stopped | None]] = OrderedDict()

    @property
    def allowed(self) -> bool:
        """Whether organizations in test mode may have clocks here."""
        return self._allowed

    async def of(self, organization_id: str, sender: Sender) -> Stopped | None:
        """The clock of the sender's organization; None without one, and while nobody can tell."""
        if not self._allowed:
            return None
        found = self._kept.get(organization_id)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        try:
            answer = await sender.call(
                self._services.test_clocks.GetTestTime,
                GetTestTimeRequest(),
                timeout_seconds=_DEADLINE_SECONDS,
            )
        except ServiceError:
            return None
        stopped = None
        if answer.HasField("frozen_time"):
            stopped = Stopped(answer.frozen_time.ToDatetime(tzinfo=UTC), answer.advancing)
        seconds = _WITHOUT_CLOCK_SECONDS if stopped is None else _WITH_CLOCK_SECONDS
        self._kept[organization_id] = (time.monotonic() + seconds, stopped)
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return stopped

    def forget(self, organization_id: str) -> None:
        """After the clock was made, moved or removed here."""
        self._kept.pop(organization_id, None)
