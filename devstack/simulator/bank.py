"""The parts of the provider, put together once."""

from dataclasses import dataclass
from typing import Self

from devstack.simulator.balance import Balance
from devstack.simulator.charging import Charging
from devstack.simulator.checkouts import Checkouts
from devstack.simulator.clock import Clock
from devstack.simulator.disputing import Disputing
from devstack.simulator.documents import Documents
from devstack.simulator.faults import Faults
from devstack.simulator.refunding import Refunding
from devstack.simulator.saving import Saving
from devstack.simulator.settings import Settings
from devstack.simulator.store import Store
from devstack.simulator.timeline import Timeline
from devstack.simulator.webhooks import Webhooks


@dataclass(frozen=True)
class Bank:
    """What API, hosted pages and dashboard work with."""

    settings: Settings
    store: Store
    clock: Clock
    timeline: Timeline
    faults: Faults
    webhooks: Webhooks
    documents: Documents
    balance: Balance
    saving: Saving
    charging: Charging
    checkouts: Checkouts
    refunding: Refunding
    disputing: Disputing

    @classmethod
    def opened(cls, settings: Settings) -> Self:
        """With the state that the data file keeps."""
        store = Store(settings.data_file)
        clock = Clock(store)
        timeline = Timeline(store, clock)
        faults = Faults(store)
        webhooks = Webhooks(store, clock, faults, url=settings.webhook_url, key=settings.webhook_key)
        documents = Documents(store, settings.public_url)
        balance = Balance(store, clock, timeline, webhooks)
        saving = Saving(store, clock, timeline, webhooks)
        charging = Charging(
            store, clock, timeline, faults=faults, webhooks=webhooks, balance=balance, saving=saving
        )
        checkouts = Checkouts(store, clock, timeline, webhooks=webhooks, charging=charging, saving=saving)
        refunding = Refunding(store, clock, timeline, webhooks=webhooks, balance=balance, documents=documents)
        disputing = Disputing(store, clock, timeline, webhooks=webhooks, balance=balance, documents=documents)
        return cls(
            settings, store, clock, timeline, faults, webhooks, documents,
            balance, saving, charging, checkouts, refunding, disputing,
        )  # fmt: skip
