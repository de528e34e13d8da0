"""Roles, and what each may do: the one table from which every token's permissions come."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from chassis.caller import Audience


class Role(StrEnum):
    """Role of a person or API key."""

    OWNER = "owner"
    ACCOUNTANT = "accountant"
    AUDITOR = "auditor"
    PAYER = "payer"
    VIEWER = "viewer"
    APPROVER = "approver"
    COMPANY_ADMIN = "company_admin"


_READS: Final = frozenset(
    {
        "organization.read",
        "people.read",
        "customers.read",
        "items.read",
        "invoices.read",
        "payments.read",
        "books.read",
        "messages.read",
    }
)
_BOOKKEEPING: Final = frozenset(
    {
        "people.read",
        "customers.read",
        "customers.write",
        "items.read",
        "items.write",
        "invoices.read",
        "invoices.write",
        "payments.read",
        "payments.create",
        "payments.record",
        "payments.refund",
        "books.read",
        "books.write",
        "messages.read",
        "messages.write",
        "account.write",
    }
)
_ADMINISTRATION: Final = frozenset({"organization.write", "people.write", "api_keys.write"})
_PAYING: Final = frozenset(
    {"customers.read", "invoices.read", "payments.create", "payments.read", "account.write"}
)
"""`account.write` is what payers ask for: other billing details, plans, a closer look at an invoice."""
COMPANY_PERMISSIONS: Final = frozenset({"payments.approve", "payer_rules.write"})
"""What a paying company decides about its own people: nobody of the staff may."""

PERMISSIONS: Final[Mapping[Role, frozenset[str]]] = {
    Role.OWNER: _READS | _BOOKKEEPING | _ADMINISTRATION,
    Role.ACCOUNTANT: _BOOKKEEPING,
    Role.AUDITOR: _READS,
    Role.PAYER: _PAYING,
    Role.VIEWER: frozenset({"customers.read", "invoices.read", "payments.read"}),
    Role.APPROVER: _PAYING | {"payments.approve"},
    Role.COMPANY_ADMIN: _PAYING | COMPANY_PERMISSIONS,
}
PAY_LINK_PERMISSIONS: Final = frozenset({"invoices.read", "payments.create", "payments.read"})
"""What the holder of a pay link may do, with one invoice only."""

STAFF_ROLES: Final = frozenset({Role.OWNER, Role.ACCOUNTANT, Role.AUDITOR})


def audience_of(role: Role) -> Audience:
    """Whether people of this role are staff or a customer's."""
    return Audience.STAFF if role in STAFF_ROLES else Audience.CUSTOMER
