"""Trades an API key's secret for a token."""

from chassis.database import Database
from chassis.errors import Kind, ServiceError
from services.identity.domain.secret import parse_key_secret
from services.identity.store import api_keys
from services.identity.tokens import AccessToken, TokenIssuer


async def exchange_api_key(db: Database, issuer: TokenIssuer, text: str) -> AccessToken:
    """Raises API_KEY_INVALID (UNAUTHENTICATED) for an unknown or revoked key."""
    secret = parse_key_secret(text)
    if secret is not None:
        async with db.read(secret.organization_id) as tx:
            key = await api_keys.find_by_secret(tx, secret.digest)
        if key is not None and key.active:
            return issuer.for_api_key(key)
    raise ServiceError(Kind.UNAUTHENTICATED, "API_KEY_INVALID", "This API key is unknown or was revoked.")
