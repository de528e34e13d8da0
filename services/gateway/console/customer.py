"""One customer: who they are, what they owe, their invoices and payments, and how they pay."""

import asyncio

from litestar import Response, get
from litestar.params import FromPath

from services.gateway.console.asking import if_there
from services.gateway.console.customer_entries import treatments
from services.gateway.console.customer_family import segments_of
from services.gateway.console.customer_form import staff_names
from services.gateway.console.dunning_pauses import pauses_of
from services.gateway.console.words import WORDS
from services.gateway.web import billing
from services.gateway.web.page import Page
from services.gateway.web.statuses import method_state
from tallyport.invoicing.v1.customer_proposals_pb2 import (
    CustomerProposalState,
    ListCustomerProposalsRequest,
)
from tallyport.invoicing.v1.customers_pb2 import (
    AccountSummary,
    Customer,
    GetAccountSummaryRequest,
    GetCustomerRequest,
    ListSubsidiariesRequest,
)
from tallyport.invoicing.v1.invoices_pb2 import InvoiceFilter, ListInvoicesRequest, ListInvoicesResponse
from tallyport.payments.v1.autopay_pb2 import AutopaySettings, GetAutopayRequest
from tallyport.payments.v1.payer_rules_pb2 import GetPayerRulesRequest, PayerRuleSet
from tallyport.payments.v1.payment_methods_pb2 import (
    ListPaymentMethodsRequest,
    ListPaymentMethodsResponse,
    PaymentMethod,
)
from tallyport.payments.v1.payments_pb2 import ListPaymentsRequest, ListPaymentsResponse, PaymentStatus

_SHOWN_PAYMENTS = 10
_SHOWN_INVOICES = 20
Ways = tuple[ListPaymentMethodsResponse, AutopaySettings, PayerRuleSet, ListPaymentsResponse]


async def _ways(page: Page, customer_id: str) -> Ways:
    """Saved methods, automatic payments, the company's own rules, and what is scheduled."""
    return await asyncio.gather(
        page.call(
            page.to.payment_methods.ListPaymentMethods, ListPaymentMethodsRequest(customer_id=customer_id)
        ),
        page.call(page.to.autopay.GetAutopay, GetAutopayRequest(customer_id=customer_id)),
        page.call(page.to.payer_rules.GetPayerRules, GetPayerRulesRequest(customer_id=customer_id)),
        page.call(
            page.to.payments.ListPayments,
            ListPaymentsRequest(
                customer_id=customer_id,
                status=PaymentStatus.PAYMENT_STATUS_SCHEDULED,
                page_size=_SHOWN_PAYMENTS,
            ),
        ),
    )


def _autopay_method(methods: list[PaymentMethod], settings: AutopaySettings) -> str:
    """What automatic payments pay with."""
    return next((one.summary for one in methods if one.payment_method_id == settings.payment_method_id), "–")


async def _waiting(page: Page, customer_id: str) -> bool:
    """Whether the customer wants something changed."""
    request = ListCustomerProposalsRequest(
        customer_id=customer_id,
        state=CustomerProposalState.CUSTOMER_PROPOSAL_STATE_OPEN,
        page_size=1,
    )
    return bool((await page.call(page.to.customer_proposals.ListCustomerProposals, request)).proposals)


async def _parent(page: Page, customer: Customer) -> Customer | None:
    """The company above."""
    if not customer.parent_customer_id:
        return None
    request = GetCustomerRequest(customer_id=customer.parent_customer_id)
    return await page.call(page.to.customers.GetCustomer, request)


async def _money(
    page: Page, customer_id: str, *, everything: bool
) -> tuple[AccountSummary, ListInvoicesResponse, ListPaymentsResponse | None, Ways | None]:
    """What they owe, their invoices and payments, and how they pay."""
    wanted = InvoiceFilter.INVOICE_FILTER_UNSPECIFIED if everything else InvoiceFilter.INVOICE_FILTER_PAYABLE
    return await asyncio.gather(
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
        if_there(_ways(page, customer_id)),
    )


@get("/customers/{customer_id:str}", name="console.customer")
async def show(page: Page, customer_id: FromPath[str]) -> Response[str]:
    """Open invoices unless `?show=all`."""
    everything = page.query("show") == "all"
    customer, below, staff, waiting, money = await asyncio.gather(
        page.call(page.to.customers.GetCustomer, GetCustomerRequest(customer_id=customer_id)),
        page.call(page.to.customers.ListSubsidiaries, ListSubsidiariesRequest(customer_id=customer_id)),
        staff_names(page),
        _waiting(page, customer_id),
        _money(page, customer_id, everything=everything),
    )
    summary, invoices, payments, ways = money
    segments, parent, pauses, organization = await asyncio.gather(
        segments_of(page, customer_id, list(customer.segments)),
        _parent(page, customer),
        pauses_of(page, customer_id),
        page.organization(),
    )
    methods, autopay, rules, scheduled = ways or (None, None, None, None)
    saved = list(methods.payment_methods) if methods else []
    return page.render(
        "console_customer.html",
        customer=customer,
        balances=summary.balances,
        invoices=invoices.invoices,
        next_token=invoices.next_page_token,
        everything=everything,
        payments=payments.payments if payments else [],
        payments_known=payments is not None,
        segment=", ".join(segments),
        subsidiaries=below.subsidiaries,
        parent=parent,
        staff=staff,
        waiting=waiting,
        pauses=pauses,
        key=page.new_key(),
        order_words=billing.order_words,
        treatments=dict(treatments()),
        methods=saved,
        method_state=method_state,
        autopay=autopay,
        autopay_method=_autopay_method(saved, autopay) if autopay else "",
        rules=rules,
        scheduled=scheduled.payments if scheduled else [],
        zone=organization.time_zone or "UTC",
        **WORDS,
    )
