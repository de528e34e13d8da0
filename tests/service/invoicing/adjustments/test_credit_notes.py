"""Credit notes: what they take off an invoice, its taxes, and the payments that had paid it."""

import pytest

from chassis.errors import ServiceError
from tallyport.invoicing.v1 import credit_notes_pb2 as pb
from tallyport.invoicing.v1 import events_pb2, invoices_pb2
from tests.service.invoicing.office import Office, usd

_OPEN, _PAID = invoices_pb2.INVOICE_STATUS_OPEN, invoices_pb2.INVOICE_STATUS_PAID
_PARTLY = invoices_pb2.INVOICE_STATUS_PARTLY_PAID


def _lines(*lines: tuple[int, str, str]) -> list[invoices_pb2.InvoiceLineInput]:
    return [
        invoices_pb2.InvoiceLineInput(
            description=f"Item {cents}", unit_price=usd(cents), quantity=quantity, tax_rate_percent=rate
        )
        for cents, quantity, rate in lines
    ]


async def test_credit_notes_mirror_revenue_and_tax_to_the_cent_and_have_a_series_of_their_own(
    office: Office,
) -> None:
    customer = await office.customer()
    lines = _lines((333, "3", "19"), (1_001, "1", "7"))
    invoice = await office.invoice(customer.customer_id, lines=lines, discount_percent="3")
    numbers, taxes, nets = [], 0, 0
    for cents in (100, 7, 1_000):
        note = await office.credit_note(invoice.invoice_id, cents)
        assert note.subtotal.minor_units + note.tax_total.minor_units == note.total.minor_units == cents
        assert sum(tax.tax.minor_units for tax in note.taxes) == note.tax_total.minor_units
        numbers.append(note.number)
        taxes, nets = taxes + note.tax_total.minor_units, nets + note.subtotal.minor_units
    last = await office.credit_note(invoice.invoice_id)
    assert [*numbers, last.number] == ["CN-000001", "CN-000002", "CN-000003", "CN-000004"]
    assert taxes + last.tax_total.minor_units == invoice.tax_total.minor_units
    assert nets + last.subtotal.minor_units == invoice.subtotal.minor_units
    for account in ("revenue", "tax_payable", "receivable"):
        assert await office.balance(account, customer.customer_id if account == "receivable" else "") == 0
    assert (await office.read(invoice.invoice_id)).amount_due.minor_units == 0
    assert await office.wrongs() == []
    with pytest.raises(ServiceError, match="VALIDATION_FAILED"):
        await office.credit_note(invoice.invoice_id)


async def test_a_line_that_we_write_ourselves_is_in_the_language_of_the_customer(office: Office) -> None:
    customer = await office.customer(locale="de-DE")
    invoice = await office.invoice(customer.customer_id, 1_000)
    note = await office.credit_note(invoice.invoice_id, 100)
    assert [line.description for line in note.lines] == [f"Gutschrift zu Rechnung {invoice.number}"]


async def test_lines_are_credited_by_quantity_by_amount_and_never_more_than_there_was(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, lines=_lines((1_000, "3", "19"), (500, "1", "0")))
    first = await office.credit_note(
        invoice.invoice_id, lines=[pb.CreditNoteLineInput(line_no=1, quantity="1")]
    )
    assert (first.subtotal.minor_units, first.tax_total.minor_units) == (1_000, 190)
    second = await office.credit_note(
        invoice.invoice_id, lines=[pb.CreditNoteLineInput(line_no=2, amount=usd(200))]
    )
    assert (second.total.minor_units, second.tax_total.minor_units) == (200, 0)
    request = pb.ListCreditableLinesRequest(invoice_id=invoice.invoice_id)
    left = await office.call(office.credit_notes.ListCreditableLines, request)
    assert [line.creditable.minor_units for line in left.lines] == [2_380, 300]
    assert left.creditable.minor_units == 2_680
    for line in (
        pb.CreditNoteLineInput(line_no=1, quantity="2.0001"),
        pb.CreditNoteLineInput(line_no=2, amount=usd(301)),
    ):
        with pytest.raises(ServiceError, match="CREDIT_EXCEEDS_INVOICE"):
            await office.credit_note(invoice.invoice_id, lines=[line])
    with pytest.raises(ServiceError, match="CREDIT_EXCEEDS_INVOICE"):
        await office.credit_note(invoice.invoice_id, 2_681)
    with pytest.raises(ServiceError, match="INVOICE_LINE_NOT_FOUND"):
        await office.credit_note(invoice.invoice_id, lines=[pb.CreditNoteLineInput(line_no=3)])
    rest = await office.credit_note(
        invoice.invoice_id, lines=[pb.CreditNoteLineInput(line_no=1), pb.CreditNoteLineInput(line_no=2)]
    )
    assert rest.total.minor_units == 2_680
    assert await office.balance("tax_payable") == 0
    assert await office.wrongs() == []


