"""Pay links over gRPC."""

from typing import Any

from chassis.caller import current_call
from chassis.database import Database
from services.invoicing.domain.pay_link import token_of
from services.invoicing.operations.create_pay_link import create_pay_link
from services.invoicing.operations.resolve_pay_link import resolve_pay_link
from services.invoicing.operations.revoke_pay_link import revoke_pay_link
from services.invoicing.translate.values import to_proto_time
from tallyport.invoicing.v1 import pay_links_pb2 as pb
from tallyport.invoicing.v1 import pay_links_pb2_grpc


class PayLinks(pay_links_pb2_grpc.PayLinksServicer):
    """Pay links; `key` proves their tokens."""

    def __init__(self, db: Database, key: bytes) -> None:
        self._db = db
        self._key = key

    async def CreatePayLink(self, request: pb.CreatePayLinkRequest, context: Any) -> pb.PayLink:
        link = await create_pay_link(self._db, request.invoice_id)
        token = token_of(self._key, current_call().organization_id, link.pay_link_id)
        return pb.PayLink(
            pay_link_id=link.pay_link_id, token=token, expires_at=to_proto_time(link.expires_at)
        )

    async def RevokePayLink(self, request: pb.RevokePayLinkRequest, context: Any) -> pb.RevokePayLinkResponse:
        await revoke_pay_link(self._db, request.invoice_id)
        return pb.RevokePayLinkResponse()

    async def ResolvePayLink(self, request: pb.ResolvePayLinkRequest, context: Any) -> pb.ResolvedPayLink:
        organization_id, link, invoice = await resolve_pay_link(self._db, self._key, request.token)
        return pb.ResolvedPayLink(
            pay_link_id=link.pay_link_id,
            organization_id=organization_id,
            customer_id=invoice.customer_id,
            invoice_id=invoice.invoice_id,
            expires_at=to_proto_time(link.expires_at),
        )
