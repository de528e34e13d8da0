"""Providers' webhooks: raw body and headers go to payments, which verifies and stores them; nothing is read here."""

from typing import Any, Final

from litestar import Request, Response, post
from litestar.params import FromPath

from chassis.errors import Kind, ServiceError
from services.gateway.web.exchange import Exchange
from tallyport.payments.v1.payments_pb2 import ReceiveWebhookRequest

MAX_BODY_BYTES: Final = 256 * 1024
_MAX_HEADERS: Final = 60
_WITHHELD: Final = frozenset({"cookie", "authorization"})
_REFUSED: Final = {
    Kind.INVALID_ARGUMENT: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.PERMISSION_DENIED: 403,
    Kind.NOT_FOUND: 404,
}


@post("/webhooks/{provider:str}", name="webhooks", status_code=200, request_max_body_size=MAX_BODY_BYTES)
async def receive_webhook(request: Request[Any, Any, Any], provider: FromPath[str]) -> Response[str]:
    """2xx once it is stored; 4xx when it is not genuine; 503 so that the provider sends it again."""
    exchange: Exchange = request.scope["tallyport"]  # type: ignore[typeddict-item]
    headers = {name: value for name, value in exchange.headers.items() if name not in _WITHHELD}
    message = ReceiveWebhookRequest(
        provider=provider[:40],
        headers=dict(list(headers.items())[:_MAX_HEADERS]),
        body=await request.body(),
    )
    services = request.app.state.site.services
    try:
        answer = await exchange.sender().call(services.provider_events.ReceiveWebhook, message)
    except ServiceError as error:
        return Response(
            error.reason + "\n", status_code=_REFUSED.get(error.kind, 503), media_type="text/plain"
        )
    return Response("duplicate\n" if answer.duplicate else "stored\n", media_type="text/plain")
