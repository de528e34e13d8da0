"""API keys sent as bearer tokens, traded at identity for a short-lived token that is kept for a minute."""

import asyncio
import hashlib
import time
from typing import Final

from chassis.rpc.client import Channel
from tallyport.identity.v1 import people_pb2, people_pb2_grpc

_MARGIN_SECONDS: Final = 30.0
_KEPT_SECONDS_MAX: Final = 60.0
_ENTRIES_MAX: Final = 10_000


class ApiKeyTokens:
    """Tokens by key. A revoked key works for a minute at most, the time a token is kept here."""

    def __init__(self, identity: Channel) -> None:
        self._stub = people_pb2_grpc.ApiKeysStub(identity)
        self._tokens: dict[bytes, tuple[str, float]] = {}
        self._lock = asyncio.Lock()

    async def token(self, secret: str) -> str:
        """The token for a key. Raises ServiceError UNAUTHENTICATED for an unknown or revoked one."""
        digest = hashlib.sha256(secret.encode()).digest()
        kept = self._tokens.get(digest)
        if kept is not None and kept[1] > time.time():
            return kept[0]
        async with self._lock:
            kept = self._tokens.get(digest)
            if kept is not None and kept[1] > time.time():
                return kept[0]
            request = people_pb2.ExchangeApiKeyRequest(secret=secret)
            answer = await self._stub.ExchangeApiKey(request, timeout=3.0)
            if len(self._tokens) >= _ENTRIES_MAX:
                self._tokens.clear()
            ends = min(answer.expires_at.seconds - _MARGIN_SECONDS, time.time() + _KEPT_SECONDS_MAX)
            self._tokens[digest] = (answer.token, ends)
            return answer.token
