"""Customers over gRPC."""

from typing import Any

from chassis.caller import Audience, current_call
from chassis.database import Database
from services.invoicing.domain.customer import Customer
from services.invoicing.identity import MustBeStaff, everybody_is_staff
from services.invoicing.operations.create_customer import create_customer
from services.invoicing.operations.get_account_summary import get_account_summary
from services.invoicing.operations.get_customer import get_customer
from services.invoicing.operations.list_customer_versions import list_customer_versions
from services.invoicing.operations.list_customers import list_customers
from services.invoicing.operations.list_subsidiaries import list_subsidiaries
from services.invoicing.operations.set_customer_hold import set_customer_hold
from services.invoicing.operations.set_customer_parent import set_customer_parent
from services.invoicing.operations.update_customer import Why, update_customer
from services.invoicing.translate import customers as translate
from services.invoicing.translate.customer_proposals import to_proto_version_page
from services.invoicing.translate.values import from_proto_text
from tallyport.invoicing.v1 import customers_pb2 as pb
from tallyport.invoicing.v1 import customers_pb2_grpc


class Customers(customers_pb2_grpc.CustomersServicer):
    """Customers and what they owe."""

    def __init__(self, db: Database, must_be_staff: MustBeStaff = everybody_is_staff) -> None:
        self._db = db
        self._must_be_staff = must_be_staff

    async def CreateCustomer(self, request: pb.CreateCustomerRequest, context: Any) -> pb.Customer:
        if request.account_manager_id:
            await self._must_be_staff(current_call().organization_id, request.account_manager_id)
        return await create_customer(self._db, translate.from_proto_customer(request))

    async def GetCustomer(self, request: pb.GetCustomerRequest, context: Any) -> pb.Customer:
        return _told(await get_customer(self._db, request.customer_id))

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
        values = translate.from_proto_customer_changes(request)
        manager = values.get("account_manager_id")
        if manager and manager != (await get_customer(self._db, request.customer_id)).account_manager_id:
            await self._must_be_staff(current_call().organization_id, str(manager))
        return await update_customer(self._db, request.customer_id, values, _why(request))

    async def GetAccountSummary(
        self, request: pb.GetAccountSummaryRequest, context: Any
    ) -> pb.AccountSummary:
        return translate.to_proto_account(await get_account_summary(self._db, request.customer_id))

    async def SetCustomerHold(self, request: pb.SetCustomerHoldRequest, context: Any) -> pb.Customer:
        return await set_customer_hold(
            self._db, request.customer_id, on_hold=request.on_hold, why=_why(request)
        )

    async def SetCustomerParent(self, request: pb.SetCustomerParentRequest, context: Any) -> pb.Customer:
        return await set_customer_parent(
            self._db, request.customer_id, request.parent_customer_id, _why(request)
        )

    async def ListSubsidiaries(
        self, request: pb.ListSubsidiariesRequest, context: Any
    ) -> pb.ListSubsidiariesResponse:
        found = await list_subsidiaries(self._db, request.customer_id)
        return translate.to_proto_subsidiaries(request.customer_id, found, for_staff=_is_staff())

    async def ListCustomerVersions(
        self, request: pb.ListCustomerVersionsRequest, context: Any
    ) -> pb.ListCustomerVersionsResponse:
        page, token = await list_customer_versions(
            self._db, request.customer_id, page_size=request.page_size, page_token=request.page_token
        )
        return to_proto_version_page(page, token)


def _why(
    request: pb.UpdateCustomerRequest | pb.SetCustomerHoldRequest | pb.SetCustomerParentRequest,
) -> Why:
    return Why(
        expected_version=request.expected_version if request.HasField("expected_version") else None,
        reason=from_proto_text("reason", request.reason),
    )


def _told(customer: Customer) -> pb.Customer:
    return translate.to_proto_customer(customer) if _is_staff() else translate.to_proto_own_customer(customer)


def _is_staff() -> bool:
    return current_call().caller.audience is Audience.STAFF
