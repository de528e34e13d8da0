"""Which passwords are good enough."""

import pytest

from chassis.errors import ServiceError
from services.identity.domain.password import check_password


def refusal(password: str) -> str:
    with pytest.raises(ServiceError) as caught:
        check_password("password", password, name="Grace Hopper-Murray", email="grace@harborsupply.example")
    return caught.value.fields[0].code


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery stapler ocean",
        "Vier Möwen über Hafen",
        "tr0ubador&3xyz-ocean",
        "a" * 3 + "bcqlkjhmpowi",
    ],
)
def test_long_uncommon_passwords_are_taken(password: str) -> None:
    check_password("password", password, name="Grace Hopper", email="grace@harborsupply.example")


@pytest.mark.parametrize("password", ["short-but-odd!", "x7-" * 50])
def test_too_short_and_too_long_ones_are_refused(password: str) -> None:
    assert refusal(password) == "length"


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password-123456789",
        "qwertyuiop123456",
        "correcthorsebatterystaple",
        "aaaaaaaaaaaaaaaaaa",
        "1212121212121212",
        "thisisapassword!",
        "abc123abc123abc123",
    ],
)
def test_what_everybody_would_try_first_is_refused(password: str) -> None:
    assert refusal(password) == "common"


@pytest.mark.parametrize(
    "password", ["i-am-grace-of-the-sea", "HARBORSUPPLY on the hill", "the old hopper stone"]
)
def test_a_password_made_of_name_or_address_is_refused(password: str) -> None:
    assert refusal(password) == "personal"
