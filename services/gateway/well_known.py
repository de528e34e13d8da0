"""Files that others look for at fixed addresses of ours."""

import asyncio
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

APPLE_PAY_DOMAIN = "/.well-known/apple-developer-merchantid-domain-association"


@get(APPLE_PAY_DOMAIN, name="well_known.apple_pay")
async def apple_pay_domain(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Proves to Apple that this domain may show Apple Pay: the provider's file as it is. 404 where none is set."""
    path = request.app.state.site.settings.apple_pay_domain_file
    if path is None:
        raise NotFoundException
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NotFoundException from error
    return Response(content, media_type="text/plain")
