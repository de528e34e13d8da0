"""The public invoice histories, moved by whole days to end today."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parent.parent / "data" / "late-payment-histories.csv"
COLUMNS: Final = (
    "invoice number",
    "customer id",
    "customer name",
    "email",
    "invoice date",
    "due date",
    "amount",
    "currency",
    "disputed",
    "settled date",
    "description",
)
_FIRST: Final = [
    "Alder",
    "Briar",
    "Cobalt",
    "Dune",
    "Ember",
    "Fjord",
    "Granite",
    "Harrow",
    "Indigo",
    "Juniper",
]
_SECOND: Final = (
    *("Bakery", "Studio", "Logistics", "Clinic", "Foods"),
    *("Robotics", "Press", "Outfitters", "Gardens", "Partners"),
)
_WORK: Final = (
    "Container hire",
    "Harbour pilotage",
    "Cold storage",
    "Customs handling",
    "Pallet freight",
    "Crane hours",
    "Mooring and berth",
    "Spare parts",
)


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """A customer of the histories under a made-up company name."""

    external_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Histories:
    """What the demo imports."""

    customers: list[DemoCustomer]
    content: bytes
    invoices: int
    open_by_customer: dict[str, int]


def read(today: date) -> Histories:
    """The histories as a CSV file that the import understands.

    The newest invoices are dated today, so what is open falls due from some days ago to thirty days ahead. An invoice
    that was settled after `today` is still open.
    """
    rows = list(csv.DictReader(io.StringIO(SOURCE.read_text())))
    shift = today - max(_day(row["InvoiceDate"]) for row in rows)
    customers = _customers(sorted({row["customerID"] for row in rows}))
    open_by_customer: dict[str, int] = dict.fromkeys(customers, 0)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: (_day(row["InvoiceDate"]), row["invoiceNumber"])):
        customer = customers[row["customerID"]]
        settled = _day(row["SettledDate"]) + shift
        is_open = settled > today
        open_by_customer[customer.external_id] += is_open
        writer.writerow(
            [
                row["invoiceNumber"],
                customer.external_id,
                customer.name,
                customer.email,
                _day(row["InvoiceDate"]) + shift,
                _day(row["DueDate"]) + shift,
                row["InvoiceAmount"],
                "USD",
                row["Disputed"].lower(),
                "" if is_open else settled,
                _WORK[int(row["invoiceNumber"]) % len(_WORK)],
            ]
        )
    return Histories(list(customers.values()), out.getvalue().encode(), len(rows), open_by_customer)


def _customers(external_ids: list[str]) -> dict[str, DemoCustomer]:
    names = _names()
    found = {}
    for external_id in external_ids:
        name = next(names)
        found[external_id] = DemoCustomer(
            external_id, name, f"accounts@{name.lower().replace(' ', '-')}.example"
        )
    return found


def _names() -> Iterator[str]:
    for second in _SECOND:
        for first in _FIRST:
            yield f"{first} {second}"


def _day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - days have no zone
