"""Exports over gRPC: a file in pieces."""

from collections.abc import AsyncIterator
from typing import Any

from chassis.database import Database
from services.invoicing.operations.export_receivables import export_receivables
from services.invoicing.translate.exports import from_proto_wish
from tallyport.invoicing.v1 import exports_pb2 as pb
from tallyport.invoicing.v1 import exports_pb2_grpc, invoices_pb2


class Exports(exports_pb2_grpc.ExportsServicer):
    """Receivables as files."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ExportReceivables(
        self, request: pb.ExportReceivablesRequest, context: Any
    ) -> AsyncIterator[invoices_pb2.Document]:
        wish = from_proto_wish(request)
        is_first = True
        async for piece in export_receivables(self._db, wish):
            if is_first:
                yield invoices_pb2.Document(
                    file_name=wish.file_name, media_type=wish.media_type, content=piece
                )
            else:
                yield invoices_pb2.Document(content=piece)
            is_first = False
        if is_first:
            yield invoices_pb2.Document(file_name=wish.file_name, media_type=wish.media_type)
