"""The demo's payments of many kinds and its bank statement, as staff and the payer see them."""

import io
from collections import Counter
from typing import Any

import pytest
from pypdf import PdfReader

from devstack.demo.payments import LOGIN
from services.payments.domain.creditor_reference import for_people, reference_of_invoice
from tests.support.stack import RunningStack
from tests.support.wait import until

pytestmark = pytest.mark.xdist_group("stack")


def test_one_customer_has_paid_in_many_ways_and_pays_by_itself(stack: RunningStack) -> None:
    with stack.api(LOGIN) as payer:
        methods = payer.get("/v1/payment_methods").raise_for_status().json()["payment_methods"]
        assert Counter(method["type"] for method in methods) == {"card": 1, "bank_debit": 1}
        autopay = payer.get("/v1/autopay").raise_for_status().json()
        (card,) = (method for method in methods if method["type"] == "card")
        assert (autopay["enabled"], autopay["payment_method_id"]) == (True, card["payment_method_id"])
        paid = payer.get("/v1/payments").raise_for_status().json()["payments"]
    states = Counter((payment["method"], payment["status"]) for payment in paid)
    assert states[("bank_debit", "processing")] == 1
    assert states[("card", "scheduled")] == 1
    assert states[("card", "refunded")] == 1


async def test_the_staff_find_an_open_chargeback_and_a_refund(stack: RunningStack) -> None:
    with stack.api("Owner") as staff:

        def chargebacks() -> list[dict[str, Any]]:
            found: list[dict[str, Any]]
            found = staff.get("/v1/chargebacks").raise_for_status().json()["chargebacks"]
            return found

        await until(lambda: len(chargebacks()) > 0)
        assert "open" in {chargeback["status"] for chargeback in chargebacks()}
        refunds = staff.get("/v1/refunds").raise_for_status().json()["refunds"]
        assert any(refund["reason"] == "Delivered to the wrong berth" for refund in refunds)


def test_the_bank_statement_is_matched_but_for_three_lines(stack: RunningStack) -> None:
    with stack.api("Owner") as staff:
        found = staff.get("/v1/bank_statements", params={"page_size": 100}).raise_for_status().json()
        (statement,) = (one for one in found["statements"] if one["statement_reference"].startswith("DEMO-"))
        assert statement["lines"] == 12
        statement_id = statement["bank_statement_id"]
        page = staff.get("/v1/bank_lines", params={"page_size": 100, "bank_statement_id": statement_id})
        lines = page.raise_for_status().json()["lines"]
    by_itself = [line for line in lines if line["matched_by"] == "automatic"]
    assert len(by_itself) == 8
    assert {line["status"] for line in by_itself} == {"matched"}
    waiting = {line["counterparty_name"] for line in lines if line["status"] == "unmatched"}
    assert len(waiting) == 3
    assert {"M. Keller", "Northwind Clearing House"} < waiting
    assert [line["amount"]["minor_units"] for line in lines if line["status"] == "outgoing"] == [-1_250]


def test_an_open_invoice_in_euro_shows_where_to_transfer_to(stack: RunningStack) -> None:
    with stack.api("kai@hansa-reederei.example") as payer:
        found = payer.get("/v1/invoices", params={"filter": "payable"}).raise_for_status().json()
        invoice = found["invoices"][0]
        document = payer.get(f"/v1/invoices/{invoice['invoice_id']}/pdf").raise_for_status()
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(document.content)).pages)
    reference = for_people(reference_of_invoice(invoice["number"], invoice["invoice_id"]))
    for wanted in ("DE89 3704 0044 0532 0130 00", reference, "Mit der Banking-App scannen"):
        assert wanted in text, wanted
