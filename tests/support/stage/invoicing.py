"""Stand-in for invoicing."""

from typing import Any

from chassis.caller import Audience, current_call
from chassis.errors import not_found
from tallyport.common.v1.money_pb2 import Money
from tallyport.invoicing.v1 import customers_pb2 as customers
from tallyport.invoicing.v1 import invoices_pb2 as invoices
from tallyport.invoicing.v1 import pay_links_pb2 as pay_links
from tallyport.invoicing.v1.customers_pb2_grpc import CustomersServicer, add_CustomersServicer_to_server
from tallyport.invoicing.v1.documents_pb2_grpc import add_DocumentsServicer_to_server
from tallyport.invoicing.v1.einvoices_pb2_grpc import add_EInvoicesServicer_to_server
from tallyport.invoicing.v1.invoices_pb2_grpc import InvoicesServicer, add_InvoicesServicer_to_server
from tallyport.invoicing.v1.pay_links_pb2_grpc import PayLinksServicer, add_PayLinksServicer_to_server
from tests.support.documents import StandInDocuments, StandInEInvoices
from tests.support.stage.data import CUSTOMER_ID, LINK_TOKEN, ORGANIZATION_ID, Stage, usd
from tests.support.stage.receivables import receivables

_PAGE = 6
_F = invoices.InvoiceFilter


class Invoicing(InvoicesServicer, CustomersServicer, PayLinksServicer):
    """Lists, figures, documents and one pay link, for the first invoice."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def GetInvoice(self, request: Any, context: Any) -> invoices.Invoice:
        invoice = self._stage.invoices.get(request.invoice_id)
        caller = current_call().caller
        if invoice is None or (
            caller.audience is Audience.PAY_LINK and caller.invoice_id != request.invoice_id
        ):
            raise not_found("invoice")
        return invoice

    async def ListInvoices(self, request: Any, context: Any) -> invoices.ListInvoicesResponse:
        found = [invoice for invoice in self._stage.invoices.values() if _matches(invoice, request)]
        found.sort(key=lambda invoice: invoice.due_date, reverse=request.filter not in (1, 2))
        start = int(request.page_token or 0)
        size = min(request.page_size or 25, _PAGE if request.page_size <= 25 else 100)
        page = found[start : start + size]
        more = str(start + size) if start + size < len(found) else ""
        return invoices.ListInvoicesResponse(invoices=page, next_page_token=more)

    async def GetInvoicePdf(self, request: Any, context: Any) -> invoices.Document:
        invoice = await self.GetInvoice(request, context)
        return invoices.Document(
            file_name=f"{invoice.number}.pdf", media_type="application/pdf", content=b"%PDF-1.7 stand-in"
        )

    async def ListInvoicePayments(self, request: Any, context: Any) -> invoices.ListInvoicePaymentsResponse:
        invoice = await self.GetInvoice(request, context)
        paid = invoice.amount_paid.minor_units
        allocation = invoices.Allocation(
            payment_id="pay_2", receipt_number="R-501", amount=usd(paid), received_on=invoice.invoice_date
        )
        return invoices.ListInvoicePaymentsResponse(allocations=[allocation] if paid else [])

    async def GetAccountSummary(self, request: Any, context: Any) -> customers.AccountSummary:
        payable = [
            one
            for one in self._stage.invoices.values()
            if one.customer_id == CUSTOMER_ID and one.amount_due.minor_units > 0
        ]
        overdue = [one for one in payable if one.overdue]
        balance = customers.AccountBalance(
            open=_sum(payable),
            overdue=_sum(overdue),
            due_in_7_days=usd(279_875),
            due_in_30_days=usd(1_546_175),
            processing=usd(sum(one.amount_processing.minor_units for one in payable)),
            credit=usd(4_200),
            open_invoices=len(payable),
            overdue_invoices=len(overdue),
            next_due_date=min((one.due_date for one in payable), default=""),
        )
        return customers.AccountSummary(customer_id=CUSTOMER_ID, balances=[balance])

    async def ListSubsidiaries(self, request: Any, context: Any) -> customers.ListSubsidiariesResponse:
        found = []
        for customer_id, name in self._stage.companies.items():
            owed = [one for one in self._stage.invoices.values() if one.customer_id == customer_id]
            customer = customers.Customer(customer_id=customer_id, name=name, currency="USD")
            balance = customers.CustomerBalance(
                customer=customer, open=_sum(owed), overdue=usd(0), open_invoices=len(owed)
            )
            found.append(customers.Subsidiary(balance=balance, depth=1))
        return customers.ListSubsidiariesResponse(subsidiaries=found)

    async def ResolvePayLink(self, request: Any, context: Any) -> pay_links.ResolvedPayLink:
        if request.token != LINK_TOKEN:
            raise not_found("pay link")
        link = pay_links.ResolvedPayLink(
            pay_link_id="plk_1", organization_id=ORGANIZATION_ID, customer_id=CUSTOMER_ID, invoice_id="inv_1"
        )
        link.expires_at.FromSeconds(self._stage.expires_at() + 86_400)
        return link


def _matches(invoice: invoices.Invoice, request: Any) -> bool:
    payable = invoice.amount_due.minor_units > 0
    kept = {
        _F.INVOICE_FILTER_PAYABLE: payable,
        _F.INVOICE_FILTER_OVERDUE: invoice.overdue,
        _F.INVOICE_FILTER_PAID: not payable,
        _F.INVOICE_FILTER_DISPUTED: invoice.disputed,
    }.get(request.filter, True)
    is_theirs = invoice.customer_id == (request.customer_id or CUSTOMER_ID)
    return (
        is_theirs
        and kept
        and request.query.lower() in f"{invoice.number} {invoice.purchase_order_number}".lower()
    )


def _sum(found: list[invoices.Invoice]) -> Money:
    return usd(sum(invoice.amount_due.minor_units for invoice in found))


def servicers(invoicing: Invoicing) -> list[tuple[Any, object]]:
    """As a server takes them."""
    return [
        (add_InvoicesServicer_to_server, invoicing),
        (add_CustomersServicer_to_server, invoicing),
        (add_PayLinksServicer_to_server, invoicing),
        (add_DocumentsServicer_to_server, StandInDocuments()),
        (add_EInvoicesServicer_to_server, StandInEInvoices("inv_1")),
        *receivables(),
    ]
