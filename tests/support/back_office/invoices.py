"""Stand-in for invoicing's invoices and imports."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from chassis.errors import Kind, ServiceError, invalid, not_found
from tallyport.invoicing.v1 import imports_pb2 as imports
from tallyport.invoicing.v1 import invoices_pb2 as invoices
from tallyport.invoicing.v1.imports_pb2_grpc import ImportsServicer
from tallyport.invoicing.v1.invoices_pb2_grpc import InvoicesServicer
from tallyport.notifications.v1.messages_pb2 import MessageKind
from tests.support.back_office.books import Books, usd
from tests.support.back_office.keys import once
from tests.support.back_office.receivables import PAYABLE, overview

_F = invoices.InvoiceFilter


class Invoices(InvoicesServicer):
    """From draft to void."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def CreateInvoice(self, request: Any, context: Any) -> invoices.Invoice:
        def make() -> invoices.Invoice:
            customer = self._books.customers[request.customer_id]
            day = request.invoice_date or self._books.today.isoformat()
            due = date.fromisoformat(day) + timedelta(days=customer.payment_terms_days)
            invoice = invoices.Invoice(
                invoice_id=f"inv_n{len(self._books.invoices)}",
                customer_id=customer.customer_id,
                customer_name=customer.name,
                status=invoices.INVOICE_STATUS_DRAFT,
                invoice_date=day,
                due_date=request.due_date or due.isoformat(),
                purchase_order_number=request.purchase_order_number,
                memo=request.memo,
                version=1,
            )
            self._fill(invoice, request.lines)
            invoice.created_at.GetCurrentTime()
            self._books.invoices[invoice.invoice_id] = invoice
            return invoice

        return once(self._books, self._books.invoices, make, "invoice_id")

    async def UpdateInvoice(self, request: Any, context: Any) -> invoices.Invoice:
        self._books.calls.append("UpdateInvoice")
        invoice = await self.GetInvoice(request, context)
        for name in ("invoice_date", "due_date", "purchase_order_number", "memo"):
            if request.HasField(name):
                setattr(invoice, name, getattr(request, name))
        self._fill(invoice, request.lines)
        return invoice

    async def FinalizeInvoice(self, request: Any, context: Any) -> invoices.Invoice:
        def finish() -> invoices.Invoice:
            invoice = self._books.invoices[request.invoice_id]
            invoice.status = invoices.INVOICE_STATUS_OPEN
            invoice.number = f"INV-{2000 + len(self._books.invoices)}"
            invoice.finalized_at.GetCurrentTime()
            customer = self._books.customers[invoice.customer_id]
            self._books.add_message(invoice.invoice_id, customer, MessageKind.MESSAGE_KIND_INVOICE)
            return invoice

        return once(self._books, self._books.invoices, finish, "invoice_id")

    async def VoidInvoice(self, request: Any, context: Any) -> invoices.Invoice:
        def void() -> invoices.Invoice:
            invoice = self._books.invoices[request.invoice_id]
            if invoice.amount_paid.minor_units:
                raise ServiceError(
                    Kind.FAILED_PRECONDITION, "INVOICE_NOT_VOIDABLE", "Something was paid on this invoice."
                )
            invoice.status = invoices.INVOICE_STATUS_VOID
            invoice.overdue = False
            return invoice

        return once(self._books, self._books.invoices, void, "invoice_id")

    async def GetInvoice(self, request: Any, context: Any) -> invoices.Invoice:
        if request.invoice_id not in self._books.invoices:
            raise not_found("invoice")
        return self._books.invoices[request.invoice_id]

    async def ListInvoices(self, request: Any, context: Any) -> invoices.ListInvoicesResponse:
        found = [one for one in self._books.invoices.values() if _matches(one, request)]
        found.sort(key=lambda one: one.due_date, reverse=request.filter not in (1, 2))
        start, size = int(request.page_token or 0), request.page_size or 25
        more = str(start + size) if start + size < len(found) else ""
        return invoices.ListInvoicesResponse(invoices=found[start : start + size], next_page_token=more)

    async def GetInvoicePdf(self, request: Any, context: Any) -> invoices.Document:
        invoice = await self.GetInvoice(request, context)
        return invoices.Document(
            file_name=f"{invoice.number}.pdf", media_type="application/pdf", content=b"%PDF-1.7 stand-in"
        )

    async def ListInvoicePayments(self, request: Any, context: Any) -> invoices.ListInvoicePaymentsResponse:
        found = [
            invoices.Allocation(
                payment_id=payment.payment_id,
                receipt_number=payment.receipt_number,
                amount=part.amount,
                received_on=payment.received_on,
            )
            for payment in self._books.payments.values()
            for part in payment.parts
            if payment.receipt_number and part.invoice_id == request.invoice_id
        ]
        return invoices.ListInvoicePaymentsResponse(allocations=found)

    async def GetReceivablesOverview(self, request: Any, context: Any) -> invoices.ReceivablesOverview:
        if "invoicing" in self._books.away:
            raise ServiceError(Kind.UNAVAILABLE, "SERVICE_UNAVAILABLE", "Away.")
        return overview(self._books)

    def _fill(self, invoice: invoices.Invoice, wanted: Any) -> None:
        del invoice.lines[:], invoice.taxes[:]
        taxed: dict[str, int] = {}
        for index, line in enumerate(wanted):
            item = self._books.items.get(line.item_id)
            description = line.description or (item.name if item else "")
            if not description:
                raise invalid(f"lines[{index}].description", "required", "Say what is sold, or name an item.")
            if not line.HasField("unit_price") and item is None:
                raise invalid(f"lines[{index}].unit_price", "required", "Give a price, or name an item.")
            price = line.unit_price if line.HasField("unit_price") or item is None else item.unit_price
            rate = line.tax_rate_percent or (item.tax_rate_percent if item else "") or "0"
            amount = _half_up(Decimal(line.quantity or "1") * price.minor_units)
            taxed[rate] = taxed.get(rate, 0) + amount
            invoice.lines.add(
                item_id=line.item_id,
                description=description,
                quantity=line.quantity or "1",
                unit_price=price,
                tax_rate_percent=rate,
                amount=usd(amount),
            )
        for rate, units in sorted(taxed.items()):
            if Decimal(rate):
                invoice.taxes.add(
                    rate_percent=rate, taxable=usd(units), tax=usd(_half_up(units * Decimal(rate) / 100))
                )
        subtotal, tax = sum(taxed.values()), sum(one.tax.minor_units for one in invoice.taxes)
        invoice.subtotal.CopyFrom(usd(subtotal))
        invoice.tax_total.CopyFrom(usd(tax))
        invoice.total.CopyFrom(usd(subtotal + tax))
        invoice.amount_due.CopyFrom(usd(subtotal + tax))
        invoice.amount_paid.CopyFrom(usd(0))
        invoice.amount_processing.CopyFrom(usd(0))


