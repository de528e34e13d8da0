"""One rule for what is late: statements, summaries, lists and the overview agree where plans and disputes are."""

import io

from pypdf import PdfReader

from tallyport.invoicing.v1 import customers_pb2, disputes_pb2, invoices_pb2, statements_pb2
from tests.service.invoicing.office import Office, usd
from tests.service.invoicing.plans.test_instalment_plans import accept, allow, ask, on, summary


async def aged(office: Office, customer_id: str) -> tuple[dict[str, int], dict[str, int], list[int]]:
    """What the statement and the overview say by age, and what summary, list and overview call overdue."""
    request = statements_pb2.GetStatementRequest(customer_id=customer_id)
    account = (await office.call(office.statements.GetStatement, request)).accounts[0]
    overview = await office.call(
        office.invoices.GetReceivablesOverview, invoices_pb2.GetReceivablesOverviewRequest()
    )
    owed = overview.currencies[0]
    assert sum(one.amount.minor_units for one in account.aging) == account.owed.minor_units
    listed = await office.call(office.customers.ListCustomers, customers_pb2.ListCustomersRequest())
    late = [
        (await summary(office, customer_id)).overdue,
        next(one.overdue for one in listed.customers if one.customer.customer_id == customer_id),
        owed.overdue,
        owed.top_debtors[0].overdue,
    ]
    return (
        {one.name: one.amount.minor_units for one in account.aging if one.amount.minor_units},
        {one.name: one.amount.minor_units for one in owed.aging if one.amount.minor_units},
        [one.minor_units for one in late],
    )


async def test_under_a_plan_only_instalments_are_late(office: Office) -> None:
    await allow(office)
    customer_id = (await office.customer()).customer_id
    first = await office.invoice(customer_id, 30_000, due_date="2026-11-22")
    second = await office.invoice(customer_id, 10_000, due_date="2026-11-24")
    ids = [first.invoice_id, second.invoice_id]
    await accept(office, await ask(office, customer_id, invoice_ids=ids))
    await on(office, "2026-12-01")
    not_late = await aged(office, customer_id)
    assert not_late == ({"current": 40_000}, {"current": 40_000}, [0, 0, 0, 0])
    await on(office, "2026-12-02")
    a_day_late = await aged(office, customer_id)
    ages = {"current": 30_000, "1-30": 10_000}
    assert a_day_late == (ages, ages, [10_000] * 4)


async def test_what_is_in_dispute_has_no_age_and_is_not_asked_for(office: Office) -> None:
    customer_id = (await office.customer(locale="de-DE")).customer_id
    invoice = await office.invoice(customer_id, 31_836, due_date="2026-11-22")
    dispute = disputes_pb2.OpenDisputeRequest(
        invoice_id=invoice.invoice_id,
        reason=disputes_pb2.DISPUTE_REASON_WRONG_AMOUNT,
        text="Agreed on less",
        amount=usd(11_900),
    )
    await office.call(office.disputes.OpenDispute, dispute)
    await on(office, "2026-11-30")
    statement, overview, late = await aged(office, customer_id)
    assert statement == {"1-30": 19_936, "disputed": 11_900}
    assert (overview, late) == ({"1-30": 19_936}, [19_936] * 4)
    request = statements_pb2.GetStatementPdfRequest(customer_id=customer_id)
    file = await office.call(office.statements.GetStatementPdf, request)
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file.content)).pages)
    assert "199,36" in words
    assert "Beanstandet: 119,00" in words
