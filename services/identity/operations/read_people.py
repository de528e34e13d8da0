"""Reads people."""

from collections.abc import Collection

from chassis import ids
from chassis.caller import Audience
from chassis.database import Database
from chassis.errors import invalid, not_found
from services.identity.domain.person import Person
from services.identity.store import people

DEFAULT_PAGE_SIZE = 25
MOST_COLLEAGUES = 200


async def get_person(db: Database, organization_id: str, person_id: str) -> Person:
    """Raises PERSON_NOT_FOUND."""
    async with db.read(organization_id) as tx:
        person = await people.get_person(tx, person_id)
    if person is None:
        raise not_found("person")
    return person


async def is_staff(db: Database, organization_id: str, person_id: str) -> bool:
    """Whether a person works for the organization, and is not barred."""
    async with db.read(organization_id) as tx:
        person = await people.get_person(tx, person_id)
    return person is not None and person.active and person.audience is Audience.STAFF


async def list_people(
    db: Database,
    organization_id: str,
    *,
    customer_id: str,
    page_size: int,
    page_token: str,
    staff_only: bool = False,
) -> tuple[list[Person], str]:
    """A page, the newest first, and the token of the next page: the last id of this one."""
    if page_token and not ids.is_id("per", page_token):
        raise invalid("page_token", "unknown", "This page token is not from an earlier answer.")
    size = page_size or DEFAULT_PAGE_SIZE
    async with db.read(organization_id) as tx:
        found = await people.list_people(
            tx, customer_id=customer_id, before_id=page_token, limit=size + 1, staff_only=staff_only
        )
    return found[:size], found[size - 1].person_id if len(found) > size else ""


async def list_colleagues(
    db: Database, organization_id: str, customer_id: str, *, person_ids: Collection[str] = ()
) -> list[Person]:
    """Active people of one customer by name: those of `person_ids`, or else the newest MOST_COLLEAGUES.

    CUSTOMER_NOT_FOUND for who belongs to none.
    """
    if not customer_id:
        raise not_found("customer")
    async with db.read(organization_id) as tx:
        found = await people.active_people(
            tx, customer_id=customer_id, person_ids=person_ids, limit=MOST_COLLEAGUES
        )
    return sorted(found, key=lambda person: person.name.casefold())
