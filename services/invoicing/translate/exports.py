"""Exports between domain and messages."""

from services.invoicing.domain.export import ExportFormat, ExportKind
from services.invoicing.operations.export_receivables import ExportWish
from services.invoicing.translate.invoices import from_proto_filter
from services.invoicing.translate.values import from_proto_day
from tallyport.invoicing.v1 import exports_pb2 as pb

_KINDS = {pb.ExportKind.Value(f"EXPORT_KIND_{kind.name}"): kind for kind in ExportKind}
_FORMATS = {pb.ExportFormat.Value(f"EXPORT_FORMAT_{one.name}"): one for one in ExportFormat}


def from_proto_wish(request: pb.ExportReceivablesRequest) -> ExportWish:
    return ExportWish(
        kind=_KINDS[request.kind],
        format=_FORMATS[request.format],
        first_day=from_proto_day("first_day", request.first_day),
        last_day=from_proto_day("last_day", request.last_day),
        customer_id=request.customer_id,
        include_children=request.include_children,
        filter=from_proto_filter(request.filter),
        byte_order_mark=request.byte_order_mark,
    )
