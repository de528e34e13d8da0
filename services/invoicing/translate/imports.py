"""Imports."""

from collections.abc import Mapping

from services.invoicing.domain.invoice_import import DateOrder, Import, ImportState, Row
from services.invoicing.translate.values import to_proto_money, to_proto_time
from tallyport.invoicing.v1 import imports_pb2 as pb

_STATE: Mapping[ImportState, pb.ImportState.ValueType] = {
    ImportState.PREVIEW: pb.IMPORT_STATE_PREVIEW,
    ImportState.RUNNING: pb.IMPORT_STATE_RUNNING,
    ImportState.DONE: pb.IMPORT_STATE_DONE,
}
_DATE_ORDER: Mapping[pb.DateOrder.ValueType, DateOrder] = {
    pb.DATE_ORDER_UNSPECIFIED: DateOrder.YEAR_MONTH_DAY,
    pb.DATE_ORDER_DAY_MONTH_YEAR: DateOrder.DAY_MONTH_YEAR,
    pb.DATE_ORDER_MONTH_DAY_YEAR: DateOrder.MONTH_DAY_YEAR,
}


def from_proto_date_order(value: pb.DateOrder.ValueType) -> DateOrder:
    return _DATE_ORDER[value]


def to_proto_import(imported: Import) -> pb.Import:
    return pb.Import(
        import_id=imported.import_id,
        file_name=imported.file_name,
        state=_STATE[imported.state],
        total_rows=imported.total_rows,
        handled_rows=imported.handled_rows,
        created_rows=imported.created_rows,
        unchanged_rows=imported.unchanged_rows,
        failed_rows=imported.failed_rows,
        errors=[
            pb.ImportError(line=error.line, column=error.column, message=error.message)
            for error in imported.errors
        ],
        sample=[_row(row) for row in imported.sample],
        created_at=to_proto_time(imported.created_at),
        finished_at=to_proto_time(imported.finished_at),
    )


def _row(row: Row) -> pb.ImportedRow:
    return pb.ImportedRow(
        line=row.line,
        external_id=row.external_id,
        customer_external_id=row.customer_external_id,
        customer_name=row.customer_name,
        invoice_date=row.invoice_date.isoformat(),
        due_date=row.due_date.isoformat(),
        total=to_proto_money(row.total),
        disputed=row.disputed,
        settled_date=row.settled_date.isoformat() if row.settled_date else "",
    )
