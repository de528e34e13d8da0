"""Planning payments, and reserving just what was shown."""

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import invoices_pb2, reservations_pb2
from tests.service.invoicing.office import Office, usd


async def test_the_oldest_due_is_paid_first_also_among_those_that_are_named(office: Office) -> None:
    customer = await office.customer()
    late, early, middle = [
        await office.invoice(customer.customer_id, 1_000, due_date=day)
        for day in ("2026-12-24", "2026-12-01", "2026-12-12")
    ]
    plan = await office.plan(customer.customer_id, amount=usd(1_500))
    assert [(part.invoice_id, part.amount.minor_units) for part in plan.parts] == [
        (early.invoice_id, 1_000), (middle.invoice_id, 500),
    ]  # fmt: skip
    assert (plan.rest.minor_units, plan.payable.minor_units) == (0, 3_000)
    named = await office.plan(customer.customer_id, late.invoice_id, middle.invoice_id, amount=usd(2_100))
    assert [part.number for part in named.parts] == [middle.number, late.number]
    assert (named.rest.minor_units, named.parts[0].version) == (100, middle.version)


async def test_credit_is_used_first_unless_it_is_kept(office: Office) -> None:
    customer = await office.customer()
    await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_0", customer.customer_id, 300, {})
    plan = await office.plan(customer.customer_id)
    assert (plan.credit_used.minor_units, plan.credit_available.minor_units) == (300, 300)
    kept = await office.plan(customer.customer_id, keep_credit=True)
    assert (kept.credit_used.minor_units, kept.credit_available.minor_units) == (0, 300)


async def test_what_is_left_out_is_said_with_its_reason(office: Office) -> None:
    customer = await office.customer()
    draft = await office.draft(customer.customer_id, 1_000)
    paid, held, part = [await office.invoice(customer.customer_id, 1_000) for _ in range(3)]
    await office.paid("pay_0", customer.customer_id, 1_000, {paid.invoice_id: 1_000})
    await office.reserve("pay_1", customer.customer_id, {held.invoice_id: 1_000, part.invoice_id: 400})
    ids = [one.invoice_id for one in (draft, paid, held, part)]
    plan = await office.plan(customer.customer_id, *ids)
    assert {skip.invoice_id: skip.reason for skip in plan.skipped} == {
        draft.invoice_id: "not_payable", paid.invoice_id: "paid", held.invoice_id: "being_paid",
    }  # fmt: skip
    assert [(one.invoice_id, one.amount.minor_units) for one in plan.parts] == [(part.invoice_id, 600)]
    own = await office.plan(customer.customer_id, *ids, payment_id="pay_1")
    assert await office.plan(customer.customer_id, *ids, replaced_payment_ids=["pay_1"]) == own
    assert own.payable.minor_units == 2_000


async def test_other_peoples_invoices_are_not_there(office: Office) -> None:
    customer, neighbour = await office.customer(), await office.customer()
    theirs = await office.invoice(neighbour.customer_id, 1_000)
    for invoice_id in (theirs.invoice_id, "inv_unknown"):
        with pytest.raises(ServiceError, match="INVOICE_NOT_FOUND"):
            await office.plan(customer.customer_id, invoice_id)
    with pytest.raises(ServiceError, match="CUSTOMER_NOT_FOUND"):
        await office.plan("cus_unknown")
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await office.plan(customer.customer_id, amount=usd(-1))


async def test_what_was_shown_is_what_is_reserved(office: Office) -> None:
    """Holds of others change nothing that was shown; a payment does, and that is the first thing said."""
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    shown = (await office.plan(customer.customer_id)).parts[0].version
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 400})
    versions = {invoice.invoice_id: shown}
    with pytest.raises(ServiceError, match="INVOICE_BEING_PAID"):
        await office.reserve("pay_2", customer.customer_id, {invoice.invoice_id: 1_000}, versions=versions)
    await office.reserve("pay_2", customer.customer_id, {invoice.invoice_id: 600}, versions=versions)
    await office.paid("pay_1", customer.customer_id, 400, {invoice.invoice_id: 400})
    await office.paid("pay_2", customer.customer_id, 600, {invoice.invoice_id: 600})
    with pytest.raises(ServiceError, match="INVOICE_CHANGED") as refused:
        await office.reserve("pay_3", customer.customer_id, {invoice.invoice_id: 1_000}, versions=versions)
    assert refused.value.metadata["invoice_id"] == invoice.invoice_id
    with pytest.raises(ServiceError, match="INVOICE_ALREADY_PAID"):
        await office.reserve("pay_3", customer.customer_id, {invoice.invoice_id: 1_000})


