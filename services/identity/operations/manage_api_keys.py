"""Makes, lists and ends the organization's API keys."""

from dataclasses import replace

from chassis import audit, ids
from chassis.database import Database
from chassis.errors import not_found
from services.identity.domain.api_key import ApiKey
from services.identity.domain.role import Role
from services.identity.domain.secret import new_key_secret
from services.identity.operations.announce import announce_api_key_revoked
from services.identity.operations.create_person import check_may_grant
from services.identity.store import api_keys, organizations


async def create_api_key(db: Database, organization_id: str, *, name: str, role: Role) -> tuple[ApiKey, str]:
    """The key and its secret, which is kept nowhere. Raises ROLE_EXCEEDS_OWN."""
    check_may_grant(role)
    async with db.write(organization_id) as tx:
        organization = await organizations.get_organization(tx)
        if organization is None:
            raise not_found("organization")
        secret = new_key_secret(organization_id, live_mode=organization.live_mode)
        key = ApiKey(
            organization_id=organization_id,
            api_key_id=ids.new_id("key"),
            name=name,
            hint=secret.hint,
            role=role,
            active=True,
            created_at=tx.now(),
        )
        await api_keys.insert_api_key(tx, key, secret_hash=secret.digest)
        audit.record(tx, "api_key.created", key.api_key_id, reason=role.value)
    return key, secret.text


async def list_api_keys(db: Database, organization_id: str) -> list[ApiKey]:
    """All, revoked ones too, the newest first."""
    async with db.read(organization_id) as tx:
        return await api_keys.list_api_keys(tx)


async def revoke_api_key(db: Database, organization_id: str, api_key_id: str) -> ApiKey:
    """Raises API_KEY_NOT_FOUND. Revoking twice changes nothing."""
    async with db.write(organization_id) as tx:
        before = await api_keys.get_api_key(tx, api_key_id)
        if before is None:
            raise not_found("api key")
        if await api_keys.deactivate_api_key(tx, api_key_id):
            audit.record(tx, "api_key.revoked", api_key_id)
            announce_api_key_revoked(tx, api_key_id)
    return replace(before, active=False)
