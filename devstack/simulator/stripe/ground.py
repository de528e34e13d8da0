"""What every part of the Stripe-shaped side stands on."""

import time
from dataclasses import dataclass

from devstack.simulator.clock import Clock
from devstack.simulator.faults import Faults, Subject
from devstack.simulator.store import Store
from devstack.simulator.stripe.events import Events
from devstack.simulator.stripe.objects import Objects, Thing
from devstack.simulator.timeline import Timeline


@dataclass(frozen=True)
class Ground:
    """Store, time, faults and events of the simulator's process."""

    store: Store
    clock: Clock
    timeline: Timeline
    faults: Faults
    events: Events
    objects: Objects
    public_url: str
    """Origin and path under which pages are reached; no slash at the end."""

    def now(self) -> int:
        """Of what happens to money: by the simulator's clock, which may have been put forward."""
        return int(self.clock.now())

    @staticmethod
    def asked_at() -> int:
        """Of what a request makes: by the machine's clock, so that callers find it around their own time."""
        return int(time.time())


def subject_of(operation: str, thing: Thing) -> Subject:
    """What faults are matched with."""
    return Subject(operation, thing.metadata.get("payment_id", ""), thing.metadata)
