"""Billing accounts: everything they say is kept, checked, and written down when it changes."""

import json
from typing import Any

import pytest

from chassis.errors import ServiceError
from services.invoicing.identity import not_staff
from services.invoicing.rpc.customers import Customers
from tallyport.invoicing.v1 import customers_pb2 as pb
from tallyport.invoicing.v1 import events_pb2, invoices_pb2
from tests.service.invoicing.office import Office, usd

FULL: dict[str, Any] = {
    "name": "Nordkai",
    "legal_name": "Nordkai Handels GmbH",
    "billing_address": pb.CustomerAddress(
        lines=["Am Kai 4"], city="Hamburg", postal_code="20457", country="DE"
    ),
    "shipping_address": pb.CustomerAddress(lines=["Tor 7"], city="Bremen", country="DE"),
    "tax_ids": [pb.CustomerTaxId(country="DE", value="136 695 976")],
    "purchase_order_rule": pb.CustomerPurchaseOrderRule(
        kind=pb.CUSTOMER_PURCHASE_ORDER_KIND_PATTERN, pattern="PO-####"
    ),
    "payment_terms": pb.CustomerPaymentTerms(
        days=30, end_of_month=True, early_discount_percent="2", early_discount_days=10
    ),
    "credit_limit": usd(50_000),
    "time_zone": "Europe/Berlin",
    "tax_standing": pb.CustomerTaxStanding(treatment=pb.CUSTOMER_TAX_TREATMENT_REVERSE_CHARGE),
    "account_manager_id": "per_anna",
    "external_ids": {"erp": "K-17"},
    "metadata": {"tier": "gold"},
    "segments": ["wholesale", "north"],
}


async def update(office: Office, customer_id: str, **fields: Any) -> pb.Customer:
    request = pb.UpdateCustomerRequest(customer_id=customer_id, **fields)
    return await office.call(office.customers.UpdateCustomer, request)


async def versions(office: Office, customer_id: str) -> list[pb.CustomerVersion]:
    request = pb.ListCustomerVersionsRequest(customer_id=customer_id)
    return list((await office.call(office.customers.ListCustomerVersions, request)).versions)


async def test_all_that_was_said_is_kept_and_told(office: Office) -> None:
    made = await office.customer(**FULL)
    read = await office.call(
        office.customers.GetCustomer, pb.GetCustomerRequest(customer_id=made.customer_id)
    )
    assert read == made
    assert [(one.country, one.type, one.value) for one in read.tax_ids] == [("DE", "vat", "DE136695976")]
    assert (read.tax_id, list(read.address_lines), read.country) == ("DE136695976", ["Am Kai 4"], "DE")
    assert (dict(read.external_ids), dict(read.metadata)) == ({"erp": "K-17"}, {"tier": "gold"})
    (event,) = await office.events(events_pb2.CustomerChanged)
    assert (event.time_zone, list(event.segments), event.account_manager_id) == (
        "Europe/Berlin", ["wholesale", "north"], "per_anna",
    )  # fmt: skip


