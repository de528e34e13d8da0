"""Parents and children: who stands above sees and pays, who stands beside or below sees nothing."""

import asyncio
from typing import Any

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import customers_pb2 as pb
from tallyport.invoicing.v1 import events_pb2, invoices_pb2
from tests.service.invoicing.office import Office, usd


async def put_below(office: Office, customer_id: str, parent: str, **fields: Any) -> pb.Customer:
    request = pb.SetCustomerParentRequest(
        customer_id=customer_id, parent_customer_id=parent, reason="group", **fields
    )
    return await office.call(office.customers.SetCustomerParent, request)


async def family(office: Office) -> tuple[str, str, str, str]:
    """A parent, two children, and a child of the first child."""
    ids = [(await office.customer(name=name)).customer_id for name in ("Top", "One", "Two", "Deep")]
    top, one, two, deep = ids
    await put_below(office, one, top)
    await put_below(office, two, top)
    await put_below(office, deep, one)
    return top, one, two, deep


async def below(office: Office, customer_id: str, **fields: Any) -> list[tuple[str, int, int]]:
    request = pb.ListSubsidiariesRequest(customer_id=customer_id)
    listed = await office.call(office.customers.ListSubsidiaries, request, **fields)
    return [
        (one.balance.customer.name, one.depth, one.balance.open.minor_units) for one in listed.subsidiaries
    ]


async def test_a_branch_moves_with_everybody_below_it(office: Office) -> None:
    top, one, two, deep = await family(office)
    await put_below(office, one, two)
    read = await office.call(office.customers.GetCustomer, pb.GetCustomerRequest(customer_id=deep))
    assert list(read.ancestor_ids) == [one, two, top]
    assert await below(office, top) == [("Two", 1, 0), ("One", 2, 0), ("Deep", 3, 0)]
    told = {
        event.contact.customer_id: list(event.ancestor_ids)
        for event in await office.events(events_pb2.CustomerChanged)
    }
    assert told[deep] == [one, two, top]
    await put_below(office, one, "")
    read = await office.call(office.customers.GetCustomer, pb.GetCustomerRequest(customer_id=deep))
    assert (list(read.ancestor_ids), read.version) == ([one], 4)


async def test_circles_and_towers_are_refused(office: Office) -> None:
    top, one, _, deep = await family(office)
    for parent in (top, deep):
        with pytest.raises(ServiceError, match="CUSTOMER_CIRCLE"):
            await put_below(office, top, parent)
    fourth, fifth, sixth = [(await office.customer()).customer_id for _ in range(3)]
    await put_below(office, fourth, deep)
    await put_below(office, sixth, fifth)
    with pytest.raises(ServiceError, match="CUSTOMER_TREE_TOO_DEEP"):
        await put_below(office, fifth, fourth)
    await put_below(office, fifth, deep)
    with pytest.raises(ServiceError, match="CUSTOMER_CHANGED"):
        await put_below(office, one, "", expected_version=1)


async def test_only_those_above_see_what_somebody_owes(office: Office) -> None:
    top, one, two, deep = await family(office)
    owed = await office.invoice(deep, 7_000)
    draft = await office.draft(deep)
    calls: list[tuple[Any, Any]] = [
        (office.invoices.GetInvoice, invoices_pb2.GetInvoiceRequest(invoice_id=owed.invoice_id)),
        (office.invoices.GetInvoicePdf, invoices_pb2.GetInvoicePdfRequest(invoice_id=owed.invoice_id)),
        (
            office.invoices.ListInvoicePayments,
            invoices_pb2.ListInvoicePaymentsRequest(invoice_id=owed.invoice_id),
        ),
        (office.invoices.ListInvoices, invoices_pb2.ListInvoicesRequest(customer_id=deep)),
        (office.customers.GetCustomer, pb.GetCustomerRequest(customer_id=deep)),
        (office.customers.GetAccountSummary, pb.GetAccountSummaryRequest(customer_id=deep)),
        (office.customers.ListSubsidiaries, pb.ListSubsidiariesRequest(customer_id=deep)),
    ]
    for method, request in calls:
        for seer in (deep, one, top):
            await office.call(method, request, as_=office.person_of(seer))
        with pytest.raises(ServiceError, match="NOT_FOUND"):
            await office.call(method, request, as_=office.person_of(two))
    for seer in (deep, one):
        with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
            await below(office, top, as_=office.person_of(seer))
    assert await below(office, top, as_=office.person_of(top)) == [
        ("One", 1, 0), ("Two", 1, 0), ("Deep", 2, 7_000),
    ]  # fmt: skip
    with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
        await office.read(draft.invoice_id, as_=office.person_of(top))