class Imports(ImportsServicer):
    """Reads lines as they are; asking for progress makes some."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def CreateImport(self, request: Any, context: Any) -> imports.Import:
        def make() -> imports.Import:
            rows = request.content.decode().strip().splitlines()[1:]
            done = imports.Import(
                import_id=f"imp_{len(self._books.imports) + 1}",
                file_name=request.file_name,
                state=imports.IMPORT_STATE_PREVIEW,
                kind=request.kind,
                format=imports.IMPORT_FORMAT_CSV,
                columns=["invoice number", "DueDate"],
                fields=[imports.ImportField(name="external_id", needed=True)],
                total_rows=len(rows),
                created_rows=max(0, len(rows) - 3),
                unchanged_rows=1,
                failed_rows=2,
                errors=[
                    imports.ImportError(
                        line=4,
                        column="DueDate",
                        message="31/02/2026 is not a day. Write it as day/month/year.",
                    ),
                    imports.ImportError(
                        line=6, column="InvoiceAmount", message="“12,5,0” is not an amount. Write 12.50."
                    ),
                ],
            )
            for line, row in enumerate(rows[:10], start=2):
                external_id, customer, day, due, amount = (row.split(",") + [""] * 5)[:5]
                done.sample.add(
                    line=line,
                    external_id=external_id,
                    customer_external_id=customer,
                    customer_name=customer,
                    invoice_date=day,
                    due_date=due,
                    total=usd(round(float(amount or 0) * 100)),
                )
            done.created_at.GetCurrentTime()
            self._books.imports[done.import_id] = done
            return done

        return once(self._books, self._books.imports, make, "import_id")

    async def StartImport(self, request: Any, context: Any) -> imports.Import:
        def start() -> imports.Import:
            running = self._books.imports[request.import_id]
            running.state = imports.IMPORT_STATE_RUNNING
            return running

        return once(self._books, self._books.imports, start, "import_id")

    async def ListImports(self, request: Any, context: Any) -> imports.ListImportsResponse:
        return imports.ListImportsResponse(imports=reversed(self._books.imports.values()))

    async def ListImportMappings(self, request: Any, context: Any) -> imports.ListImportMappingsResponse:
        return imports.ListImportMappingsResponse()

    async def ReviseImport(self, request: Any, context: Any) -> imports.Import:
        revised = self._books.imports[request.import_id]
        del revised.mapping[:], revised.missing_fields[:]
        revised.mapping.extend(one for one in request.mapping if one.column)
        return revised

    async def UndoImport(self, request: Any, context: Any) -> imports.Import:
        undone = self._books.imports[request.import_id]
        undone.state, undone.undo_reason = imports.IMPORT_STATE_UNDONE, request.reason
        undone.undone_records, undone.kept_records = undone.created_rows, 0
        return undone

    async def GetImport(self, request: Any, context: Any) -> imports.Import:
        found = self._books.imports.get(request.import_id)
        if found is None:
            raise not_found("import")
        if found.state == imports.IMPORT_STATE_RUNNING:
            found.handled_rows = min(found.total_rows, found.handled_rows + self._books.import_step_rows)
            if found.handled_rows == found.total_rows:
                found.state = imports.IMPORT_STATE_DONE
                found.finished_at.GetCurrentTime()
        return found


def _half_up(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def _matches(invoice: invoices.Invoice, request: Any) -> bool:
    kept = {
        _F.INVOICE_FILTER_PAYABLE: invoice.status in PAYABLE,
        _F.INVOICE_FILTER_OVERDUE: invoice.overdue,
        _F.INVOICE_FILTER_PAID: invoice.status == invoices.INVOICE_STATUS_PAID,
        _F.INVOICE_FILTER_DRAFT: invoice.status == invoices.INVOICE_STATUS_DRAFT,
        _F.INVOICE_FILTER_DISPUTED: invoice.disputed,
    }.get(request.filter, True)
    text = f"{invoice.number} {invoice.purchase_order_number} {invoice.customer_name}".lower()
    return kept and request.query.lower() in text and request.customer_id in ("", invoice.customer_id)
