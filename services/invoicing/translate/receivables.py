"""Totals of the organization."""

from services.invoicing.domain.receivables import CurrencyReceivables, Receivables
from services.invoicing.translate.values import to_proto_money
from tallyport.invoicing.v1 import invoices_pb2 as pb


def to_proto_receivables(overview: Receivables) -> pb.ReceivablesOverview:
    return pb.ReceivablesOverview(
        currencies=[_currency(currency) for currency in overview.currencies],
        as_of=overview.as_of.isoformat(),
        drafts=overview.drafts,
        oldest_draft_on=overview.oldest_draft_on.isoformat() if overview.oldest_draft_on else "",
    )


def _currency(totals: CurrencyReceivables) -> pb.CurrencyReceivables:
    return pb.CurrencyReceivables(
        open=to_proto_money(totals.open),
        overdue=to_proto_money(totals.overdue),
        disputed=to_proto_money(totals.disputed),
        unapplied_credit=to_proto_money(totals.unapplied_credit),
        aging=[
            pb.AgingBucket(name=bucket.name, amount=to_proto_money(bucket.amount), invoices=bucket.invoices)
            for bucket in totals.aging
        ],
        open_invoices=totals.open_invoices,
        overdue_invoices=totals.overdue_invoices,
        days_sales_outstanding=str(totals.days_sales_outstanding),
        top_debtors=[
            pb.Debtor(
                customer_id=debtor.customer_id,
                name=debtor.name,
                open=to_proto_money(debtor.open),
                overdue=to_proto_money(debtor.overdue),
            )
            for debtor in totals.top_debtors
        ],
    )
