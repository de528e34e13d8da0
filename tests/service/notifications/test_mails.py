"""From an event to a mail: once, whatever happens on the way."""

import asyncio
from datetime import timedelta
from functools import partial

import nats
import nats.js.errors
import pytest
from nats.aio.client import Client
from sqlalchemy import text

from chassis import ids
from chassis.crashpoints import Crashed, armed
from chassis.errors import Kind, ServiceError
from chassis.migrations import schema_differences
from services.notifications.domain.message import LEASE, MOST_BROKEN_TRIES, NO_ADDRESS, State
from tallyport.notifications.v1 import messages_pb2
from tests.service.notifications.conftest import World
from tests.support.database import Databases
from tests.support.wait import until

PAT = "pat@buyer.example"


async def test_an_invoice_and_its_payment_reach_the_customer_within_moments(world: World) -> None:
    async with world.consuming(mailing=True):
        organization_id = await world.organization()
        await until(lambda: world.known(organization_id))
        invoice_id = await world.invoice(organization_id, PAT)
        payment_id = await world.payment(organization_id, PAT)
        await until(lambda: len(world.post.to(PAT)) == 2, timeout_seconds=10)
        for about_id in (invoice_id, payment_id):
            await until(partial(_is_sent, world, organization_id, about_id))
    by_subject = {str(mail["Subject"]).split()[0]: mail for mail in world.post.mails}
    invoice, receipt = by_subject["Invoice"], by_subject["Receipt"]
    assert invoice["Subject"] == "Invoice INV-7 from Harbor: €120.50 due December 21, 2026"
    assert invoice["From"] == "Harbor <bills@tp.example>"
    html = invoice.get_body(("html",))
    assert html is not None
    assert "https://pay.example/l/secret-part" in html.get_content()
    assert [part.get_content() for part in invoice.iter_attachments()] == [b"%PDF invoice"]
    assert [part.get_filename() for part in receipt.iter_attachments()] == ["R-7.pdf"]
    async with world.db.transport() as tx:
        types = (await tx.execute(text("SELECT type FROM outbox"))).scalars().all()
    assert set(types) == {"tallyport.notifications.v1.MessageSent"}


async def _is_sent(world: World, organization_id: str, about_id: str) -> bool:
    return [message.state for message in await world.about(organization_id, about_id)] == [State.SENT]


