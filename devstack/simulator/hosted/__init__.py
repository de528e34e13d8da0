"""What a customer sees at the provider, on the provider's own origin: pages to pay, to save a method, to confirm."""

from devstack.simulator.bank import Bank
from devstack.simulator.hosted.challenge import ChargeChallenge
from devstack.simulator.hosted.checkout import CheckoutPages
from devstack.simulator.hosted.setup import SetupPages
from devstack.webkit.asgi import Route
from devstack.webkit.pages import Pages


def hosted_routes(bank: Bank, look: Pages) -> list[Route]:
    """Every address that a customer's browser visits."""
    return [
        *CheckoutPages(bank, look).routes(),
        *SetupPages(bank, look).routes(),
        *ChargeChallenge(bank, look).routes(),
    ]
