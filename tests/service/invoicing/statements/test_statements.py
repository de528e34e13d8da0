"""Statements agree with the ledger to the cent, on the day and when they are made again later."""

import io
from datetime import date, timedelta
from typing import Any

import pytest
from pypdf import PdfReader

from chassis.caller import Caller
from chassis.errors import ServiceError
from tallyport.invoicing.v1 import invoices_pb2, statements_pb2
from tests.service.invoicing.customers.test_families import put_below
from tests.service.invoicing.office import Office

FIRST = date(2026, 11, 21)


async def statement(
    office: Office, customer_id: str, *, as_: Caller | None = None, **fields: Any
) -> statements_pb2.Statement:
    request = statements_pb2.GetStatementRequest(customer_id=customer_id, **fields)
    return await office.call(office.statements.GetStatement, request, as_=as_)


async def next_day(office: Office) -> None:
    office.clock.advance(timedelta(days=1))


async def a_month(office: Office, customer_id: str) -> list[date]:
    """Something of everything, a thing a day; returns the days."""
    first = await office.invoice(customer_id, 10_000, due_date="2026-11-25")
    await next_day(office)
    second = await office.invoice(customer_id, 5_000)
    await next_day(office)
    await office.paid("pay_one", customer_id, 12_000, {first.invoice_id: 10_000, second.invoice_id: 1_000})
    await next_day(office)
    await office.credit_note(first.invoice_id, 4_000)
    await next_day(office)
    await office.reversed("pay_one", customer_id, 12_000)
    await next_day(office)
    third = await office.invoice(customer_id, 700)
    await office.write_off(third.invoice_id)
    await next_day(office)
    await office.revert_write_off(third.invoice_id)
    await next_day(office)
    await office.reinstated("pay_one", customer_id, 12_000)
    await next_day(office)
    fourth = await office.invoice(customer_id, 2_500)
    await office.call(
        office.invoices.VoidInvoice,
        invoices_pb2.VoidInvoiceRequest(invoice_id=fourth.invoice_id, reason="Wrong"),
    )
    await office.credit_note(second.invoice_id)
    return [FIRST + timedelta(days=at) for at in range(9)]


def figures(account: statements_pb2.StatementAccount) -> tuple[int, int, int, list[int]]:
    aging = [bucket.amount.minor_units for bucket in account.aging]
    return account.closing.minor_units, account.owed.minor_units, account.credit.minor_units, aging


async def ledger(office: Office, customer_id: str) -> int:
    return await office.balance("receivable", customer_id) + await office.balance(
        "customer_credit", customer_id
    )