async def test_one_payment_of_a_parent_pays_for_all_and_the_rest_is_the_parents(office: Office) -> None:
    top, one, _, deep = await family(office)
    mine, theirs, far = [
        (await office.invoice(customer_id, cents)).invoice_id
        for customer_id, cents in ((top, 1_000), (one, 2_000), (deep, 3_000))
    ]
    plan = await office.plan(top, mine, theirs, far)
    assert {part.invoice_id: part.amount.minor_units for part in plan.parts} == {
        mine: 1_000, theirs: 2_000, far: 3_000,
    }  # fmt: skip
    parts = {mine: 1_000, theirs: 2_000, far: 3_000}
    await office.reserve("pay_1", top, parts)
    await office.paid("pay_1", top, 6_500, parts)
    for invoice_id in parts:
        assert (await office.read(invoice_id)).amount_due.minor_units == 0
    assert [await office.balance("receivable", owner) for owner in (top, one, deep)] == [0, 0, 0]
    assert (await office.credit(top), await office.credit(one)) == (500, 0)
    assert await office.wrongs() == []
    await office.reversed("pay_1", top, 6_500, whole=True)
    assert [await office.balance("receivable", owner) for owner in (top, one, deep)] == [
        1_000, 2_000, 3_000,
    ]  # fmt: skip
    assert await office.wrongs() == []
    await office.reinstated("pay_1", top, 6_500)
    assert [await office.balance("receivable", owner) for owner in (top, one, deep)] == [0, 0, 0]
    assert await office.wrongs() == []


async def test_a_parents_credit_pays_for_a_child_and_never_the_other_way(office: Office) -> None:
    top, one, two, _ = await family(office)
    await office.paid("pay_up", top, 5_000, {})
    owed = (await office.invoice(one, 4_000)).invoice_id
    assert (await office.plan(one, owed)).credit_used.minor_units == 0
    assert (await office.plan(top, owed)).credit_used.minor_units == 4_000
    await office.reserve("pay_2", top, {owed: 4_000}, credit=4_000)
    await office.paid("pay_2", top, 0, {owed: 4_000}, credit_used=usd(4_000))
    assert (await office.read(owed)).amount_due.minor_units == 0
    assert (await office.credit(top), await office.balance("receivable", one)) == (1_000, 0)
    assert await office.wrongs() == []
    own = (await office.invoice(top, 900)).invoice_id
    for stranger in (one, two):
        with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
            await office.plan(stranger, own)
        with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
            await office.reserve(f"pay_{stranger}", stranger, {own: 900})
    answers = await office.reserve_many(
        office.wish("pay_3", two, {own: 900}), office.wish("pay_4", top, {own: 900})
    )
    assert [answer.reason for answer in answers] == ["INVOICE_NOT_FOUND", ""]


async def test_money_that_was_not_held_pays_for_children_only(office: Office) -> None:
    top, one, two, _ = await family(office)
    child, stranger = [(await office.invoice(each, 1_000)).invoice_id for each in (one, top)]
    await office.paid("pay_5", top, 1_000, {child: 1_000})
    await office.paid("pay_6", two, 1_000, {stranger: 1_000})
    assert (await office.read(child)).amount_due.minor_units == 0
    assert (await office.read(stranger)).amount_due.minor_units == 1_000
    assert (await office.credit(top), await office.credit(two)) == (0, 1_000)
    assert await office.wrongs() == []


async def limited(office: Office, customer_id: str, cents: int) -> None:
    request = pb.UpdateCustomerRequest(
        customer_id=customer_id, credit_limit=pb.CustomerCreditLimit(amount=usd(cents))
    )
    await office.call(office.customers.UpdateCustomer, request)


async def test_a_limit_counts_everybody_below_and_each_own_limit_besides(office: Office) -> None:
    top, one, two, deep = await family(office)
    await limited(office, top, 10_000)
    await limited(office, two, 2_000)
    first = await office.invoice(deep, 6_000)
    await office.invoice(one, 2_000)
    too_much = await office.draft(two, 2_500)
    with pytest.raises(ServiceError, match="CREDIT_LIMIT_EXCEEDED") as refused:
        await office.finalize(too_much.invoice_id)
    assert refused.value.metadata["customer_id"] == top  # ten and a half thousand, of which two has none
    await office.paid("pay_top", top, 6_000, {first.invoice_id: 6_000})
    with pytest.raises(ServiceError, match="CREDIT_LIMIT_EXCEEDED") as refused:
        await office.finalize(too_much.invoice_id)
    assert refused.value.metadata["customer_id"] == two
    await office.invoice(two, 2_000)
    with pytest.raises(ServiceError, match="Top and all below it"):
        await office.invoice(deep, 6_001)
    await office.invoice(deep, 6_000)
    request = invoices_pb2.FinalizeInvoiceRequest(
        invoice_id=too_much.invoice_id, credit_limit_override_reason="the owner said so"
    )
    assert (await office.call(office.invoices.FinalizeInvoice, request)).number


async def test_a_whole_family_at_once_stays_under_its_limit(office: Office) -> None:
    top, one, two, deep = await family(office)
    await limited(office, top, 5_000)
    drafts = [await office.draft(each, 1_000) for each in (top, one, two, deep) * 3]

    answers = await asyncio.gather(
        *(office.finalize(draft.invoice_id) for draft in drafts), return_exceptions=True
    )
    refused = [answer.reason for answer in answers if isinstance(answer, ServiceError)]
    assert refused == ["CREDIT_LIMIT_EXCEEDED"] * 7
