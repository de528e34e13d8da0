"""Imports over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.create_import import create_import
from services.invoicing.operations.get_import import get_import
from services.invoicing.operations.start_import import start_import
from services.invoicing.translate.imports import from_proto_date_order, to_proto_import
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import imports_pb2 as pb
from tallyport.invoicing.v1 import imports_pb2_grpc


class Imports(imports_pb2_grpc.ImportsServicer):
    """Imports of invoices from files."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def CreateImport(self, request: pb.CreateImportRequest, context: Any) -> pb.Import:
        return await create_import(
            self._db,
            file_name=from_proto_text("file_name", request.file_name),
            content=request.content,
            date_order=from_proto_date_order(request.date_order),
            dry_run=request.dry_run,
            notify=request.notify,
        )

    async def StartImport(self, request: pb.StartImportRequest, context: Any) -> pb.Import:
        return await start_import(self._db, request.import_id)

    async def GetImport(self, request: pb.GetImportRequest, context: Any) -> pb.Import:
        return to_proto_import(await get_import(self._db, request.import_id))
