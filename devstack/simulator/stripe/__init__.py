"""A Stripe-shaped side of the simulator, so that payments' Stripe adapter can be run without Stripe.

Our own work against Stripe's public documentation: its paths, parameters, errors and documents as far as
payments uses them, with the simulator's test numbers, clock and faults.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from devstack.simulator.bank import Bank
from devstack.simulator.stripe.api import Api
from devstack.simulator.stripe.events import Events
from devstack.simulator.stripe.ground import Ground
from devstack.simulator.stripe.objects import Objects
from devstack.simulator.stripe.pages import StripePages
from devstack.webkit.asgi import Route
from devstack.webkit.pages import Pages


def stripe_side(bank: Bank, look: Pages) -> tuple[list[Route], list[Callable[[], Coroutine[Any, Any, None]]]]:
    """Its addresses under /stripe, and what runs beside them; nothing without a key in the settings."""
    settings = bank.settings
    if not settings.stripe_secret:
        return [], []
    events = Events(
        bank.store,
        bank.clock,
        bank.faults,
        url=settings.stripe_webhook_url,
        secret=settings.stripe_webhook_secret,
    )
    ground = Ground(
        bank.store,
        bank.clock,
        bank.timeline,
        bank.faults,
        events,
        Objects(bank.store),
        f"{settings.public_url}/stripe",
    )
    api = Api(ground, settings.stripe_secret)
    return [*api.routes(), *StripePages(api, look).routes()], [events.run]
