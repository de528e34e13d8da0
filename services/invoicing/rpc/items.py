"""Items over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.create_item import create_item
from services.invoicing.operations.get_item import get_item
from services.invoicing.operations.list_items import list_items
from services.invoicing.operations.update_item import update_item
from services.invoicing.translate.items import from_proto_item, from_proto_item_changes, to_proto_item
from tallyport.invoicing.v1 import items_pb2 as pb
from tallyport.invoicing.v1 import items_pb2_grpc


class Items(items_pb2_grpc.ItemsServicer):
    """What the organization sells."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def CreateItem(self, request: pb.CreateItemRequest, context: Any) -> pb.Item:
        return await create_item(self._db, from_proto_item(request))

    async def GetItem(self, request: pb.GetItemRequest, context: Any) -> pb.Item:
        return to_proto_item(await get_item(self._db, request.item_id))

    async def UpdateItem(self, request: pb.UpdateItemRequest, context: Any) -> pb.Item:
        return await update_item(self._db, request.item_id, from_proto_item_changes(request))

    async def ListItems(self, request: pb.ListItemsRequest, context: Any) -> pb.ListItemsResponse:
        page, token = await list_items(
            self._db,
            page_size=request.page_size,
            page_token=request.page_token,
            query=request.query,
            with_archived=request.with_archived,
        )
        return pb.ListItemsResponse(items=[to_proto_item(item) for item in page], next_page_token=token)