async def test_many_reservations_are_answered_one_by_one(office: Office) -> None:
    customer, neighbour = await office.customer(), await office.customer()
    shared = await office.invoice(customer.customer_id, 1_000)
    theirs = await office.invoice(neighbour.customer_id, 1_000)
    await office.paid("pay_0", customer.customer_id, 100, {})
    wishes = [
        office.wish("pay_1", customer.customer_id, {shared.invoice_id: 600}, credit=100),
        office.wish("pay_2", customer.customer_id, {shared.invoice_id: 600}),
        office.wish("pay_3", customer.customer_id, {theirs.invoice_id: 1}),
        office.wish("pay_4", neighbour.customer_id, {theirs.invoice_id: 0}),
        office.wish("pay_5", neighbour.customer_id, {theirs.invoice_id: 1_000}),
        office.wish("pay_6", customer.customer_id, {shared.invoice_id: 400}, credit=1),
        office.wish("pay_7", customer.customer_id, {}),
        office.wish("pay_8", "cus_unknown", {}),
        office.wish("pay_9", customer.customer_id, {shared.invoice_id: 400}, versions={shared.invoice_id: 9}),
    ]
    answers = await office.reserve_many(*wishes)
    assert [answer.reason for answer in answers] == [
        "", "INVOICE_BEING_PAID", "INVOICE_NOT_FOUND", "VALIDATION_FAILED", "", "CREDIT_CHANGED", "",
        "CUSTOMER_NOT_FOUND", "INVOICE_CHANGED",
    ]  # fmt: skip
    left = {"left_minor_units": "400", "currency": "USD"}
    assert answers[1].metadata == {"invoice_id": shared.invoice_id, "payment_id": "pay_1", **left}
    assert answers[0].reservation.parts[0].number == shared.number
    assert list(answers[6].reservation.parts) == []
    again = await office.reserve_many(*wishes[:2])
    assert again[0] == answers[0]
    assert again[1].reason == "INVOICE_BEING_PAID"
    assert (await office.read(shared.invoice_id)).amount_processing.minor_units == 600
    assert await office.wrongs() == []


