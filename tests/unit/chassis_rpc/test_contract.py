"""Every method of every contract says who may call it and is served by known peers."""

import pytest

from chassis import contract
from chassis.caller import Audience, Call, Caller, service_call
from chassis.contract import all_methods, redacted
from chassis.errors import Kind, ServiceError, invalid, not_found
from tests.support.echo import EchoRequest


@pytest.mark.parametrize("path", sorted(all_methods()))
def test_method_says_who_may_call_it(path: str) -> None:
    method = all_methods()[path]
    access = contract.access_of(method)
    assert access.audiences
    assert access.callers <= {*contract.SERVICES, "gateway", "cli"}
    if Audience.SERVICE in access.audiences and access.audiences != {Audience.SERVICE}:
        assert not access.permission


def test_money_moves_only_with_a_key() -> None:
    needing = {path for path, method in all_methods().items() if contract.needs_idempotency_key(method)}
    reading = {path for path, method in all_methods().items() if contract.is_read(method)}
    assert needing
    assert not needing & reading


def test_redacted_shows_everything_but_secrets() -> None:
    request = EchoRequest(text="x", password="hunter2")
    request.lines.add(quantity=3)
    assert redacted(request) == {"text": "x", "password": "[redacted]", "lines": [{"quantity": 3}]}


def test_customers_see_their_own_customer_only() -> None:
    def call(audience: Audience, customer_id: str | None = None) -> Call:
        caller = Caller(
            audience=audience,
            peer="gateway",
            organization_id="org_1",
            subject_id="per_1",
            customer_id=customer_id,
        )
        return Call(caller=caller, method="m", request_id="r")

    call(Audience.STAFF).may_see_customer("cus_1")
    call(Audience.CUSTOMER, "cus_1").may_see_customer("cus_1")
    service_call("payments", "org_1").may_see_customer("cus_1")
    for foreign in (
        call(Audience.CUSTOMER, "cus_2"),
        call(Audience.PAY_LINK, "cus_2"),
        call(Audience.CUSTOMER, None),
        call(Audience.PUBLIC),
    ):
        with pytest.raises(ServiceError) as caught:
            foreign.may_see_customer("cus_1")
        assert caught.value.kind is Kind.NOT_FOUND


def test_call_without_an_organization_asks_to_sign_in() -> None:
    with pytest.raises(ServiceError, match="SIGN_IN_REQUIRED"):
        _ = service_call("payments", None).organization_id


def test_error_helpers() -> None:
    assert (not_found("credit note").reason, not_found("invoice").kind) == (
        "CREDIT_NOTE_NOT_FOUND",
        Kind.NOT_FOUND,
    )
    error = invalid("due_on", "too_early", "The due date is before the issue date.")
    assert error.fields[0].field == "due_on"
