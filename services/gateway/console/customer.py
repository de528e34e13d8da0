"""One customer: who they are, what they owe, their invoices and payments."""

import asyncio

from litestar import Response, get
from litestar.params import FromPath

from services.gateway.console.asking import if_there
from services.gateway.console.settings.segment import segment_of
from services.gateway.console.words import WORDS
from services.gateway.web.page import Page
from tallyport.invoicing.v1.customers_pb2 import GetAccountSummaryRequest, GetCustomerRequest
from tallyport.invoicing.v1.invoices_pb2 import InvoiceFilter, ListInvoicesRequest
from tallyport.payments.v1.payments_pb2 import ListPaymentsRequest

_SHOWN_PAYMENTS = 10
_SHOWN_INVOICES = 20


@get("/customers/{customer_id:str}", name="console.customer")
async def show(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Open invoices unless `?show=all`."""
    everything = page.query("show") == "all"
    wanted = InvoiceFilter.INVOICE_FILTER_UNSPECIFIED if everything else InvoiceFilter.INVOICE_FILTER_PAYABLE
    customer, summary, invoices, payments, segment, organization = await asyncio.gather(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id)),
        page.call(page.to.customers.GetAccountSummary, GetAccountSummaryRequest(customer_id=customer_id)),
        page.call(
            page.to.invoices.ListInvoices,
            ListInvoicesRequest(
                customer_id=customer_id,
                filter=wanted,
                page_size=_SHOWN_INVOICES,
                page_token=page.query("page"),
            ),
        ),
        if_there(
            page.call(
                page.to.payments.ListPayments,
                ListPaymentsRequest(customer_id=customer_id, page_size=_SHOWN_PAYMENTS),
            )
        ),
        segment_of(page, customer_id),
        page.organization(),
    )
    return page.render(
        "console_customer.html",
        customer=customer,
        balances=summary.balances,
        invoices=invoices.invoices,
        next_token=invoices.next_page_token,
        everything=everything,
        payments=payments.payments if payments else [],
        payments_known=payments is not None,
        segment=segment,
        zone=organization.time_zone or "UTC",
        **WORDS,
    )
