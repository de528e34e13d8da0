"""Tax codes and previews of invoices over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.list_tax_rates import list_tax_rates
from services.invoicing.operations.preview_invoice import preview_invoice
from services.invoicing.operations.put_tax_rate import put_tax_rate
from services.invoicing.translate.invoices import from_proto_invoice
from services.invoicing.translate.items import to_proto_tax_rates
from services.invoicing.translate.pricing import from_proto_taxes
from services.invoicing.translate.values import from_proto_day, from_proto_text
from tallyport.invoicing.v1 import invoices_pb2, taxes_pb2_grpc
from tallyport.invoicing.v1 import taxes_pb2 as pb


class Taxes(taxes_pb2_grpc.TaxesServicer):
    """How sales are taxed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def PutTaxRate(self, request: pb.PutTaxRateRequest, context: Any) -> pb.TaxRate:
        return await put_tax_rate(
            self._db,
            request.code,
            name=from_proto_text("name", request.name),
            taxes=from_proto_taxes("taxes", request.taxes),
            valid_from=from_proto_day("valid_from", request.valid_from),
        )

    async def ListTaxRates(self, request: pb.ListTaxRatesRequest, context: Any) -> pb.ListTaxRatesResponse:
        return to_proto_tax_rates(await list_tax_rates(self._db))

    async def PreviewInvoice(self, request: pb.PreviewInvoiceRequest, context: Any) -> invoices_pb2.Invoice:
        return await preview_invoice(self._db, from_proto_invoice(request.invoice))
