"""The state of the receivables' books over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.guard_books import get_books, lift_freeze
from services.invoicing.translate.books import to_proto_state
from tallyport.invoicing.v1 import books_pb2 as pb
from tallyport.invoicing.v1 import books_pb2_grpc


class ReceivablesBooks(books_pb2_grpc.ReceivablesBooksServicer):
    """What the last check found, and the end of a freeze."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def GetReceivablesBooks(
        self, request: pb.GetReceivablesBooksRequest, context: Any
    ) -> pb.ReceivablesBooksState:
        return to_proto_state(await get_books(self._db))

    async def LiftReceivablesFreeze(
        self, request: pb.LiftReceivablesFreezeRequest, context: Any
    ) -> pb.ReceivablesBooksState:
        return await lift_freeze(self._db, request.reason)
