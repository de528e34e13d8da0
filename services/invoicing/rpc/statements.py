"""Statements of account over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.formats.paper import MEDIA_TYPE
from services.invoicing.operations.get_statement import get_statement, get_statement_pdf
from services.invoicing.translate.statements import from_proto_wish, to_proto_statement
from tallyport.invoicing.v1 import invoices_pb2, statements_pb2_grpc
from tallyport.invoicing.v1 import statements_pb2 as pb


class Statements(statements_pb2_grpc.StatementsServicer):
    """Statements as they are read and as they are sent."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def GetStatement(self, request: pb.GetStatementRequest, context: Any) -> pb.Statement:
        return to_proto_statement(await get_statement(self._db, from_proto_wish(request)))

    async def GetStatementPdf(
        self, request: pb.GetStatementPdfRequest, context: Any
    ) -> invoices_pb2.Document:
        file_name, content = await get_statement_pdf(self._db, from_proto_wish(request))
        return invoices_pb2.Document(file_name=file_name, media_type=MEDIA_TYPE, content=content)
