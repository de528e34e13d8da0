"""What a way to reach people looks like."""

from typing import Protocol

from services.notifications.domain.facts import Mail


class Channel(Protocol):
    """Hands a mail over. Raises Refused when it never will be taken, TryLater when it may be."""

    async def deliver(self, mail: Mail) -> None: ...
