"""The till again, with a simulator whose Stripe-shaped side is switched on."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.payments.providers.stripe import Stripe
from tests.service.payments.stripe_shaped.account import KEY, WEBHOOK_SECRET
from tests.service.payments.till import SECRET, Bank, Gate
from tests.support.programs import free_address, running


@pytest_asyncio.fixture(scope="session")
async def bank(tmp_path_factory: pytest.TempPathFactory, gate: Gate) -> AsyncIterator[Bank]:
    folder, address = tmp_path_factory.mktemp("stripe"), free_address()
    environment = {
        "SIMULATOR_LISTEN": address,
        "SIMULATOR_SECRET": SECRET,
        "SIMULATOR_DATA_FILE": str(folder / "simulator.sqlite"),
        "SIMULATOR_STRIPE_SECRET": KEY,
        "SIMULATOR_STRIPE_WEBHOOK_URL": f"http://{gate.address}/webhooks/stripe",
        "SIMULATOR_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    async with running("devstack.simulator", environment, http_address=address, folder=folder) as program:
        url = f"http://{address}"
        stripe = Stripe(KEY, (WEBHOOK_SECRET,), api_url=f"{url}/stripe")
        try:
            yield Bank(url, program.http, {"stripe": stripe})
        finally:
            await stripe.close()
