"""The demo's real invoice histories, imported: every row is there as the file says, and once."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from devstack.demo import histories
from tests.support.books import check_books, open_books
from tests.support.stack import RunningStack

pytestmark = pytest.mark.xdist_group("stack")

ROWS = 2_466
ZONE = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def staff(stack: RunningStack) -> Iterator[httpx.Client]:
    """The API for the demo's accountant."""
    with stack.api("Accountant") as client:
        yield client


def _histories(staff: httpx.Client) -> list[dict[str, Any]]:
    """Their numbers are digits; other tests import files of their own into the same stack."""
    return [one for one in _all_invoices(staff) if one["external_id"].isdigit()]


@pytest.fixture(scope="module")
def loaded_on(staff: httpx.Client) -> date:
    """The day to which the histories were moved: that of their newest invoice."""
    return max(date.fromisoformat(one["invoice_date"]) for one in _histories(staff))


@pytest.fixture(scope="module")
def file(loaded_on: date) -> bytes:
    """What the demo imported."""
    return histories.read(loaded_on).content


@pytest.fixture(scope="module")
def rows(file: bytes) -> dict[str, dict[str, str]]:
    """The rows by invoice number."""
    return {row["invoice number"]: row for row in csv.DictReader(io.StringIO(file.decode()))}


@pytest.fixture(scope="module")
def imported(staff: httpx.Client) -> dict[str, dict[str, Any]]:
    """All imported invoices, by the number in the file."""
    return {one["external_id"]: one for one in _histories(staff)}


def test_every_row_is_an_invoice(
    rows: dict[str, dict[str, str]], imported: dict[str, dict[str, Any]]
) -> None:
    assert len(rows) == ROWS
    assert imported.keys() == rows.keys()
    for number, row in rows.items():
        invoice = imported[number]
        dates = (invoice["invoice_date"], invoice["due_date"], invoice["customer_name"])
        assert dates == (row["invoice date"], row["due date"], row["customer name"])
        assert invoice["total"] == {"minor_units": round(float(row["amount"]) * 100), "currency": "USD"}
        assert invoice["disputed"] == (row["disputed"] == "yes")


def test_settled_rows_are_paid_on_their_day(
    rows: dict[str, dict[str, str]], imported: dict[str, dict[str, Any]], loaded_on: date
) -> None:
    settled = {number: row["settled date"] for number, row in rows.items() if row["settled date"]}
    assert 0 < len(settled) < ROWS
    for number, invoice in imported.items():
        paid_on = _day(invoice["paid_at"]) if invoice.get("paid_at") else None
        if number in settled:
            assert (invoice["status"], paid_on) == ("paid", date.fromisoformat(settled[number]))
        elif paid_on is not None:  # whoever used the demo since then
            assert paid_on >= loaded_on


async def test_the_money_of_settled_rows_was_received_on_their_day(
    stack: RunningStack, rows: dict[str, dict[str, str]]
) -> None:
    async with open_books(stack.environment) as books:
        cursor = await books["payments"].execute(
            "SELECT note, received_on, amount_minor_units FROM payments WHERE method = 'external'"
            " AND note ~ '^[0-9]+$'"
        )
        received = Counter(
            (r["note"], r["received_on"], r["amount_minor_units"]) for r in await cursor.fetchall()
        )
    assert received == Counter(
        (number, date.fromisoformat(row["settled date"]), round(float(row["amount"]) * 100))
        for number, row in rows.items()
        if row["settled date"]
    )


def _imported(staff: httpx.Client) -> int:
    """Schedules and late fees make other invoices meanwhile."""
    return sum(one["external_id"].isdigit() for one in _all_invoices(staff))


def test_a_second_import_adds_nothing(
    stack: RunningStack, staff: httpx.Client, file: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "histories.csv"
    path.write_bytes(file)
    before = _imported(staff)
    done = stack.command("import", "invoices", str(path))
    assert done.returncode == 0, done.stderr
    assert f"{ROWS} rows: 0 created, {ROWS} were there already, 0 with errors." in done.stdout
    assert _imported(staff) == before


def test_aging_adds_up_to_what_is_open(staff: httpx.Client) -> None:
    answer = staff.get("/v1/receivables/overview").raise_for_status().json()
    (currency,) = (one for one in answer["currencies"] if one["open"]["currency"] == "USD")
    payable = [one for one in _all_invoices(staff, filter="payable") if one["total"]["currency"] == "USD"]
    due = sum(invoice["amount_due"]["minor_units"] for invoice in payable)
    assert currency["open"]["minor_units"] == due
    assert currency["open_invoices"] == len(payable)
    disputed = sum(min(_due(one), one["amount_disputed"]["minor_units"]) for one in payable)
    assert currency["disputed"]["minor_units"] == disputed
    assert sum(bucket["amount"]["minor_units"] for bucket in currency["aging"]) == due - disputed
    asked = [one for one in payable if one["amount_disputed"]["minor_units"] < _due(one)]
    assert sum(bucket["invoices"] for bucket in currency["aging"]) == len(asked)
    assert currency["overdue"]["minor_units"] == sum(_late(one) for one in asked if one["overdue"])


def _late(invoice: dict[str, Any]) -> int:
    """Under a plan that is kept only what its instalments ask is late."""
    if instalment := invoice["instalment"]:
        return int(instalment["asked_now"]["minor_units"])
    return _due(invoice) - int(invoice["amount_disputed"]["minor_units"])


async def test_the_books_of_the_demo_are_right(stack: RunningStack) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        await check_books(stack.environment, http)


def _due(invoice: dict[str, Any]) -> int:
    return int(invoice["amount_due"]["minor_units"])


def _all_invoices(staff: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = _page(staff, page_token=token, page_size=100, **query)
        found += page["invoices"]
        if not (token := page["next_page_token"]):
            return found


def _page(staff: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = staff.get("/v1/invoices", params=query)
    assert answer.is_success, answer.text
    page: dict[str, Any] = answer.json()
    return page


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(ZONE).date()
