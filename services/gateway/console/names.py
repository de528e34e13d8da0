"""Names of customers for lists whose messages carry only their ids."""

import asyncio
from collections.abc import Iterable

from services.gateway.console.asking import if_found
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import GetCustomerRequest


async def customer_names(page: Page, customer_ids: Iterable[str]) -> dict[str, str]:
    """Id to name, each asked once; an id stands for itself where no name can be had."""
    wanted = sorted({customer_id for customer_id in customer_ids if customer_id})
    asked = (
        if_found(page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=one)))
        for one in wanted
    )
    found = await asyncio.gather(*asked)
    return {one: customer.name if customer else one for one, customer in zip(wanted, found, strict=True)}