async def test_what_had_been_paid_becomes_credit_of_the_payments_that_had_paid_it(office: Office) -> None:
    customer = await office.customer()
    earlier = await office.invoice(customer.customer_id, 300)
    await office.paid("pay_old", customer.customer_id, 700, {earlier.invoice_id: 300})
    invoice = await office.invoice(customer.customer_id, 1_000)
    parts = {invoice.invoice_id: 900}
    await office.reserve("pay_1", customer.customer_id, parts, credit=400)
    await office.paid("pay_1", customer.customer_id, 500, parts, credit_used=usd(400))
    note = await office.credit_note(invoice.invoice_id, 750)
    assert (note.off_due.minor_units, note.to_credit.minor_units) == (100, 650)
    after = await office.read(invoice.invoice_id)
    assert (after.amount_paid.minor_units, after.amount_credited.minor_units) == (250, 750)
    assert (after.amount_due.minor_units, after.status) == (0, _PAID)
    assert await office.credit(customer.customer_id) == 650
    assert await office.balance("customer_credit", customer.customer_id) == -650
    assert await office.wrongs() == []
    # It can be refunded from there, by its source.
    await office.reversed("pay_1", customer.customer_id, 250)
    assert await office.credit(customer.customer_id) in (400, 650)
    assert await office.wrongs() == []
    (told,) = await office.events(events_pb2.CreditNoteIssued)
    assert (told.number, told.to_credit.minor_units, told.amount_due.minor_units) == (note.number, 650, 0)


async def test_a_payment_on_its_way_is_not_cut(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    await office.reserve("pay_1", customer.customer_id, {invoice.invoice_id: 600})
    with pytest.raises(ServiceError, match="INVOICE_BEING_PAID"):
        await office.credit_note(invoice.invoice_id, 401)
    await office.credit_note(invoice.invoice_id, 400)
    await office.paid("pay_1", customer.customer_id, 600, {invoice.invoice_id: 600})
    assert (await office.read(invoice.invoice_id)).status == _PAID
    assert await office.credit(customer.customer_id) == 0
    assert await office.wrongs() == []


async def test_the_same_key_gives_the_same_credit_note_and_a_preview_changes_nothing(office: Office) -> None:
    customer = await office.customer()
    invoice = await office.invoice(customer.customer_id, 1_000)
    request = pb.PreviewCreditNoteRequest(invoice_id=invoice.invoice_id, amount=usd(400))
    preview = await office.call(office.credit_notes.PreviewCreditNote, request)
    assert (preview.number, preview.total.minor_units) == ("", 400)
    notes = [await office.credit_note(invoice.invoice_id, 400, key="once") for _ in range(2)]
    assert notes[0] == notes[1]
    assert await office.reductions(invoice.invoice_id) == [("credit_note", 400)]
    assert (await office.read(invoice.invoice_id)).status == _PARTLY


async def test_customers_see_their_own_credit_notes_only(office: Office) -> None:
    mine, other = await office.customer(), await office.customer(name="Nobody Else")
    invoice = await office.invoice(mine.customer_id, 1_000)
    theirs = await office.invoice(other.customer_id, 1_000)
    note = await office.credit_note(invoice.invoice_id, 10)
    hidden = await office.credit_note(theirs.invoice_id, 10)
    me = office.person_of(mine.customer_id)
    request = pb.ListCreditNotesRequest()
    listed = await office.call(office.credit_notes.ListCreditNotes, request, as_=me)
    assert [one.credit_note_id for one in listed.credit_notes] == [note.credit_note_id]
    found = await office.call(
        office.credit_notes.GetCreditNote,
        pb.GetCreditNoteRequest(credit_note_id=note.credit_note_id), as_=me,
    )  # fmt: skip
    assert found == note
    with pytest.raises(ServiceError, match="NOT_FOUND"):
        await office.call(
            office.credit_notes.GetCreditNote,
            pb.GetCreditNoteRequest(credit_note_id=hidden.credit_note_id), as_=me,
        )  # fmt: skip
    with pytest.raises(ServiceError, match="NOT_FOUND"):
        await office.call(
            office.credit_notes.ListCreditNotes, pb.ListCreditNotesRequest(invoice_id=theirs.invoice_id),
            as_=me,
        )  # fmt: skip


async def test_a_draft_and_a_voided_invoice_are_not_credited(office: Office) -> None:
    customer = await office.customer()
    draft = await office.draft(customer.customer_id, 1_000)
    with pytest.raises(ServiceError, match="INVOICE_NOT_CREDITABLE"):
        await office.credit_note(draft.invoice_id, 1)
    invoice = await office.finalize(draft.invoice_id)
    request = invoices_pb2.VoidInvoiceRequest(invoice_id=invoice.invoice_id, reason="Wrong")
    await office.call(office.invoices.VoidInvoice, request)
    with pytest.raises(ServiceError, match="INVOICE_NOT_CREDITABLE"):
        await office.credit_note(draft.invoice_id, 1)
