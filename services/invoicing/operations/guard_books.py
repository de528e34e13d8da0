"""Tells how the receivables' books stand, and lifts a freeze once they are right again."""

from chassis import books, idempotency
from chassis.books import BooksState
from chassis.caller import current_call
from chassis.database import Database, WriteTx
from chassis.errors import Kind, ServiceError
from services.invoicing.operations.verify_books import verify
from services.invoicing.translate.books import to_proto_state
from tallyport.invoicing.v1 import books_pb2 as pb


async def get_books(db: Database) -> BooksState:
    """What the last check found."""
    async with db.read(current_call().organization_id) as tx:
        return await books.state(tx)


async def lift_freeze(db: Database, reason: str) -> pb.ReceivablesBooksState:
    """Allow money writes again, if a check made now finds nothing. BOOKS_BROKEN otherwise."""

    async def write(tx: WriteTx) -> pb.ReceivablesBooksState:
        wrong = await books.lift(tx, verify, reason=reason)
        if wrong is not None:
            raise ServiceError(
                Kind.FAILED_PRECONDITION,
                "BOOKS_BROKEN",
                f"The books are still wrong: {wrong.invariant} {wrong.found}",
            )
        return to_proto_state(await books.state(tx))

    return await idempotency.once(db, pb.ReceivablesBooksState, write)
