"""Imports over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.domain.invoice_import import ImportKind
from services.invoicing.operations.create_import import FileToImport, create_import
from services.invoicing.operations.get_import import get_import
from services.invoicing.operations.list_imports import list_imports, list_mappings
from services.invoicing.operations.revise_import import revise_import
from services.invoicing.operations.start_import import start_import
from services.invoicing.operations.undo_import import undo_import
from services.invoicing.translate.imports import (
    from_proto_format,
    from_proto_how,
    from_proto_kind,
    to_proto_import,
    to_proto_import_page,
    to_proto_mappings,
)
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import imports_pb2 as pb
from tallyport.invoicing.v1 import imports_pb2_grpc


class Imports(imports_pb2_grpc.ImportsServicer):
    """Imports of customers, items and invoices from files."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def CreateImport(self, request: pb.CreateImportRequest, context: Any) -> pb.Import:
        kind = from_proto_kind(request.kind) or ImportKind.INVOICES
        file = FileToImport(
            file_name=from_proto_text("file_name", request.file_name),
            content=request.content,
            kind=kind,
            format=from_proto_format(request.format),
            how=from_proto_how(request, kind),
            dry_run=request.dry_run,
            notify=request.notify,
        )
        return await create_import(self._db, file)

    async def StartImport(self, request: pb.StartImportRequest, context: Any) -> pb.Import:
        return await start_import(self._db, request.import_id)

    async def ReviseImport(self, request: pb.ReviseImportRequest, context: Any) -> pb.Import:
        return await revise_import(self._db, request.import_id, from_proto_how(request, None))

    async def UndoImport(self, request: pb.UndoImportRequest, context: Any) -> pb.Import:
        return await undo_import(self._db, request.import_id, from_proto_text("reason", request.reason))

    async def ListImports(self, request: pb.ListImportsRequest, context: Any) -> pb.ListImportsResponse:
        return to_proto_import_page(
            *await list_imports(self._db, page_size=request.page_size, page_token=request.page_token)
        )

    async def ListImportMappings(
        self, request: pb.ListImportMappingsRequest, context: Any
    ) -> pb.ListImportMappingsResponse:
        return to_proto_mappings(await list_mappings(self._db, from_proto_kind(request.kind)))

    async def GetImport(self, request: pb.GetImportRequest, context: Any) -> pb.Import:
        return to_proto_import(await get_import(self._db, request.import_id))
