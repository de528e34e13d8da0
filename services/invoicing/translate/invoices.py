"""Invoices, their lists and what was paid on them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from services.invoicing.domain.invoice import Invoice, InvoiceKind, Status
from services.invoicing.domain.invoice_draft import InvoiceChanges, InvoiceDraft
from services.invoicing.domain.line_price import prices
from services.invoicing.operations.asked_invoices import AskedInvoice
from services.invoicing.store.invoice_lists import InvoiceFilter
from services.invoicing.store.payments import InvoicePayment
from services.invoicing.translate.pricing import (
    from_proto_lines,
    from_proto_term_changes,
    from_proto_terms,
    to_proto_line,
    to_proto_taxes,
    to_proto_terms,
)
from services.invoicing.translate.values import (
    from_proto_day,
    from_proto_text,
    to_proto_money,
    to_proto_time,
)
from tallyport.invoicing.v1 import invoices_pb2 as pb

_STATUS: Mapping[Status, pb.InvoiceStatus.ValueType] = {
    Status.DRAFT: pb.INVOICE_STATUS_DRAFT,
    Status.OPEN: pb.INVOICE_STATUS_OPEN,
    Status.PARTLY_PAID: pb.INVOICE_STATUS_PARTLY_PAID,
    Status.PAID: pb.INVOICE_STATUS_PAID,
    Status.VOID: pb.INVOICE_STATUS_VOID,
    Status.UNCOLLECTIBLE: pb.INVOICE_STATUS_UNCOLLECTIBLE,
}
_FILTER: Mapping[pb.InvoiceFilter.ValueType, InvoiceFilter] = {
    pb.INVOICE_FILTER_UNSPECIFIED: InvoiceFilter.ALL,
    pb.INVOICE_FILTER_PAYABLE: InvoiceFilter.PAYABLE,
    pb.INVOICE_FILTER_OVERDUE: InvoiceFilter.OVERDUE,
    pb.INVOICE_FILTER_PAID: InvoiceFilter.PAID,
    pb.INVOICE_FILTER_DRAFT: InvoiceFilter.DRAFT,
    pb.INVOICE_FILTER_DISPUTED: InvoiceFilter.DISPUTED,
    pb.INVOICE_FILTER_UNCOLLECTIBLE: InvoiceFilter.UNCOLLECTIBLE,
}
_KIND: Mapping[InvoiceKind, pb.InvoiceKind.ValueType] = {
    InvoiceKind.INVOICE: pb.INVOICE_KIND_INVOICE,
    InvoiceKind.FEE: pb.INVOICE_KIND_FEE,
    InvoiceKind.LATE_FEE: pb.INVOICE_KIND_LATE_FEE,
}


def from_proto_filter(value: pb.InvoiceFilter.ValueType) -> InvoiceFilter:
    return _FILTER[value]


def from_proto_invoice(request: pb.CreateInvoiceRequest) -> InvoiceDraft:
    return InvoiceDraft(
        customer_id=request.customer_id,
        lines=from_proto_lines(request.lines),
        invoice_date=from_proto_day("invoice_date", request.invoice_date),
        due_date=from_proto_day("due_date", request.due_date),
        purchase_order_number=from_proto_text("purchase_order_number", request.purchase_order_number),
        memo=from_proto_text("memo", request.memo),
        external_id=from_proto_text("external_id", request.external_id) or None,
        terms=from_proto_terms(request),
    )


def from_proto_invoice_changes(request: pb.UpdateInvoiceRequest) -> InvoiceChanges:
    order_number = request.purchase_order_number if request.HasField("purchase_order_number") else None
    return InvoiceChanges(
        lines=from_proto_lines(request.lines),
        invoice_date=from_proto_day("invoice_date", request.invoice_date),
        due_date=from_proto_day("due_date", request.due_date),
        purchase_order_number=(
            None if order_number is None else from_proto_text("purchase_order_number", order_number)
        ),
        memo=from_proto_text("memo", request.memo) if request.HasField("memo") else None,
        terms=from_proto_term_changes(request),
    )


def to_proto_invoice(invoice: Invoice, today: date) -> pb.Invoice:
    """The invoice with lines and taxes where it has been read with them. `today` decides what is overdue."""
    days_overdue, sums = invoice.days_overdue(today), invoice.sums()
    return pb.Invoice(
        invoice_id=invoice.invoice_id,
        number=invoice.number or "",
        customer_id=invoice.customer_id,
        customer_name=invoice.buyer.name,
        status=_STATUS[invoice.status],
        invoice_date=invoice.invoice_date.isoformat(),
        due_date=invoice.due_date.isoformat(),
        overdue=days_overdue > 0,
        days_overdue=days_overdue,
        lines=[
            to_proto_line(line, price)
            for line, price in zip(invoice.lines, prices(invoice, sums), strict=True)
        ],
        taxes=to_proto_taxes(sums.taxes),
        subtotal=to_proto_money(invoice.subtotal),
        tax_total=to_proto_money(invoice.tax_total),
        total=to_proto_money(invoice.total),
        amount_paid=to_proto_money(invoice.paid),
        amount_processing=to_proto_money(invoice.reserved),
        amount_due=to_proto_money(invoice.due),
        purchase_order_number=invoice.purchase_order_number,
        memo=invoice.memo,
        external_id=invoice.external_id or "",
        disputed=invoice.is_disputed,
        version=invoice.version,
        finalized_at=to_proto_time(invoice.finalized_at),
        paid_at=to_proto_time(invoice.paid_at),
        created_at=to_proto_time(invoice.created_at),
        amount_credited=to_proto_money(invoice.credited),
        kind=_KIND[invoice.terms.kind],
        amount_disputed=to_proto_money(invoice.in_dispute),
        discount=to_proto_money(sums.discount) if invoice.lines else None,
        early_discount=to_proto_money(invoice.early_discount),
        amount_written_off=to_proto_money(invoice.written_off),
        **to_proto_terms(invoice.terms),
    )


def to_proto_asked_invoice(asked: AskedInvoice, today: date) -> pb.Invoice:
    """The invoice with what is asked for of it today."""
    told, demand = to_proto_invoice(asked.invoice, today), asked.demand
    if asked.early_payment is not None:
        told.early_payment.CopyFrom(to_proto_money(asked.early_payment))
    if asked.granted is not None:
        told.early_discount.CopyFrom(to_proto_money(asked.granted))
    if demand is not None:
        told.instalment.CopyFrom(
            pb.InvoiceInstalment(
                plan_id=demand.plan_id,
                asked_now=to_proto_money(demand.asked),
                number=demand.number,
                count=demand.count,
                due_on=demand.due_on.isoformat(),
                amount=to_proto_money(demand.missing),
            )
        )
    return told


def to_proto_invoice_page(
    invoices: Sequence[AskedInvoice], token: str, today: date
) -> pb.ListInvoicesResponse:
    return pb.ListInvoicesResponse(
        invoices=[to_proto_asked_invoice(one, today) for one in invoices], next_page_token=token
    )


def to_proto_invoice_payments(payments: Iterable[InvoicePayment]) -> pb.ListInvoicePaymentsResponse:
    return pb.ListInvoicePaymentsResponse(
        allocations=[
            pb.Allocation(
                payment_id=payment.payment_id,
                receipt_number=payment.receipt_number,
                amount=to_proto_money(payment.amount),
                received_on=payment.received_on.isoformat(),
            )
            for payment in payments
        ]
    )
