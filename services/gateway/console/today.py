"""Today's money: what came in, what is open, what needs somebody."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel.numbers import format_decimal
from litestar import Response, get

from services.gateway.console.asking import if_there
from services.gateway.console.einvoices import address_of
from services.gateway.console.names import customer_names
from services.gateway.console.reconciliation.words import age
from services.gateway.console.words import WORDS
from services.gateway.web import einvoices
from services.gateway.web.languages import current, date_text, money_text
from services.gateway.web.languages import gettext as _
from services.gateway.web.languages import ngettext as plural
from services.gateway.web.page import Page
from services.gateway.web.pictures import Share
from services.gateway.web.rendering import money_of
from tallyport.invoicing.v1.einvoices_pb2 import ListEInvoicesRequest, ListEInvoicesResponse
from tallyport.invoicing.v1.invoices_pb2 import (
    AgingBucket,
    CurrencyReceivables,
    GetReceivablesOverviewRequest,
    ReceivablesOverview,
)
from tallyport.notifications.v1.messages_pb2 import ListMessagesRequest, ListMessagesResponse, MessageState
from tallyport.payments.v1.payments_pb2 import (
    CurrencyPayments,
    GetPaymentsOverviewRequest,
    ListPaymentsRequest,
    ListPaymentsResponse,
    PaymentsOverview,
    PaymentStatus,
)
from tallyport.payments.v1.reconciliation_pb2 import (
    GetReconciliationOverviewRequest,
    ReconciliationOverview,
)

_SHOWN_PAYMENTS = 5
_SHOWN_PROBLEMS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the services answered; None for one that cannot be reached just now."""

    owed: ReceivablesOverview | None
    paid: PaymentsOverview | None
    latest: ListPaymentsResponse | None
    checked: ListPaymentsResponse | None
    failed_mails: ListMessagesResponse | None
    bank: ReconciliationOverview | None
    einvoices: ListEInvoicesResponse | None

    @property
    def complete(self) -> bool:
        asked = (self.owed, self.paid, self.latest, self.checked, self.failed_mails, self.bank)
        return None not in (*asked, self.einvoices)

    def currencies(self, first: str) -> list[str]:
        """Every currency with a figure, the organization's own first."""
        found = {entry.open.currency for entry in self.owed.currencies} if self.owed else set()
        found |= {entry.received_today.currency for entry in self.paid.currencies} if self.paid else set()
        return sorted(found | ({first} if not found else set()), key=lambda one: (one != first, one))

    def owed_in(self, currency: str) -> CurrencyReceivables | None:
        """None when unknown; empty when nothing was ever owed in it."""
        if self.owed is None:
            return None
        entries = (entry for entry in self.owed.currencies if entry.open.currency == currency)
        return next(entries, CurrencyReceivables())

    def paid_in(self, currency: str) -> CurrencyPayments | None:
        """None when unknown; empty when nothing ever came in in it."""
        if self.paid is None:
            return None
        entries = (entry for entry in self.paid.currencies if entry.received_today.currency == currency)
        return next(entries, CurrencyPayments())


async def gather_figures(page: Page) -> Figures:
    """Everything at once; each service that is away leaves a gap of its own."""
    unknown = ListPaymentsRequest(status=PaymentStatus.PAYMENT_STATUS_UNKNOWN, page_size=_SHOWN_PROBLEMS)
    failed = ListMessagesRequest(state=MessageState.MESSAGE_STATE_FAILED, page_size=_SHOWN_PROBLEMS)
    rejected = ListEInvoicesRequest(waiting=True, page_size=_SHOWN_PROBLEMS)
    figures, problems = await asyncio.gather(
        asyncio.gather(
            if_there(page.call(page.to.invoices.GetReceivablesOverview, GetReceivablesOverviewRequest())),
            if_there(page.call(page.to.payments.GetPaymentsOverview, GetPaymentsOverviewRequest())),
            if_there(
                page.call(page.to.payments.ListPayments, ListPaymentsRequest(page_size=_SHOWN_PAYMENTS))
            ),
            if_there(
                page.call(
                    page.to.reconciliation.GetReconciliationOverview, GetReconciliationOverviewRequest()
                )
            ),
        ),
        asyncio.gather(
            if_there(page.call(page.to.payments.ListPayments, unknown)),
            if_there(page.call(page.to.messages.ListMessages, failed)),
            if_there(page.call(page.to.einvoices.ListEInvoices, rejected)),
        ),
    )
    owed, paid, latest, bank = figures
    checked, failed_mails, waiting = problems
    return Figures(
        owed=owed, paid=paid, latest=latest, checked=checked, failed_mails=failed_mails, bank=bank,
        einvoices=waiting,
    )  # fmt: skip


