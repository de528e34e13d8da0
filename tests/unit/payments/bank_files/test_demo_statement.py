"""The statement that the demo imports: a right file, whatever the invoices are."""

from datetime import date
from typing import Any

import pytest

from devstack.demo.bank_statement import INVOICES_NEEDED, camt053, lines_for
from services.payments.domain.bank_statement import BankFileFormat
from services.payments.domain.creditor_reference import creditor_reference
from services.payments.formats.detection import read_bank_file
from services.payments.formats.source import ReadOptions

ACCOUNT = {"iban": "004417002388", "currency": "USD"}
TODAY = date(2026, 11, 22)


def invoices(count: int) -> list[dict[str, Any]]:
    return [
        {
            "invoice_id": f"inv_{number}",
            "number": f"10{number:02d}-A",
            "customer_name": f"Rope & Sail <{number}>",
            "amount_due": {"minor_units": 1_001 * (number + 1), "currency": "USD"},
        }
        for number in range(count)
    ]


def test_the_file_is_read_whole_and_its_balances_add_up() -> None:
    lines = lines_for(invoices(INVOICES_NEEDED + 3))
    file = read_bank_file(camt053(ACCOUNT, lines, TODAY), ReadOptions())
    assert file.format is BankFileFormat.CAMT
    (statement,) = file.statements
    assert (statement.account_identification, statement.reference) == ("004417002388", "DEMO-20261122")
    assert [line.amount.minor_units for line in statement.lines] == [line.minor_units for line in lines]
    assert statement.lines[0].counterparty_name == "Rope & Sail <0>"
    assert statement.lines[6].structured_reference == creditor_reference("1006A")


def test_too_few_open_invoices_are_an_error() -> None:
    with pytest.raises(ValueError, match="11 open invoices are needed, there are 4"):
        lines_for(invoices(4))
