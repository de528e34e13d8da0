"""Customers over gRPC."""

from typing import Any

from chassis.database import Database
from services.invoicing.operations.create_customer import create_customer
from services.invoicing.operations.get_account_summary import get_account_summary
from services.invoicing.operations.get_customer import get_customer
from services.invoicing.operations.list_customers import list_customers
from services.invoicing.operations.update_customer import update_customer
from services.invoicing.translate import customers as translate
from tallyport.invoicing.v1 import customers_pb2 as pb
from tallyport.invoicing.v1 import customers_pb2_grpc


class Customers(customers_pb2_grpc.CustomersServicer):
    """Customers and what they owe."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def CreateCustomer(self, request: pb.CreateCustomerRequest, context: Any) -> pb.Customer:
        return await create_customer(self._db, translate.from_proto_customer(request))

    async def GetCustomer(self, request: pb.GetCustomerRequest, context: Any) -> pb.Customer:
        return translate.to_proto_customer(await get_customer(self._db, request.customer_id))

    async def ListCustomers(self, request: pb.ListCustomersRequest, context: Any) -> pb.ListCustomersResponse:
        page, token = await list_customers(
            self._db,
            page_size=request.page_size,
            page_token=request.page_token,
            query=request.query,
            external_id=request.external_id,
        )
        return translate.to_proto_customer_page(page, token)

    async def UpdateCustomer(self, request: pb.UpdateCustomerRequest, context: Any) -> pb.Customer:
        changes = translate.from_proto_customer_changes(request)
        return await update_customer(self._db, request.customer_id, changes)

    async def GetAccountSummary(
        self, request: pb.GetAccountSummaryRequest, context: Any
    ) -> pb.AccountSummary:
        return translate.to_proto_account(await get_account_summary(self._db, request.customer_id))
