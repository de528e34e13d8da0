"""What matching, automatic payments and payments' books ask of invoicing, over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.find_open_items import find_open_items
from services.invoicing.operations.get_cash_agreement import get_cash_agreement
from services.invoicing.operations.list_due_items import list_due_items
from services.invoicing.operations.price_lines import price_lines
from services.invoicing.translate.open_items import (
    from_proto_clues,
    to_proto_agreement,
    to_proto_credits,
    to_proto_due_items,
    to_proto_open_items,
    to_proto_priced_line,
)
from services.invoicing.translate.values import from_proto_day
from tallyport.invoicing.v1 import reservations_pb2 as pb
from tallyport.invoicing.v1 import reservations_pb2_grpc


class OpenItems(reservations_pb2_grpc.OpenItemsServicer):
    """Open invoices, found by what is known of them, and sums over them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def FindOpenItems(self, request: pb.FindOpenItemsRequest, context: Any) -> pb.FindOpenItemsResponse:
        items, now = await find_open_items(self._db, request.organization_id, from_proto_clues(request))
        return pb.FindOpenItemsResponse(items=to_proto_open_items(items, now))

    async def ListDueItems(self, request: pb.ListDueItemsRequest, context: Any) -> pb.ListDueItemsResponse:
        items, credit, now = await list_due_items(
            self._db,
            request.organization_id,
            list(request.customer_ids),
            due_until=from_proto_day("due_until", request.due_until),
        )
        return pb.ListDueItemsResponse(items=to_proto_due_items(items, now), credits=to_proto_credits(credit))

    async def PriceLines(self, request: pb.PriceLinesRequest, context: Any) -> pb.PriceLinesResponse:
        names = [(line.invoice_id, line.line_no) for line in request.lines]
        priced = await price_lines(self._db, request.organization_id, names)
        return pb.PriceLinesResponse(lines=[to_proto_priced_line(one) for one in priced])

    async def GetCashAgreement(self, request: pb.GetCashAgreementRequest, context: Any) -> pb.CashAgreement:
        sums = await get_cash_agreement(self._db, request.organization_id, list(request.payment_ids))
        return to_proto_agreement(sums)
