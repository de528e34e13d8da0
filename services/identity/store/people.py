"""Rows of people. Password hashes travel beside a person, never inside."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, insert, select, update

from chassis.database import ReadTx, WriteTx
from services.identity.domain.person import Person, normal_email
from services.identity.domain.role import STAFF_ROLES, Role
from services.identity.tables import people


async def insert_person(tx: WriteTx, person: Person, *, password_hash: str) -> None:
    """An address in use violates uq_people_email."""
    values = {
        **asdict(person),
        "normal_email": normal_email(person.email),
        "role": person.role.value,
        "password_hash": password_hash,
    }
    await tx.execute(insert(people).values(values))


async def get_person(tx: ReadTx, person_id: str, *, for_update: bool = False) -> Person | None:
    query = select(people).where(_is(tx, person_id))
    row = (await tx.execute(query.with_for_update() if for_update else query)).first()
    return None if row is None else _person(row)


async def get_password_hash(tx: ReadTx, person_id: str) -> str:
    """LookupError for nobody."""
    row = (await tx.execute(select(people.c.password_hash).where(_is(tx, person_id)))).first()
    if row is None:
        raise LookupError(person_id)
    password_hash: str = row.password_hash
    return password_hash


async def find_by_email(tx: ReadTx, email: str) -> tuple[Person, str] | None:
    """The person with this address and their password hash."""
    query = select(people).where(
        people.c.organization_id == tx.organization_id, people.c.normal_email == normal_email(email)
    )
    row = (await tx.execute(query)).first()
    return None if row is None else (_person(row), row.password_hash)


async def list_people(
    tx: ReadTx, *, customer_id: str, before_id: str, limit: int, staff_only: bool = False
) -> list[Person]:
    """The newest first, from below `before_id` on when given."""
    query = select(people).where(people.c.organization_id == tx.organization_id)
    if customer_id:
        query = query.where(people.c.customer_id == customer_id)
    if staff_only:
        query = query.where(people.c.role.in_([role.value for role in STAFF_ROLES]))
    if before_id:
        query = query.where(people.c.person_id < before_id)
    rows = await tx.execute(query.order_by(people.c.person_id.desc()).limit(limit))
    return [_person(row) for row in rows]


async def active_people(
    tx: ReadTx, *, customer_id: str, person_ids: Collection[str], limit: int
) -> list[Person]:
    """A customer's people who are not barred: those of `person_ids` when given, the newest first."""
    query = select(people).where(
        people.c.organization_id == tx.organization_id, people.c.customer_id == customer_id, people.c.active
    )
    if person_ids:
        query = query.where(people.c.person_id.in_(person_ids))
    rows = await tx.execute(query.order_by(people.c.person_id.desc()).limit(limit))
    return [_person(row) for row in rows]


async def set_active(tx: WriteTx, person: Person) -> None:
    """Keeps `active` and `version` of the person."""
    changed = {"active": person.active, "version": person.version}
    await tx.execute(update(people).where(_is(tx, person.person_id)).values(changed))


async def set_password_hash(tx: WriteTx, person_id: str, password_hash: str) -> None:
    await tx.execute(update(people).where(_is(tx, person_id)).values(password_hash=password_hash))


def _is(tx: ReadTx, person_id: str) -> Any:
    return (people.c.organization_id == tx.organization_id) & (people.c.person_id == person_id)


def _person(row: Row[Any]) -> Person:
    return Person(
        organization_id=row.organization_id,
        person_id=row.person_id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        customer_id=row.customer_id,
        locale=row.locale,
        active=row.active,
        created_at=row.created_at,
        version=row.version,
    )