def age_word(name: str) -> str:
    """An aging bucket as people name it."""
    words = {
        "current": _("Not due yet"),
        "1-30": _("1–30 days late"),
        "31-60": _("31–60 days late"),
        "61-90": _("61–90 days late"),
        "90+": _("Over 90 days late"),
    }
    return words.get(name, name)


def aging_shares(buckets: Sequence[AgingBucket]) -> list[Share]:
    """The parts of the aging bar."""
    return [
        Share(
            age_word(bucket.name),
            bucket.amount.minor_units,
            money_text(money_of(bucket.amount)),
            f"aging-{index}",
        )
        for index, bucket in enumerate(buckets)
    ]


def _decimal(text: str) -> str:
    """A decimal number of the contract as the reader writes it."""
    return format_decimal(Decimal(text), locale=current().locale) if text else "–"


def days_since(day: str, today: str) -> int:
    """Days between two days of the contract; none without the first."""
    return (date.fromisoformat(today) - date.fromisoformat(day)).days if day else 0


def trend_words(received: CurrencyPayments) -> str:
    """What the columns show, for who cannot see them."""
    best = max(received.days, key=lambda one: one.amount.minor_units)
    busy = sum(one.amount.minor_units > 0 for one in received.days)
    days = plural("Money came in on %(count)s day", "Money came in on %(count)s days", busy) % {"count": busy}
    return _("%(days)s. Most on %(day)s: %(amount)s.") % {
        "days": days,
        "day": date_text(best.day),
        "amount": money_text(money_of(best.amount)),
    }


@get("/", name="console.today")
async def show(page: Page) -> Response[str]:
    """One page, figures of this moment."""
    figures, organization = await asyncio.gather(gather_figures(page), page.organization())
    currencies = figures.currencies(organization.currency)
    currency = page.query("currency") if page.query("currency") in currencies else currencies[0]
    owed, paid = figures.owed_in(currency), figures.paid_in(currency)
    latest = figures.latest.payments if figures.latest else []
    checked = figures.checked.payments if figures.checked else []
    today = await page.today()
    names = await customer_names(page, [one.customer_id for one in (*latest, *checked)])
    return page.render(
        "console_today.html",
        figures=figures,
        currency=currency,
        currencies=[(page.with_query(currency=one), one, one == currency) for one in currencies],
        owed=owed,
        paid=paid,
        shares=aging_shares(owed.aging) if owed else [],
        ages=[(age_word(bucket.name), bucket) for bucket in owed.aging] if owed else [],
        trend_words=trend_words(paid) if paid and paid.days else "",
        most_on_a_day=max((one.amount for one in paid.days), key=lambda one: one.minor_units)
        if paid and paid.days
        else None,
        days_to_get_paid=_decimal(owed.days_sales_outstanding) if owed else "",
        latest=latest,
        checked=checked,
        names=names,
        today=today,
        oldest_draft_days=days_since(figures.owed.oldest_draft_on if figures.owed else "", today),
        now=page.now(),
        zone=organization.time_zone or "UTC",
        age=age,
        einvoice_address=address_of,
        **einvoices.WORDS,
        **WORDS,
    )
