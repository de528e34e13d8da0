"""Overview: what is owed, what is due now, and one button to pay it."""

import asyncio

from litestar import Response, get

from services.gateway.portal import autopay, owing, planned, subsidiaries
from services.gateway.web.page import Page
from services.gateway.web.plans import sign_words
from tallyport.invoicing.v1.customers_pb2 import GetAccountSummaryRequest
from tallyport.payments.v1.payments_pb2 import ListPaymentsRequest

_SHOWN_INVOICES = 6
_SHOWN_PAYMENTS = 4


@get("/", name="portal.dashboard")
async def show(page: Page) -> Response[str]:
    """Everything is asked at once, so that the page takes as long as the slowest answer."""
    (
        (summary, listed, payable, recent),
        automatic,
        companies,
        help_,
        today,
        organization,
    ) = await asyncio.gather(
        asyncio.gather(
            page.call(
                page.to.customers.GetAccountSummary,
                GetAccountSummaryRequest(customer_id=page.session.customer_id),
            ),
            owing.open_invoices(page),
            owing.payable_now(page),
            page.call(page.to.payments.ListPayments, ListPaymentsRequest(page_size=_SHOWN_PAYMENTS)),
        ),
        autopay.standing(page),
        subsidiaries.below(page),
        planned.help_for(page),
        page.today(),
        page.organization(),
    )
    balances = list(summary.balances)
    main = balances[0] if balances else None
    currency = main.open.currency if main is not None else organization.currency
    invoices = [one for one in listed if one.total.currency == currency]
    asked = planned.limited(payable, help_.asked)
    last = owing.due_by(today)
    due_now = [one for one in invoices if planned.is_due(one, help_.asked, last) and not asked(one).is_zero]
    return page.render(
        "dashboard.html",
        balances=balances,
        main=main,
        due_now=owing.total(due_now, currency, asked),
        next_due=planned.next_due(invoices, help_, today),
        help=help_,
        suggestion_signs=sign_words,
        all_open=owing.total(invoices, currency, payable),
        invoices=listed[:_SHOWN_INVOICES],
        more_invoices=len(listed) > _SHOWN_INVOICES,
        payable=payable,
        payments=recent.payments,
        automatic=automatic,
        companies=companies,
        companies_open=subsidiaries.total_open(companies, currency),
        organization=organization,
        today=today,
    )
