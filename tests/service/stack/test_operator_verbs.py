"""The operator's verbs find the databases of the running stack by themselves."""

import re

import httpx
import pytest

from tests.support.stack import PASSWORD, RunningStack
from tests.support.wait import until

pytestmark = [pytest.mark.xdist_group("stack")]


def test_every_audit_log_of_the_demo_is_whole(stack: RunningStack) -> None:
    done = stack.command("audit", "verify")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    services = [line.split()[0] for line in lines]
    # Other tests may have made organizations of their own on the same stack.
    assert set(services) == {"identity", "invoicing", "payments", "notifications"}
    assert all(line.endswith("whole") for line in lines), done.stdout
    for service in ("invoicing", "payments"):
        entries = [int(line.split()[2]) for line in lines if line.split()[0] == service]
        assert max(entries) > 1_000, done.stdout


def test_everything_that_must_be_true_of_the_demo_is_true(stack: RunningStack) -> None:
    done = stack.command("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    checked = {line.split()[0] for line in done.stdout.splitlines()}
    assert checked == {"identity", "invoicing", "payments", "notifications", "across"}
    assert all(line.endswith("right") for line in done.stdout.splitlines()), done.stdout


def test_the_demo_leaves_no_dead_letters(stack: RunningStack) -> None:
    done = stack.command("dead-letters", "list")
    assert (done.returncode, done.stdout) == (0, "No dead letters.\n"), done.stderr


def test_an_organization_is_created_and_its_owner_signs_in(stack: RunningStack) -> None:
    wanted = {
        "--name": "Fjord Ferries AS", "--owner-email": "kari@fjord-ferries.example", "--owner-name": "Kari Moen",
        "--currency": "NOK", "--country": "NO", "--time-zone": "Europe/Oslo", "--password": PASSWORD,
    }  # fmt: skip
    arguments = [word for pair in wanted.items() for word in pair]
    done = stack.command("organization", "create", "fjord-ferries", *arguments)
    assert done.returncode == 0, done.stderr
    assert "test mode" in done.stdout
    body = {
        "organization_slug": "fjord-ferries",
        "email": "kari@fjord-ferries.example",
        "password": PASSWORD,
    }
    signed_in = httpx.post(f"{stack.url}/v1/sessions", json=body).raise_for_status().json()
    assert signed_in["me"]["organization_id"] == done.stdout.split()[0]
    again = stack.command("organization", "create", "fjord-ferries", *arguments)
    assert (again.returncode, "Traceback" in again.stderr) == (1, False)


def test_an_organization_that_cannot_be_is_refused_field_by_field(stack: RunningStack) -> None:
    done = stack.command(
        "organization", "create", "No Spaces", "--name", "X", "--owner-email", "x@x.example", "--owner-name", "X",
        "--currency", "nok", "--country", "NO", "--time-zone", "Europe/Oslo", "--password", PASSWORD,
    )  # fmt: skip
    assert done.returncode == 1
    assert "currency: must be a currency code" in done.stderr


async def test_all_events_of_the_demo_once_more_change_nothing(stack: RunningStack) -> None:
    with stack.api("Owner") as api:
        organization_id = api.get("/v1/me").raise_for_status().json()["organization_id"]
        before = api.get("/v1/customers").raise_for_status().json()
        published = published_events(stack)
        arguments = ("--organization", organization_id, "--since-seq", "1")
        done = stack.command("republish", "invoicing", *arguments)
        assert done.returncode == 0, done.stderr
        events = int(done.stdout.split()[0])
        assert events > 100
        await until(lambda: published_events(stack) >= published + events, 30)
        assert api.get("/v1/customers").raise_for_status().json() == before
    assert stack.command("dead-letters", "list").stdout == "No dead letters.\n"


def published_events(stack: RunningStack) -> float:
    """How many events the relay of invoicing has published since it started."""
    address = stack.environment.ports.address("invoicing-work-metrics")
    text = httpx.get(f"http://{address}/metrics").raise_for_status().text
    samples = re.findall(r"^tallyport_outbox_published_events_total\{.*\} (.*)$", text, re.MULTILINE)
    return sum(float(sample) for sample in samples)
