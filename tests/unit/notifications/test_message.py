"""When a message is tried again, and which addresses are none."""

import pytest

from services.notifications.domain.message import BAD_ADDRESS, NO_ADDRESS, address_problem, delay_after


def test_a_mail_server_is_left_alone_longer_and_longer() -> None:
    seconds = [delay_after(attempts, inside=False).total_seconds() for attempts in range(1, 8)]
    assert seconds == [5, 30, 120, 600, 3600, 21_600, 21_600]


def test_our_own_services_are_asked_again_within_seconds() -> None:
    assert [delay_after(attempts, inside=True).total_seconds() for attempts in (1, 2, 3, 99)] == [
        2,
        5,
        15,
        3600,
    ]


@pytest.mark.parametrize("address", ["pat@buyer.example", "zoë.müller+bills@münchen.example", "a@b"])
def test_addresses_are_taken_as_people_write_them(address: str) -> None:
    assert address_problem(address) == ""


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", NO_ADDRESS),
        ("pat", BAD_ADDRESS),
        ("pat@", BAD_ADDRESS),
        ("pat @buyer.example", BAD_ADDRESS),
        ("a@b.example\r\nBcc: x@y.example", BAD_ADDRESS),
        ("a@b.example,c@d.example", BAD_ADDRESS),
        ("x" * 250 + "@b.example", BAD_ADDRESS),
    ],
)
def test_what_is_no_address_is_told(address: str, problem: str) -> None:
    assert address_problem(address) == problem
