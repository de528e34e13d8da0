"""Stripe's API as the rest of the provider uses it: one request, or a whole list, with clear ends.

The library never repeats a request by itself: the reconciler does, after it has looked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from services.payments.providers import ProviderSilentError, ProviderUnreachableError
from services.payments.providers.stripe_documents import failure_of, refusal_of

if TYPE_CHECKING:
    from stripe import StripeClient

PAGE_SIZE = 100
MOST_PAGES = 20
PAGE_SECONDS = 30.0


class Refused(Exception):
    """Stripe surely moved no money; `code` says why in our words.

    `intent` is the payment intent that a declined charge has left behind.
    """

    def __init__(self, code: str, intent: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.intent = intent


class StripeApi:
    """One client for the process."""

    def __init__(self, secret_key: str, *, url: str = "") -> None:
        self._secret_key = secret_key
        self._url = url
        self._client: StripeClient | None = None

    @property
    def v1(self) -> Any:
        """The resources, as the library has them; made when first used, since the import is heavy."""
        if self._client is None:
            from stripe import StripeClient

            self._client = StripeClient(
                self._secret_key,
                http_client=_http_client()(
                    timeout=30.0, verify_ssl_certs=not self._url.startswith("http://")
                ),
                max_network_retries=0,
                base_addresses={"api": self._url} if self._url else {},
            )
        return self._client.v1

    async def close(self) -> None:
        """Give connections back."""
        client, self._client = self._client, None
        if client is not None:
            await client._requestor._get_http_client().close_async()  # type: ignore[no-untyped-call]

    async def tell(self, call: Callable[[], Awaitable[Any]], timeout_seconds: float) -> dict[str, Any]:
        """One request. Raises Refused if Stripe surely did nothing, ProviderSilentError if that is not known."""
        import stripe

        try:
            async with limit(timeout_seconds):
                answer: dict[str, Any] = (await call()).to_dict()
                return answer
        except stripe.CardError as error:
            details = (error.json_body or {}).get("error", {}) if isinstance(error.json_body, dict) else {}
            intent = details.get("payment_intent")
            raise Refused(failure_of(details), intent if isinstance(intent, dict) else None) from error
        except stripe.RateLimitError as error:
            raise ProviderSilentError("Stripe asks for patience") from error
        except stripe.IdempotencyError as error:
            raise ProviderSilentError("the key is in use") from error
        except (stripe.InvalidRequestError, stripe.AuthenticationError, stripe.PermissionError) as error:
            if error.http_status == 409:
                raise ProviderSilentError("the key is in use") from error
            raise Refused(refusal_of(error.code or "", getattr(error, "param", None) or "")) from error
        except stripe.APIConnectionError as error:
            raise _not_connected(error) from error
        except stripe.StripeError as error:
            raise ProviderSilentError(f"Stripe answered {error.http_status}") from error

    async def list_all(
        self, call: Callable[..., Awaitable[Any]], params: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """All pages, the newest first; never more than MOST_PAGES."""
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            asked = {**params, **after, "limit": PAGE_SIZE}
            try:
                page = await self.tell(lambda asked=asked: call(asked), PAGE_SECONDS)  # type: ignore[misc]
            except Refused as refused:
                raise ProviderSilentError("Stripe refused to list") from refused
            found += page["data"]
            if not page["has_more"] or not page["data"]:
                return found
            after = {"starting_after": page["data"][-1]["id"]}
        raise ProviderSilentError("there is more than can be looked through")


def _http_client() -> Any:
    """The library's client, but for one thing: it hands bodies to httpx in a way that httpx has deprecated."""
    from stripe import HTTPXClient

    class Client(HTTPXClient):
        def _get_request_args_kwargs(self, *args: Any) -> Any:
            positional, named = super()._get_request_args_kwargs(*args)
            if body := named.pop("data", None):
                named["content"] = body
            return positional, named

    return Client


def limit(seconds: float) -> "_Limit":
    """A time limit on everything inside; its end is ProviderSilentError."""
    return _Limit(seconds)


class _Limit:
    """asyncio.timeout whose expiry is the provider's silence."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise ProviderSilentError("Stripe did not answer in time") from late


def _not_connected(error: Exception) -> ProviderSilentError:
    import httpx

    never_left = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    kind = ProviderUnreachableError if never_left else ProviderSilentError
    return kind(type(error.__cause__).__name__)
