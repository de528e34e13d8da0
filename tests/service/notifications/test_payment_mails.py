"""News of payments reach the customer once each, at the address that invoicing told last."""

from google.protobuf.message import Message

from chassis import ids
from tallyport.common.v1 import money_pb2
from tallyport.invoicing.v1 import events_pb2 as invoicing
from tallyport.payments.v1 import events_pb2 as payments
from tests.service.notifications.conftest import World
from tests.support.wait import until

PAT = "pat@buyer.example"
SUM = money_pb2.Money(minor_units=12_050, currency="EUR")
PART = payments.PaidPart(invoice_id="inv_1", amount=SUM)
BACK = invoicing.Application(invoice_id="inv_1", number="INV-7", amount=SUM, amount_due=SUM)


def unapplied(*, notify: bool = True) -> invoicing.PaymentUnapplied:
    return invoicing.PaymentUnapplied(
        payment_id=ids.new_id("pay"),
        reversal_id=ids.new_id("rtn"),
        contact=invoicing.Contact(customer_id="cus_1", name="Pat", email=PAT, locale="en"),
        amount=SUM,
        applications=[BACK],
        kind="return",
        receipt_number="R-000007",
        notify=notify,
    )


async def tell(world: World, organization_id: str, kind: str, about_id: str, event: Message) -> None:
    service = event.DESCRIPTOR.full_name.split(".")[1]
    await world.publish(service, organization_id, kind, about_id, event)


async def test_each_kind_of_news_reaches_the_customer_in_a_mail_of_its_own(world: World) -> None:
    back = unapplied()
    news: dict[str, tuple[str, Message]] = {
        "apr_1": (
            "autopay_run",
            payments.AutopayAnnounced(
                run_id="apr_1", customer_id="cus_1", amount=SUM, pay_on="2026-12-01", parts=[PART],
                invoice_numbers=["INV-7"], method_summary="Visa 4242",
            ),
        ),
        "apr_2": (
            "autopay_run",
            payments.AutopayFailed(
                run_id="apr_2", customer_id="cus_1", amount=SUM, failure_code="card_declined",
                method_summary="Visa 4242",
            ),
        ),
        "pm_1": (
            "payment_method",
            payments.PaymentMethodExpiring(
                payment_method_id="pm_1", customer_id="cus_1", summary="Visa 4242", expiry_month=12,
                expiry_year=2026,
            ),
        ),
        "pay_1": (
            "payment",
            payments.PaymentApprovalRequested(
                payment_id="pay_1", customer_id="cus_1", amount=SUM, requested_by="Ada"
            ),
        ),
        back.payment_id: ("payment_application", back),
        "sch_1": (
            "schedule",
            invoicing.InvoiceUpcoming(
                schedule_id="sch_1", name="Berth", contact=back.contact, invoice_on="2026-12-01", total=SUM
            ),
        ),
        "sch_2": (
            "schedule",
            invoicing.ScheduleChanged(
                schedule_id="sch_2", name="Berth", contact=back.contact, effective_on="2027-01-01",
                kind=invoicing.SCHEDULE_CHANGE_KIND_PRICE, line_description="Berth 12", old_unit_price=SUM,
                new_unit_price=SUM,
            ),
        ),
    }  # fmt: skip
    organization_id = await world.organization()
    async with world.consuming(mailing=True):
        await until(lambda: world.known(organization_id))
        await world.customer(organization_id, PAT)
        await world.invoice(organization_id, PAT)  # its mail says that the customer is known by now
        await until(lambda: len(world.post.to(PAT)) == 1, timeout_seconds=10)
        for _ in range(2):
            for about_id, (kind, event) in news.items():
                await tell(world, organization_id, kind, about_id, event)
        await until(lambda: len(world.post.to(PAT)) == 1 + len(news), timeout_seconds=10)
    subjects = {str(mail["Subject"]) for mail in world.post.mails}
    assert {
        "Automatic payment of €120.50 to Harbor on December 1, 2026",
        "Automatic payment of €120.50 to Harbor did not go through",
        "Visa 4242 expires at the end of December 2026",
        "Ada asks for approval: €120.50 to Harbor",
        "Your payment of €120.50 to Harbor came back",
        "Your next invoice from Harbor: €120.50 on December 1, 2026",
        "Berth: a new price from January 1, 2027",
    } < subjects
    assert all(mail["To"] == f"Pat <{PAT}>" for mail in world.post.mails)


async def test_nobody_is_told_of_a_reversal_that_is_only_a_correction(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming(mailing=True):
        await until(lambda: world.known(organization_id))
        for event in (unapplied(notify=False), unapplied()):
            await tell(world, organization_id, "payment_application", event.payment_id, event)
        await until(lambda: len(world.post.to(PAT)) == 1, timeout_seconds=10)
    assert len(await world.listed(organization_id)) == 1


async def test_a_credit_note_is_mailed_with_its_document_unless_it_was_imported(world: World) -> None:
    organization_id = await world.organization()
    note = invoicing.CreditNoteIssued(
        credit_note_id="crn_1", number="CN-7", invoice_id="inv_1", invoice_number="INV-7",
        contact=invoicing.Contact(customer_id="cus_1", name="Pat", email=PAT, locale="en"), total=SUM,
        to_credit=money_pb2.Money(currency="EUR"), amount_due=SUM,
    )  # fmt: skip
    async with world.consuming(mailing=True):
        await until(lambda: world.known(organization_id))
        imported = invoicing.CreditNoteIssued()
        imported.CopyFrom(note)
        imported.credit_note_id, imported.number, imported.silent = "crn_0", "CN-6", True
        await tell(world, organization_id, "credit_note", "crn_0", imported)
        await tell(world, organization_id, "credit_note", "crn_1", note)
        await until(lambda: len(world.post.mails) == 1)
    (mail,) = world.post.mails
    assert "CN-7" in mail["subject"]
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("CN-7.pdf", b"%PDF credit note")
