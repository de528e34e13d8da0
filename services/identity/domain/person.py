"""People who sign in: staff of the organization and people of its customers."""

from dataclasses import dataclass
from datetime import datetime

from chassis.caller import Audience
from chassis.errors import invalid
from services.identity.domain.role import STAFF_ROLES, Role, audience_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person. `customer_id` is empty for staff; `version` counts the person's PersonChanged events."""

    organization_id: str
    person_id: str
    name: str
    email: str
    role: Role
    customer_id: str
    locale: str
    active: bool
    created_at: datetime
    version: int = 1

    @property
    def audience(self) -> Audience:
        return audience_of(self.role)


def normal_email(email: str) -> str:
    """The form under which an address is unique and found: people type capitals and spaces."""
    return email.strip().casefold()


def check_role(role: Role, customer_id: str) -> None:
    """A customer's person belongs to a customer, staff to none. INVALID_ARGUMENT otherwise."""
    if role in STAFF_ROLES and customer_id:
        raise invalid("customer_id", "not_for_staff", "Staff belong to no customer.")
    if role not in STAFF_ROLES and not customer_id:
        raise invalid("customer_id", "required", "This role needs the customer it is for.")