async def test_people_of_the_customer_are_told_no_notes_of_staff(office: Office) -> None:
    made = await office.customer(**FULL)
    request = pb.GetCustomerRequest(customer_id=made.customer_id)
    told = await office.call(office.customers.GetCustomer, request, as_=office.person_of(made.customer_id))
    assert told.legal_name == "Nordkai Handels GmbH"
    assert not told.HasField("credit_limit")
    assert not any((told.metadata, told.segments, told.external_ids, told.account_manager_id))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tax_ids": [pb.CustomerTaxId(country="DE", value="136695977")]}, "tax_ids[0].value"),
        ({"tax_ids": [pb.CustomerTaxId(country="US", type="nonsense", value="1")]}, "tax_ids[0].type"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        (
            {"payment_terms": pb.CustomerPaymentTerms(days=10, early_discount_percent="2")},
            "payment_terms.early_discount_days",
        ),
        (
            {
                "purchase_order_rule": pb.CustomerPurchaseOrderRule(
                    kind=pb.CUSTOMER_PURCHASE_ORDER_KIND_PATTERN
                )
            },
            "purchase_order_rule.pattern",
        ),
        ({"metadata": {"k" * 41: "v"}}, "metadata"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(office: Office, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ServiceError) as refused:
        await office.customer(**fields)
    assert [one.field for one in refused.value.fields] == [field]


async def test_an_id_in_another_system_means_one_customer(office: Office) -> None:
    first = await office.customer(external_ids={"erp": "K-17"})
    with pytest.raises(ServiceError, match="CUSTOMER_EXTERNAL_ID_TAKEN"):
        await office.customer(external_ids={"erp": "K-17"})
    await update(office, first.customer_id, external_ids=pb.CustomerTexts(values={"shop": "K-17"}))
    await office.customer(external_ids={"erp": "K-17"})


async def test_every_change_says_who_when_why_and_what(office: Office) -> None:
    made = await office.customer(**FULL)
    await update(
        office, made.customer_id, legal_name="Nordkai SE", segments=pb.CustomerLabels(values=["north"]),
        reason="new register entry",
    )  # fmt: skip
    await update(office, made.customer_id, legal_name="Nordkai SE")
    newest, first = await versions(office, made.customer_id)
    assert (newest.version, newest.reason, newest.changed_by) == (2, "new register entry", "person:per_s")
    changes = {one.field: (json.loads(one.before), json.loads(one.after)) for one in newest.changes}
    assert changes == {
        "legal_name": ("Nordkai Handels GmbH", "Nordkai SE"),
        "segments": (["wholesale", "north"], ["north"]),
    }
    assert first.version == 1
    assert {one.field: one.before for one in first.changes}["credit_limit"] == ""


async def test_who_saw_an_older_customer_changes_nothing(office: Office) -> None:
    made = await office.customer()
    await update(office, made.customer_id, name="First")
    with pytest.raises(ServiceError, match="CUSTOMER_CHANGED"):
        await update(office, made.customer_id, name="Second", expected_version=1)
    await update(office, made.customer_id, name="Second", expected_version=2)


async def test_a_limit_is_in_the_customers_currency_and_can_be_taken_away(office: Office) -> None:
    made = await office.customer(credit_limit=usd(100))
    foreign = pb.CustomerCreditLimit()
    foreign.amount.currency = "EUR"
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await update(office, made.customer_id, credit_limit=foreign)
    without = await update(office, made.customer_id, credit_limit=pb.CustomerCreditLimit())
    assert not without.HasField("credit_limit")


async def test_terms_and_order_number_of_the_customer_go_into_drafts(office: Office) -> None:
    made = await office.customer(**FULL, purchase_order_number="PO-0001")
    draft = await office.draft(made.customer_id, invoice_date="2026-11-21")
    assert (draft.due_date, draft.purchase_order_number) == ("2026-12-31", "PO-0001")
    assert draft.early_discount_until == "2026-12-01"


async def hold(office: Office, customer_id: str, on_hold: bool) -> pb.Customer:
    request = pb.SetCustomerHoldRequest(customer_id=customer_id, on_hold=on_hold, reason="late for months")
    return await office.call(office.customers.SetCustomerHold, request)


async def test_a_customer_on_hold_is_invoiced_nothing_new(office: Office) -> None:
    made = await office.customer()
    draft = await office.draft(made.customer_id)
    assert (await hold(office, made.customer_id, True)).hold_reason == "late for months"
    with pytest.raises(ServiceError, match="CUSTOMER_ON_HOLD"):
        await office.draft(made.customer_id)
    with pytest.raises(ServiceError, match="CUSTOMER_ON_HOLD"):
        await office.finalize(draft.invoice_id)
    assert not (await hold(office, made.customer_id, False)).hold_reason
    assert (await office.finalize(draft.invoice_id)).number


async def test_a_demanded_order_number_must_be_there_and_look_right(office: Office) -> None:
    rule = pb.CustomerPurchaseOrderRule(kind=pb.CUSTOMER_PURCHASE_ORDER_KIND_PATTERN, pattern="PO-####")
    made = await office.customer(purchase_order_rule=rule)
    for number, reason in (("", "PURCHASE_ORDER_REQUIRED"), ("PO-12", "PURCHASE_ORDER_INVALID")):
        draft = await office.draft(made.customer_id, purchase_order_number=number)
        with pytest.raises(ServiceError, match=reason):
            await office.finalize(draft.invoice_id)
    await office.invoice(made.customer_id, purchase_order_number="PO-1234")


async def test_more_than_the_credit_limit_needs_a_reason(office: Office) -> None:
    made = await office.customer(credit_limit=usd(25_000))
    first = await office.invoice(made.customer_id, 10_000)
    await office.invoice(made.customer_id, 10_000)
    third = await office.draft(made.customer_id, 10_000)
    with pytest.raises(ServiceError, match="CREDIT_LIMIT_EXCEEDED"):
        await office.finalize(third.invoice_id)
    request = invoices_pb2.FinalizeInvoiceRequest(
        invoice_id=third.invoice_id, credit_limit_override_reason="the owner said so"
    )
    final = await office.call(office.invoices.FinalizeInvoice, request)
    assert final.number == f"INV-{int(first.number.removeprefix('INV-')) + 2:06d}"
    for each in (first, final):
        await office.paid(f"pay_{each.number}", made.customer_id, 10_000, {each.invoice_id: 10_000})
    await office.invoice(made.customer_id, 10_000)


async def test_an_account_manager_is_staff_of_the_organization(office: Office) -> None:
    async def must_be_staff(organization_id: str, person_id: str) -> None:
        assert organization_id == office.organization_id
        if person_id not in staff:
            raise not_staff()

    staff = {"per_anna", "per_ben"}
    office.customers = Customers(office.db, must_be_staff)
    with pytest.raises(ServiceError, match="account manager"):
        await office.customer(account_manager_id="per_a_customers")
    made = await office.customer(account_manager_id="per_anna")
    with pytest.raises(ServiceError, match="account manager"):
        await update(office, made.customer_id, account_manager_id="per_nobody")
    staff.remove("per_anna")
    kept = await update(office, made.customer_id, name="New", account_manager_id="per_anna")  # she was before
    assert kept.account_manager_id == "per_anna"
    assert (await update(office, made.customer_id, account_manager_id="")).account_manager_id == ""
    assert (
        await update(office, made.customer_id, account_manager_id="per_ben")
    ).account_manager_id == "per_ben"
