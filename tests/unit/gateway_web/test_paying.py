"""What a payer may type, and when a form is not paid."""

import pytest

from services.gateway.portal import owing, paying
from services.gateway.web.forms import Form
from services.gateway.web.page import local_path
from tallyport.common.v1.money_pb2 import Money
from tallyport.invoicing.v1.invoices_pb2 import Invoice, InvoiceStatus


def invoice(due: int = 12_500, processing: int = 0, currency: str = "USD", version: int = 3) -> Invoice:
    return Invoice(
        invoice_id="inv_1",
        status=InvoiceStatus.INVOICE_STATUS_OPEN,
        total=Money(minor_units=due, currency=currency),
        amount_due=Money(minor_units=due, currency=currency),
        amount_processing=Money(minor_units=processing, currency=currency),
        version=version,
    )


def sheet(entered: str, of: Invoice | None = None, version: str = "3") -> paying.Sheet:
    form = Form.of([("amount_inv_1", entered), ("version_inv_1", version)])
    return paying.submitted(form, [of or invoice()], owing.left)


@pytest.mark.parametrize(
    ("entered", "units"),
    [("125.00", 12_500), ("125", 12_500), ("0.01", 1), ("12,5", 1_250), ("١٢٫٥٠", 1_250), (" 7.5 ", 750)],
)
def test_amounts_are_understood_as_typed(entered: str, units: int) -> None:
    result = sheet(entered)
    assert result.good
    assert result.total.minor_units == units


@pytest.mark.parametrize(
    "entered", ["", "abc", "1.234", "1,234", "1,2,3", "-5", "0", "0.00", "125.01", "1e3", "²", "NaN"]
)
def test_what_is_not_a_payable_amount_is_refused_with_a_sentence(entered: str) -> None:
    result = sheet(entered)
    assert not result.good
    assert result.lines[0].error


def test_only_what_is_not_on_its_way_can_be_paid() -> None:
    assert sheet("100.00", invoice(processing=5_000)).lines[0].error
    assert sheet("75.00", invoice(processing=5_000)).good


def test_an_invoice_that_changed_since_it_was_shown_is_not_paid() -> None:
    assert sheet("10", version="2").changed
    assert not sheet("10", version="2").good
    assert sheet("10", version="").changed


def test_an_invoice_that_is_paid_meanwhile_is_left_out_and_the_form_comes_back() -> None:
    result = sheet("10", invoice(due=0))
    assert result.changed
    assert not result.lines


def test_currencies_without_minor_units_take_whole_amounts() -> None:
    yen = invoice(due=5_000, currency="JPY")
    assert sheet("1200", yen).total.minor_units == 1_200
    assert sheet("12.5", yen).lines[0].error


@pytest.mark.parametrize(
    "text",
    [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "javascript:x",
        "",
        "/a\r\nSet-Cookie: x",
        "/" + "a" * 900,
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(text: str) -> None:
    assert local_path(text) == "/"


def test_a_path_of_ours_is_kept() -> None:
    assert local_path("/pay?invoice=inv_1") == "/pay?invoice=inv_1"
