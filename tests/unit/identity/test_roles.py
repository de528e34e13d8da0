"""Roles and what they may do."""

import pytest

from chassis import contract
from chassis.caller import Audience
from chassis.errors import ServiceError
from services.identity.domain.person import check_role
from services.identity.domain.role import (
    COMPANY_PERMISSIONS,
    PAY_LINK_PERMISSIONS,
    PERMISSIONS,
    STAFF_ROLES,
    Role,
    audience_of,
)


def demanded(audience: Audience) -> set[str]:
    accesses = [contract.access_of(method) for method in contract.all_methods().values()]
    return {access.permission for access in accesses if access.permission and audience in access.audiences}


def test_the_owner_may_do_all_that_the_contracts_ask_of_staff() -> None:
    assert demanded(Audience.STAFF) <= PERMISSIONS[Role.OWNER]


def test_a_payer_may_do_all_that_the_contracts_ask_of_customers_but_decide_about_colleagues() -> None:
    assert demanded(Audience.CUSTOMER) - COMPANY_PERMISSIONS <= PERMISSIONS[Role.PAYER]
    assert demanded(Audience.CUSTOMER) <= PERMISSIONS[Role.COMPANY_ADMIN]
    assert PERMISSIONS[Role.APPROVER] == PERMISSIONS[Role.PAYER] | {"payments.approve"}


def test_the_auditor_and_the_viewer_only_read() -> None:
    for role in (Role.AUDITOR, Role.VIEWER):
        assert all(permission.endswith(".read") for permission in PERMISSIONS[role])


def test_staff_never_decide_for_a_paying_company() -> None:
    for role in STAFF_ROLES:
        assert PERMISSIONS[role].isdisjoint(COMPANY_PERMISSIONS)


def test_only_those_who_keep_the_books_refund_and_write_them() -> None:
    writers = {Role.OWNER, Role.ACCOUNTANT}
    for permission in ("payments.refund", "books.write"):
        assert {role for role, permissions in PERMISSIONS.items() if permission in permissions} == writers
    assert {role for role, permissions in PERMISSIONS.items() if "books.read" in permissions} == STAFF_ROLES


def test_nobody_may_more_than_the_owner_and_customers_never_write_books() -> None:
    for role, permissions in PERMISSIONS.items():
        assert permissions - COMPANY_PERMISSIONS <= PERMISSIONS[Role.OWNER]
        if role not in STAFF_ROLES:
            assert permissions.isdisjoint(
                {"invoices.write", "customers.write", "payments.record", "people.read"}
            )
    assert PERMISSIONS[Role.PAYER] >= PAY_LINK_PERMISSIONS


@pytest.mark.parametrize("role", list(Role))
def test_customer_roles_need_a_customer_and_staff_roles_must_not_have_one(role: Role) -> None:
    is_staff = audience_of(role) is Audience.STAFF
    check_role(role, "" if is_staff else "cus_1")
    with pytest.raises(ServiceError):
        check_role(role, "cus_1" if is_staff else "")
