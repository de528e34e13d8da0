"""The books' state between chassis and messages."""

from chassis.books import BooksState
from services.invoicing.translate.values import to_proto_time
from tallyport.invoicing.v1 import books_pb2 as pb


def to_proto_state(state: BooksState) -> pb.ReceivablesBooksState:
    return pb.ReceivablesBooksState(
        frozen=state.frozen_at is not None,
        frozen_at=to_proto_time(state.frozen_at),
        checked_at=to_proto_time(state.checked_at),
        broken=[f"{one.invariant} {one.found}" for one in state.broken],
    )
