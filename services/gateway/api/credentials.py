"""API keys sent as bearer tokens, traded at identity for a short-lived token that is kept for a minute."""

import asyncio
import hashlib
import time
from typing import Final

from chassis.rpc.client import Channel
from services.gateway.revocations import Revocations
from tallyport.identity.v1 import people_pb2, people_pb2_grpc

_MARGIN_SECONDS: Final = 30.0
_KEPT_SECONDS_MAX: Final = 60.0
_ENTRIES_MAX: Final = 10_000


class ApiKeyTokens:
    """Tokens by key. A revoked key's is dropped when identity tells of it, after a minute in any case."""

    def __init__(self, identity: Channel, revocations: Revocations) -> None:
        self._revocations = revocations
        self._stub = people_pb2_grpc.ApiKeysStub(identity)
        self._tokens: dict[bytes, tuple[str, float]] = {}
        self._lock = asyncio.Lock()

    async def token(self, secret: str) -> str:
        """The token for a key. Raises ServiceError UNAUTHENTICATED for an unknown or revoked one."""
        digest = hashlib.sha256(secret.encode()).digest()
        if (kept := self._kept(digest)) is not None:
            return kept
        async with self._lock:
            if (kept := self._kept(digest)) is not None:
                return kept
            request = people_pb2.ExchangeApiKeyRequest(secret=secret)
            answer = await self._stub.ExchangeApiKey(request, timeout=3.0)
            if len(self._tokens) >= _ENTRIES_MAX:
                self._tokens.clear()
            ends = min(answer.expires_at.seconds - _MARGIN_SECONDS, time.time() + _KEPT_SECONDS_MAX)
            self._tokens[digest] = (answer.token, ends)
            return answer.token

    def _kept(self, digest: bytes) -> str | None:
        kept = self._tokens.get(digest)
        if kept is None:
            return None
        token, ends = kept
        if ends <= time.time() or self._revocations.includes(token):
            del self._tokens[digest]
            return None
        return token
