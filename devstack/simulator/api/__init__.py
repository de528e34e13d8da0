"""The provider's HTTP API, a file a noun. Every answer is read back from the store."""

from devstack.simulator.api.clock import ClockApi
from devstack.simulator.api.faults import FaultsApi
from devstack.simulator.api.methods import MethodsApi
from devstack.simulator.api.payments import PaymentsApi
from devstack.simulator.api.payouts import PayoutsApi
from devstack.simulator.api.reversals import ReversalsApi
from devstack.simulator.bank import Bank
from devstack.webkit.asgi import Route


def api_routes(bank: Bank) -> list[Route]:
    """Every address of the API."""
    return [
        *PaymentsApi(bank).routes(),
        *ReversalsApi(bank).routes(),
        *MethodsApi(bank).routes(),
        *PayoutsApi(bank).routes(),
        *ClockApi(bank).routes(),
        *FaultsApi(bank).routes(),
    ]