async def test_opening_and_rows_make_closing_which_is_the_ledgers_balance(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    days = await a_month(office, customer_id)
    whole = (await statement(office, customer_id, first_day=days[0].isoformat())).accounts[0]
    assert whole.opening.minor_units == 0
    assert whole.closing.minor_units == await ledger(office, customer_id)
    assert whole.rows[-1].balance == whole.closing
    assert whole.charged.minor_units - whole.settled.minor_units == whole.closing.minor_units
    kinds = {statements_pb2.StatementRowKind.Name(row.kind).split("_", 3)[3] for row in whole.rows}
    wanted = "INVOICE PAYMENT CREDIT_NOTE PAID_BACK WRITE_OFF RECOVERY REINSTATED VOIDED"
    assert kinds == set(wanted.split())
    assert whole.rows[0].number == "INV-000001"
    assert whole.rows[0].due_date == "2026-11-25"


async def test_every_split_of_a_period_carries_on_where_the_one_before_ended(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    days = await a_month(office, customer_id)
    whole = (await statement(office, customer_id, first_day=days[0].isoformat())).accounts[0]
    for day in days[:-1]:
        before = await statement(office, customer_id, first_day=days[0].isoformat(), last_day=day.isoformat())
        after = await statement(office, customer_id, first_day=(day + timedelta(days=1)).isoformat())
        assert before.accounts[0].closing == after.accounts[0].opening
        assert [*before.accounts[0].rows, *after.accounts[0].rows] == list(whole.rows)


async def test_a_statement_made_later_says_what_it_said_on_the_day(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    told: dict[str, Any] = {}
    advance = office.clock.advance

    async def note() -> None:
        now = await statement(office, customer_id)
        told[now.last_day] = figures(now.accounts[0])

    for step in steps(office, customer_id):
        await step()
        await note()
        advance(timedelta(days=1))
    for day, expected in told.items():
        later = await statement(office, customer_id, last_day=day)
        assert figures(later.accounts[0]) == expected, day
        assert sum(expected[3]) == expected[1], "ages add up to what is owed"
    assert all(len(one[3]) == 5 for one in told.values()), "all of it is on invoices"


def steps(office: Office, customer_id: str) -> list[Any]:
    """What happens on one day after the other."""
    ids: dict[str, str] = {}

    async def invoiced(name: str, cents: int, **fields: Any) -> None:
        ids[name] = (await office.invoice(customer_id, cents, **fields)).invoice_id

    async def paid(payment_id: str, cents: int, **parts: int) -> None:
        await office.paid(payment_id, customer_id, cents, {ids[name]: part for name, part in parts.items()})

    return [
        lambda: invoiced("a", 10_000, due_date="2026-11-22"),
        lambda: invoiced("b", 5_000, due_date="2027-01-30"),
        lambda: paid("pay_1", 12_000, a=10_000, b=1_000),
        lambda: office.credit_note(ids["a"], 4_000),
        lambda: office.credit_note(ids["b"], 4_500),
        lambda: invoiced("c", 700),
        lambda: office.write_off(ids["c"]),
        lambda: office.revert_write_off(ids["c"]),
        lambda: office.reversed("pay_1", customer_id, 3_000, parts={ids["a"]: 3_000}),
        lambda: office.reinstated("pay_1", customer_id, 3_000),
        lambda: paid("pay_2", 2_000, c=700),
    ]


async def test_a_parents_statement_is_the_sum_of_its_own_and_those_below(office: Office) -> None:
    parent, child, other = [
        (await office.customer(name=name)).customer_id for name in ("Top", "Left", "Right")
    ]
    for one in (child, other):
        await put_below(office, one, parent)
    of_child = await office.invoice(child, 3_000)
    await office.invoice(other, 800)
    await office.invoice(parent, 200)
    await office.paid("pay_top", parent, 2_500, {of_child.invoice_id: 2_500})
    family = (await statement(office, parent, include_children=True)).accounts[0]
    single = [(await statement(office, one)).accounts[0] for one in (parent, child, other)]
    assert family.closing.minor_units == sum(one.closing.minor_units for one in single) == 1_500
    assert {row.customer_name for row in family.rows} == {"Top", "Left", "Right"}
    assert family.rows[-1].balance == family.closing


async def test_people_see_their_own_and_those_below_and_nobody_elses(office: Office) -> None:
    parent, child, stranger = [(await office.customer()).customer_id for _ in range(3)]
    await put_below(office, child, parent)
    assert (await statement(office, child, as_=office.person_of(parent))).customer_id == child
    for who, whose in ((child, parent), (stranger, child)):
        with pytest.raises(ServiceError, match="customer"):
            await statement(office, whose, as_=office.person_of(who))


async def test_the_pdf_tells_the_same(office: Office) -> None:
    customer_id = (await office.customer(locale="de-DE")).customer_id
    await a_month(office, customer_id)
    request = statements_pb2.GetStatementPdfRequest(customer_id=customer_id, first_day="2026-11-21")
    file = await office.call(office.statements.GetStatementPdf, request)
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file.content)).pages)
    assert file.file_name == "statement-2026-11-21-2026-11-29.pdf"
    for expected in ("Kontoauszug", "INV-000001", "Gutschrift", "Ausgebucht", "100,00"):
        assert expected in words


async def test_days_the_wrong_way_round_are_refused(office: Office) -> None:
    customer_id = (await office.customer()).customer_id
    with pytest.raises(ServiceError, match="first day"):
        await statement(office, customer_id, first_day="2026-11-02", last_day="2026-11-01")
