"""Staff are told the truth about why an invoice cannot be voided."""

import pytest

from services.gateway.console.words import void_hindrance
from tallyport.common.v1.money_pb2 import Money
from tallyport.invoicing.v1.invoices_pb2 import Invoice


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("amount_paid", "Something was paid"),
        ("amount_credited", "was credited"),
        ("amount_processing", "on its way"),
    ],
)
def test_what_was_only_credited_is_not_called_paid(field: str, told: str) -> None:
    invoice = Invoice()
    getattr(invoice, field).CopyFrom(Money(minor_units=500, currency="USD"))
    assert told in void_hindrance(invoice)


def test_an_untouched_invoice_can_be_voided() -> None:
    assert void_hindrance(Invoice()) == ""