async def test_an_event_delivered_three_times_makes_one_mail(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        await until(lambda: world.known(organization_id))
    invoice_id = await world.invoice(organization_id, PAT)
    admin = await nats.connect(world.nats.admin_url)
    for forget_inbox in (False, False, True):
        async with world.consuming(mailing=True):
            await until(lambda: _is_sent(world, organization_id, invoice_id))
            await until(lambda: _all_acknowledged(admin))
        if forget_inbox:  # not even the inbox: the constraint of the table alone holds
            async with world.db.transport() as tx:
                await tx.execute(text("DELETE FROM inbox"))
                await tx.execute(text("DELETE FROM inbox_positions"))
        await admin.jetstream().delete_consumer("EVT_INVOICING", "notifications")
    async with world.consuming(mailing=True):
        await until(lambda: _all_acknowledged(admin))
        assert await world.mailer.send_due() == []
    await admin.close()
    assert len(world.post.to(PAT)) == 1


async def _all_acknowledged(admin: Client) -> bool:
    try:
        info = await admin.jetstream().consumer_info("EVT_INVOICING", "notifications")
    except nats.js.errors.NotFoundError:
        return False
    return not info.num_pending and not info.num_ack_pending and info.delivered is not None


@pytest.mark.parametrize(("point", "mails"), [("mail.before_send", 1), ("mail.after_send", 2)])
async def test_a_crash_around_sending_leaves_one_mail_id_and_a_sent_message(
    world: World, point: str, mails: int
) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        invoice_id = await world.invoice(organization_id, PAT)
        await until(lambda: _ready(world, organization_id, invoice_id))
    with armed(point), pytest.raises(Crashed):
        await world.mailer.send_due()
    assert await world.mailer.send_due() == []
    world.clock.advance(LEASE + timedelta(seconds=1))
    (sent,) = await world.mailer.send_due()
    assert (sent.state, sent.attempts) == (State.SENT, 2)
    assert len(world.post.to(PAT)) == mails
    assert {mail["Message-ID"] for mail in world.post.mails} == {f"<{sent.message_id}@tp.example>"}


async def _ready(world: World, organization_id: str, about_id: str) -> bool:
    """The message is queued and the brand is there."""
    return await world.known(organization_id) and await world.queued(organization_id, about_id)


@pytest.mark.parametrize("answer", ["451 4.3.0 come back later", "hang up"])
async def test_a_passing_refusal_is_tried_again_after_a_pause(world: World, answer: str) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        invoice_id = await world.invoice(organization_id, PAT)
        await until(lambda: _ready(world, organization_id, invoice_id))
    world.post.answers.extend([answer, answer])
    for seconds in (5, 30):
        (postponed,) = await world.mailer.send_due()
        assert postponed.state is State.QUEUED
        assert postponed.last_error
        assert postponed.due_at == world.clock.now() + timedelta(seconds=seconds)
        assert await world.mailer.send_due() == []
        world.clock.advance(timedelta(seconds=seconds))
    (sent,) = await world.mailer.send_due()
    assert (sent.state, sent.attempts, sent.last_error) == (State.SENT, 3, "")
    assert len(world.post.to(PAT)) == 1


async def test_a_final_refusal_fails_the_message_and_staff_see_why(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        invoice_id = await world.invoice(organization_id, PAT)
        await until(lambda: _ready(world, organization_id, invoice_id))
    world.post.answers.append("550 5.1.1 no such mailbox")
    (failed,) = await world.mailer.send_due()
    assert (failed.state, failed.last_error) == (State.FAILED, "550 5.1.1 no such mailbox")
    world.clock.advance(timedelta(days=1))
    assert await world.mailer.send_due() == []
    (listed,) = await world.listed(organization_id)
    assert listed.last_error == "550 5.1.1 no such mailbox"
    assert listed.about_id == invoice_id


async def test_a_mail_server_that_refuses_for_days_fails_the_message(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        invoice_id = await world.invoice(organization_id, PAT)
        await until(lambda: _ready(world, organization_id, invoice_id))
    world.post.answers.extend(["421 busy"] * 100)
    tries = 0
    while (message := (await world.about(organization_id, invoice_id))[0]).state is State.QUEUED:
        world.clock.advance(max(message.due_at - world.clock.now(), timedelta()))
        tries += len(await world.mailer.send_due())
    assert message.last_error == "tried too often: 421 busy"
    assert 10 < tries < 30


@pytest.mark.parametrize("kind", [Kind.INTERNAL, Kind.DEADLINE_EXCEEDED])
async def test_a_mail_that_cannot_be_made_fails_within_hours_and_can_be_tried_again(
    world: World, kind: Kind
) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        invoice_id = await world.invoice(organization_id, PAT)
        await until(lambda: _ready(world, organization_id, invoice_id))
    world.offices.failure = ServiceError(kind, "BROKEN", "No document.")
    begun, tries = world.clock.now(), 0
    while (message := (await world.about(organization_id, invoice_id))[0]).state is State.QUEUED:
        world.clock.advance(max(message.due_at - world.clock.now(), timedelta()))
        tries += len(await world.mailer.send_due())
    assert tries == MOST_BROKEN_TRIES
    assert world.clock.now() - begun < timedelta(hours=6)
    (listed,) = await world.listed(organization_id)
    assert listed.last_error.startswith("tried too often: ")
    world.offices.failure = None
    request = messages_pb2.RetryMessageRequest(message_id=message.message_id)
    await world.messages.RetryMessage(request, metadata=world.staff(organization_id))
    (sent,) = await world.mailer.send_due()
    assert sent.state is State.SENT


async def test_when_invoicing_is_away_the_mail_waits_seconds_and_then_leaves(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        invoice_id = await world.invoice(organization_id, PAT)
        await until(lambda: _ready(world, organization_id, invoice_id))
    world.offices.failure = ServiceError(Kind.UNAVAILABLE, "AWAY", "Away.")
    (postponed,) = await world.mailer.send_due()
    assert (postponed.state, postponed.last_error) == (State.QUEUED, "AWAY: Away.")
    world.offices.failure = None
    world.clock.advance(timedelta(seconds=2))
    (sent,) = await world.mailer.send_due()
    assert sent.state is State.SENT


async def test_a_mail_waits_for_the_brand_of_an_organization_that_is_not_known_yet(world: World) -> None:
    organization_id = ids.new_id("org")
    async with world.consuming():
        invoice_id = await world.invoice(organization_id, PAT)
        await until(lambda: world.queued(organization_id, invoice_id))
    (postponed,) = await world.mailer.send_due()
    assert postponed.last_error == "the organization is not known yet"
    assert world.post.mails == []


async def test_a_customer_without_address_leaves_a_failed_message_that_staff_see(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        await world.invoice(organization_id, "")
        await until(lambda: world.listed(organization_id))
    (listed,) = await world.listed(organization_id)
    assert listed.last_error == NO_ADDRESS
    assert await world.mailer.send_due() == []


async def test_nobody_is_told_of_imported_history(world: World) -> None:
    organization_id = await world.organization()
    async with world.consuming():
        await world.invoice(organization_id, PAT, notify=False)
        await world.payment(organization_id, PAT, notify=False)
        told = await world.invoice(organization_id, PAT)
        await until(lambda: world.queued(organization_id, told))
    assert [message.about_id for message in await world.listed(organization_id)] == [told]


async def test_two_mailers_at_once_send_each_mail_once(world: World) -> None:
    async with world.consuming(mailing=True):
        async with world.consuming(mailing=True):
            organization_id = await world.organization()
            await until(lambda: world.known(organization_id))
            recipients = [f"p{number}@buyer.example" for number in range(20)]
            for recipient in recipients:
                await world.invoice(organization_id, recipient)
            await until(lambda: len(world.post.mails) >= 20, timeout_seconds=20)

            async def all_sent() -> bool:
                return all(message.state == 2 for message in await world.listed(organization_id))

            await until(all_sent)
    assert sorted(str(mail["To"]).split("<")[1].rstrip(">") for mail in world.post.mails) == sorted(
        recipients
    )


async def test_the_migrations_make_what_the_tables_say(databases: Databases) -> None:
    urls = await databases.create("notifications")
    assert schema_differences(urls.owner, "services.notifications", app_role="notifications_app") == []


async def test_a_stop_lets_the_mail_on_its_way_arrive(world: World) -> None:
    organization_id = await world.organization()
    world.post.hold.clear()
    async with world.consuming(mailing=True):
        await until(lambda: world.known(organization_id))
        invoice_id = await world.invoice(organization_id, PAT)
        await until(lambda: world.post.holding)
        asyncio.get_running_loop().call_later(0.2, world.post.hold.set)
    (message,) = await world.about(organization_id, invoice_id)
    assert message.state is State.SENT
