"""Imports."""

from collections.abc import Iterable, Mapping, Sequence

from chassis.errors import invalid
from services.invoicing.domain.invoice_import import (
    DateOrder,
    DecimalSign,
    How,
    Import,
    ImportFormat,
    ImportKind,
    ImportState,
    Record,
    Row,
    SavedMapping,
)
from services.invoicing.formats.import_fields import FIELDS
from services.invoicing.translate.values import to_proto_money, to_proto_time
from tallyport.invoicing.v1 import imports_pb2 as pb

_STATE: Mapping[ImportState, pb.ImportState.ValueType] = {
    ImportState.PREVIEW: pb.IMPORT_STATE_PREVIEW,
    ImportState.RUNNING: pb.IMPORT_STATE_RUNNING,
    ImportState.DONE: pb.IMPORT_STATE_DONE,
    ImportState.UNDOING: pb.IMPORT_STATE_UNDOING,
    ImportState.UNDONE: pb.IMPORT_STATE_UNDONE,
}
_KIND: Mapping[ImportKind, pb.ImportKind.ValueType] = {
    ImportKind.INVOICES: pb.IMPORT_KIND_INVOICES,
    ImportKind.CUSTOMERS: pb.IMPORT_KIND_CUSTOMERS,
    ImportKind.ITEMS: pb.IMPORT_KIND_ITEMS,
    ImportKind.OPEN_INVOICES: pb.IMPORT_KIND_OPEN_INVOICES,
    ImportKind.HISTORY: pb.IMPORT_KIND_HISTORY,
    ImportKind.CREDIT_NOTES: pb.IMPORT_KIND_CREDIT_NOTES,
}
_FORMAT: Mapping[ImportFormat, pb.ImportFormat.ValueType] = {
    ImportFormat.CSV: pb.IMPORT_FORMAT_CSV,
    ImportFormat.XLSX: pb.IMPORT_FORMAT_XLSX,
    ImportFormat.JSON: pb.IMPORT_FORMAT_JSON,
    ImportFormat.EINVOICE_XML: pb.IMPORT_FORMAT_EINVOICE_XML,
    ImportFormat.EINVOICE_PDF: pb.IMPORT_FORMAT_EINVOICE_PDF,
    ImportFormat.EINVOICE_ZIP: pb.IMPORT_FORMAT_EINVOICE_ZIP,
}
_DATE_ORDER: Mapping[DateOrder, pb.DateOrder.ValueType] = {
    DateOrder.YEAR_MONTH_DAY: pb.DATE_ORDER_YEAR_MONTH_DAY,
    DateOrder.DAY_MONTH_YEAR: pb.DATE_ORDER_DAY_MONTH_YEAR,
    DateOrder.MONTH_DAY_YEAR: pb.DATE_ORDER_MONTH_DAY_YEAR,
}
_DECIMAL_SIGN: Mapping[DecimalSign, pb.DecimalSign.ValueType] = {
    DecimalSign.POINT: pb.DECIMAL_SIGN_POINT,
    DecimalSign.COMMA: pb.DECIMAL_SIGN_COMMA,
}


def from_proto_kind(value: pb.ImportKind.ValueType) -> ImportKind | None:
    """None when it is not set."""
    return {number: kind for kind, number in _KIND.items()}.get(value)


def from_proto_format(value: pb.ImportFormat.ValueType) -> ImportFormat | None:
    """None when it is to be found from the content."""
    return {number: one for one, number in _FORMAT.items()}.get(value)


def from_proto_how(request: pb.CreateImportRequest | pb.ReviseImportRequest, kind: ImportKind | None) -> How:
    """How to understand a file; VALIDATION_FAILED for fields that its kind does not have."""
    mapping: dict[str, str] = {}
    names = {field.name for field in FIELDS[kind]} if kind else None
    for at, one in enumerate(request.mapping):
        if names is not None and one.field not in names:
            raise invalid(f"mapping[{at}].field", "unknown", f"There is no field {one.field}.")
        mapping[one.field] = one.column
    orders = {number: order for order, number in _DATE_ORDER.items()}
    signs = {number: sign for sign, number in _DECIMAL_SIGN.items()}
    return How(mapping, orders.get(request.date_order), signs.get(request.decimal_sign))


def to_proto_import(imported: Import) -> pb.Import:
    how = imported.understanding
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
            pb.ImportError(
                line=error.line,
                column=error.column,
                message=error.message,
                code=error.code,
                params=error.params,
            )
            for error in imported.errors
        ],
        sample=[_sample_row(row) for row in imported.sample],
        created_at=to_proto_time(imported.created_at),
        finished_at=to_proto_time(imported.finished_at),
        kind=_KIND[imported.kind],
        format=_FORMAT[imported.format],
        columns=how.columns,
        mapping=_mapping(how.mapping),
        fields=[pb.ImportField(name=field.name, needed=field.needed) for field in FIELDS[imported.kind]],
        missing_fields=how.missing,
        date_order=_order(how.date_order),
        decimal_sign=_sign(how.decimal_sign),
        mapping_remembered=how.remembered,
        undone_records=imported.undone_records,
        kept_records=imported.kept_records,
        undo_reason=imported.undo_reason,
    )


def to_proto_import_page(imports: Iterable[Import], token: str) -> pb.ListImportsResponse:
    """Without errors, which may be many."""
    answer = pb.ListImportsResponse(imports=[to_proto_import(one) for one in imports], next_page_token=token)
    for one in answer.imports:
        for name in ("errors", "fields", "columns", "mapping"):
            one.ClearField(name)
    return answer


def to_proto_mappings(found: Sequence[SavedMapping]) -> pb.ListImportMappingsResponse:
    return pb.ListImportMappingsResponse(
        mappings=[
            pb.SavedImportMapping(
                kind=_KIND[one.kind],
                columns=one.understanding.columns,
                mapping=_mapping(one.understanding.mapping),
                date_order=_order(one.understanding.date_order),
                decimal_sign=_sign(one.understanding.decimal_sign),
                used_at=to_proto_time(one.used_at),
            )
            for one in found
        ]
    )


def _mapping(mapping: Mapping[str, str]) -> list[pb.ColumnMapping]:
    return [pb.ColumnMapping(field=field, column=column) for field, column in mapping.items()]


def _order(order: DateOrder | None) -> pb.DateOrder.ValueType:
    return _DATE_ORDER[order] if order else pb.DATE_ORDER_UNSPECIFIED


def _sign(sign: DecimalSign | None) -> pb.DecimalSign.ValueType:
    return _DECIMAL_SIGN[sign] if sign else pb.DECIMAL_SIGN_UNSPECIFIED


def _sample_row(row: Row | Record) -> pb.ImportedRow:
    if isinstance(row, Record):
        return pb.ImportedRow(line=row.line, external_id=row.key, values=row.values)
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
        paid=to_proto_money(row.received),
    )