async def test_requests_that_do_not_go_together_are_refused(office: Office, other_office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    one = office.wish("pay_1", customer.customer_id, {invoice.invoice_id: 1})
    foreign = other_office.wish("pay_2", customer.customer_id, {invoice.invoice_id: 1})
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await office.reserve_many(one, one)
    mine, theirs = await office.reserve_many(one, foreign)
    assert (mine.reason, theirs.reason) == ("", "INVOICE_NOT_FOUND")
    for parts, credit in (({}, 5), ({invoice.invoice_id: 10}, 11), ({invoice.invoice_id: 10}, -1)):
        with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
            await office.reserve("pay_3", customer.customer_id, parts, credit=credit)


async def test_open_invoices_are_found_by_what_a_bank_line_says(office: Office, other_office: Office) -> None:
    anchor = await office.customer(name="Blue Anchor Seafood", external_id="C-17")
    marina = await office.customer(name="Marina Grande S.p.A.")
    hidden = await office.customer(name="Nobody Else")
    first, second = [await office.invoice(anchor.customer_id, cents) for cents in (1_000, 2_000)]
    third = await office.invoice(marina.customer_id, 3_333, purchase_order_number="PO 9")
    await office.invoice(hidden.customer_id, 9_999)
    await office.paid("pay_0", anchor.customer_id, 1_000, {first.invoice_id: 1_000})
    stranger = await other_office.customer(name="Blue Anchor Seafood")
    await other_office.invoice(stranger.customer_id, 2_000)

    async def found(**clues: object) -> list[str]:
        request = reservations_pb2.FindOpenItemsRequest(
            organization_id=office.organization_id,
            **clues,  # type: ignore[arg-type]
        )
        answer = await office.as_payments(office.open_items.FindOpenItems, request)
        return sorted(item.number for item in answer.items)

    assert await found(numbers=[first.number.replace("-", " ").lower()]) == [first.number, second.number]
    assert await found(amounts=[usd(3_333), usd(5)]) == [third.number]
    assert await found(names=["MARINA", "x"]) == [third.number]
    assert await found(names=["anchor seafood"]) == [second.number]
    assert await found(customer_ids=[anchor.customer_id]) == [second.number]
    assert await found(invoice_ids=[first.invoice_id]) == [first.number, second.number]
    assert await found() == []
    await office.reserve("pay_1", marina.customer_id, {third.invoice_id: 333})
    request = reservations_pb2.FindOpenItemsRequest(
        organization_id=office.organization_id, numbers=[third.number], invoice_ids=[first.invoice_id]
    )
    items = (await office.as_payments(office.open_items.FindOpenItems, request)).items
    assert {item.number: item.amount_due.minor_units for item in items} == {
        first.number: 0, second.number: 2_000, third.number: 3_000,
    }  # fmt: skip
    by_number = {item.number: item for item in items}
    assert by_number[third.number].purchase_order_number == "PO 9"
    assert by_number[first.number].customer_external_id == "C-17"


async def test_what_is_due_is_listed_without_what_is_disputed_or_on_its_way(office: Office) -> None:
    customer, other = await office.customer(), await office.customer()
    soon = await office.invoice(customer.customer_id, 1_000, due_date="2026-12-01")
    await office.invoice(customer.customer_id, 2_000, due_date="2026-12-31")
    held = await office.invoice(other.customer_id, 500)
    await office.reserve("pay_1", other.customer_id, {held.invoice_id: 500})
    await office.paid("pay_0", other.customer_id, 50, {})
    request = reservations_pb2.ListDueItemsRequest(
        organization_id=office.organization_id,
        customer_ids=[customer.customer_id, other.customer_id],
        due_until="2026-12-15",
    )
    answer = await office.as_payments(office.open_items.ListDueItems, request)
    assert [item.invoice_id for item in answer.items] == [soon.invoice_id]
    assert [(one.customer_id, one.credit.minor_units) for one in answer.credits] == [(other.customer_id, 50)]
    request.due_until = ""
    assert len((await office.as_payments(office.open_items.ListDueItems, request)).items) == 2


async def test_the_sums_agree_for_all_payments_and_for_some(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.paid("pay_1", customer.customer_id, 1_300, {invoice.invoice_id: 1_000})
    await office.paid("pay_2", customer.customer_id, 98, {}, surcharge=usd(-2))
    await office.reversed("pay_1", customer.customer_id, 500)

    async def sums(*payment_ids: str) -> list[list[int]]:
        request = reservations_pb2.GetCashAgreementRequest(
            organization_id=office.organization_id, payment_ids=payment_ids
        )
        answer = await office.as_payments(office.open_items.GetCashAgreement, request)
        return [
            [one.received.minor_units, one.applied.minor_units, one.unapplied.minor_units,
             one.refunded.minor_units, one.cash_clearing.minor_units]
            for one in answer.sums
        ]  # fmt: skip

    assert await sums() == [[1_400, 800, 100, 500, 900]]
    assert await sums("pay_1") == [[1_300, 800, 0, 500, 800]]
    assert await sums("pay_2", "pay_unknown") == [[100, 0, 100, 0, 100]]
    assert await sums("pay_unknown") == []
    after = await office.read(invoice.invoice_id)
    assert after.status == invoices_pb2.INVOICE_STATUS_PARTLY_PAID
    assert await office.wrongs() == []
