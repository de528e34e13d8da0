"""Overview: what is owed, what is due now, and one button to pay it; of a parent with all companies below."""

import asyncio

from litestar import Response, get

from chassis.money import Money
from services.gateway.portal import autopay, owing, planned, subsidiaries
from services.gateway.web.page import Page
from services.gateway.web.plans import sign_words
from services.gateway.web.rendering import money_of
from tallyport.invoicing.v1.customers_pb2 import AccountBalance, GetAccountSummaryRequest
from tallyport.payments.v1.payments_pb2 import ListPaymentsRequest

_SHOWN_INVOICES = 6
_SHOWN_PAYMENTS = 4
_SHOWN_BEGUN = 3


@get("/", name="portal.dashboard")
async def show(page: Page) -> Response[str]:
    """Everything is asked at once, so that the page takes as long as the slowest answer."""
    (
        (summary, begun, recent),
        (companies, listed),
        automatic,
        help_,
        today,
        organization,
    ) = await asyncio.gather(
        asyncio.gather(
            page.call(
                page.to.customers.GetAccountSummary,
                GetAccountSummaryRequest(customer_id=page.session.customer_id),
            ),
            owing.begun(page),
            page.call(page.to.payments.ListPayments, ListPaymentsRequest(page_size=_SHOWN_PAYMENTS)),
        ),
        subsidiaries.family(page),
        autopay.standing(page),
        planned.help_for(page),
        page.today(),
        page.organization(),
    )
    held = sum(begun.held(one.invoice_id) for one in listed if one.customer_id == page.session.customer_id)
    listed = [begun.set_aside(one) for one in listed]
    of_one = owing.of_one_currency(listed)
    currency = of_one[0].total.currency if of_one else summary.balances[0].open.currency
    main = next((one for one in summary.balances if one.open.currency == currency), None)
    due = [one for one in of_one if owing.is_due(one, owing.due_by(today))]
    late = [
        one for one in due if one.overdue and not one.HasField("instalment") and not owing.asked(one).is_zero
    ]
    sums = subsidiaries.open_sums(summary.balances, companies)
    owed = sums.pop(currency, subsidiaries.Owed(Money.zero(currency), 0))
    due_now = owing.total(due, currency, owing.asked)
    payable_now = due_now if not due_now.is_zero else owing.total(of_one, currency, owing.payable)
    return page.render(
        "dashboard.html",
        main=main,
        due_now=due_now,
        besides=owing.besides(of_one, owed.amount - payable_now, later=not due_now.is_zero),
        soon=_new_sum(main, {owed.amount, due_now}),
        late_count=len(late),
        late=owing.total(late, currency, owing.asked),
        next_due=owing.next_due(of_one, today),
        help=help_,
        suggestion_signs=sign_words,
        all_open=owing.total(of_one, currency, owing.payable),
        owed=owed,
        owed_besides=[one.amount for one in sums.values()],
        invoices=listed[:_SHOWN_INVOICES],
        payable=owing.payable,
        asked=owing.asked,
        begun=begun.payments[:_SHOWN_BEGUN],
        on_its_way=Money(max(0, main.processing.minor_units - held), currency) if main else None,
        payments=recent.payments,
        automatic=automatic,
        plan_asks_nothing=any(one.HasField("instalment") for one in of_one),
        companies=companies,
        companies_open=subsidiaries.total_open(companies, currency),
        organization=organization,
        today=today,
    )


def _new_sum(main: AccountBalance | None, told: set[Money]) -> Money | None:
    """What falls due within 30 days, where the page does not say that sum already."""
    soon = money_of(main.due_in_30_days) if main else None
    return soon if soon and not soon.is_zero and soon not in told else None
