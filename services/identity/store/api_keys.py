"""Rows of API keys."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, insert, select, update

from chassis.database import ReadTx, WriteTx
from services.identity.domain.api_key import ApiKey
from services.identity.domain.role import Role
from services.identity.tables import api_keys


async def insert_api_key(tx: WriteTx, key: ApiKey, *, secret_hash: bytes) -> None:
    values = {**asdict(key), "role": key.role.value, "secret_hash": secret_hash}
    await tx.execute(insert(api_keys).values(values))


async def list_api_keys(tx: ReadTx) -> list[ApiKey]:
    """All, the newest first."""
    query = select(api_keys).where(api_keys.c.organization_id == tx.organization_id)
    return [_api_key(row) for row in await tx.execute(query.order_by(api_keys.c.api_key_id.desc()))]


async def get_api_key(tx: ReadTx, api_key_id: str) -> ApiKey | None:
    query = select(api_keys).where(
        api_keys.c.organization_id == tx.organization_id, api_keys.c.api_key_id == api_key_id
    )
    row = (await tx.execute(query)).first()
    return None if row is None else _api_key(row)


async def find_by_secret(tx: ReadTx, secret_hash: bytes) -> ApiKey | None:
    query = select(api_keys).where(
        api_keys.c.organization_id == tx.organization_id, api_keys.c.secret_hash == secret_hash
    )
    row = (await tx.execute(query)).first()
    return None if row is None else _api_key(row)


async def deactivate_api_key(tx: WriteTx, api_key_id: str) -> bool:
    """False when there is no such key, or it was revoked before."""
    statement = (
        update(api_keys)
        .where(
            api_keys.c.organization_id == tx.organization_id,
            api_keys.c.api_key_id == api_key_id,
            api_keys.c.active,
        )
        .values(active=False)
        .returning(api_keys.c.api_key_id)
    )
    return (await tx.execute(statement)).first() is not None


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        organization_id=row.organization_id,
        api_key_id=row.api_key_id,
        name=row.name,
        hint=row.hint,
        role=Role(row.role),
        active=row.active,
        created_at=row.created_at,
    )
