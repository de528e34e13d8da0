"""What operators do by the command line, on real databases: check audit logs, send events again, retry dead ones."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import nats
import nats.js.errors
import psycopg
import pytest
from google.protobuf.message import Message
from sqlalchemy import text

from chassis import audit, ids, outbox
from chassis.bus import Bus
from chassis.database import Database
from chassis.inbox import Consumers
from chassis.inbox_store import DEAD, PARKED, Delivery, Inbox
from chassis.relay import Relay
from devstack.nats import Nats
from services.notifications.consumers import HANDLERS
from tallyport.identity.v1.events_pb2 import OrganizationChanged, PersonChanged
from tallyport.invoicing.v1.events_pb2 import InvoiceFinalized
from tests.support.database import Databases, DatabaseUrls
from tests.support.servers import free_port
from tests.support.wait import until

ACME, BETA = "org_acme", "org_beta"
Opened = tuple[Database, DatabaseUrls]


async def tallyport(url: str, *arguments: str) -> tuple[int, str]:
    """Exit status, and all that was printed."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "cli", *arguments],
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
async def invoicing(databases: Databases) -> AsyncIterator[Opened]:
    async with databases.fresh("invoicing") as opened:
        yield opened


@pytest.fixture
async def notifications(databases: Databases) -> AsyncIterator[Opened]:
    async with databases.fresh("notifications") as opened:
        yield opened


async def test_tampering_is_found_and_the_first_bad_entry_named(invoicing: Opened) -> None:
    db, urls = invoicing
    for organization_id in (ACME, BETA):
        async with db.write(organization_id) as tx:
            for number in range(4):
                audit.record(tx, "invoice.finalized", f"inv_{number}")
            outbox.append(
                tx, PersonChanged(), aggregate_type="person", aggregate_id="per_1", aggregate_version=1
            )
    status, printed = await tallyport(urls.app, "audit", "verify")
    assert status == 0, printed
    assert printed.count("4 entries  whole") == 2
    assert all(line.startswith("invoicing ") for line in printed.splitlines())
    async with await psycopg.AsyncConnection.connect(urls.superuser, autocommit=True) as admin:
        await admin.execute("SET session_replication_role = replica")  # past the append-only triggers
        await admin.execute("UPDATE audit_log SET actor = 'x' WHERE organization_id = 'org_beta' AND seq = 3")
    status, printed = await tallyport(urls.app, "audit", "verify", "--service", "invoicing")
    assert status == 1
    acme, beta, summary = printed.splitlines()
    assert (ACME in acme, acme.endswith("whole")) == (True, True)
    assert (BETA in beta, beta.endswith("BROKEN at entry 3")) == (True, True)
    assert "1 of the chains" in summary


async def test_a_database_that_is_away_is_told_in_one_line() -> None:
    url = f"postgresql://identity_app:x@127.0.0.1:{free_port()}/identity"
    status, printed = await tallyport(url, "audit", "verify")
    assert status == 1
    assert printed.startswith("tallyport: ")
    assert "Traceback" not in printed


class Mails:
    """Invoicing's events on their way to notifications, which makes one mail of each."""

    def __init__(self, invoicing: Opened, notifications: Opened, server: Nats) -> None:
        self.producer, self.urls = invoicing
        self.consumer, _ = notifications
        self.server = server

    async def finalize(self, invoice_id: str) -> None:
        event = InvoiceFinalized(invoice_id=invoice_id, notify=True)
        event.contact.customer_id, event.contact.email = "cus_1", "ada@buyer.example"
        async with self.producer.write(ACME) as tx:
            outbox.append(tx, event, aggregate_type="invoice", aggregate_id=invoice_id, aggregate_version=1)

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Relay and consumers run inside the block."""
        async with AsyncExitStack() as stack:
            out, into = [Bus(self.server.url_for(name), name) for name in ("invoicing", "notifications")]
            for bus in (out, into):
                await bus.connect()
                stack.push_async_callback(bus.close)
            consumers = Consumers(self.consumer, into, "notifications", HANDLERS, self.consumer.clock)
            for work in (Relay(self.producer, out, "invoicing", poll_seconds=0.2), consumers):
                task = asyncio.create_task(work.run())
                stack.push_async_callback(asyncio.wait, {task})
                stack.callback(task.cancel)
            yield

    async def mails(self) -> int:
        async with self.consumer.read(ACME) as tx:
            return int((await tx.execute(text("SELECT count(*) FROM messages"))).scalar_one())

    async def unpublished(self) -> int:
        async with self.producer.transport() as tx:
            query = text("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            return int((await tx.execute(query)).scalar_one())

    async def forget_stream(self) -> None:
        """With it goes the memory of what was sent before, so that events really arrive twice."""
        client = await nats.connect(self.server.admin_url)
        await client.jetstream().delete_stream("EVT_INVOICING")
        await client.close()

    async def taken_from_stream(self) -> int:
        client = await nats.connect(self.server.admin_url)
        try:
            info = await client.jetstream().consumer_info("EVT_INVOICING", "notifications")
            return int(info.ack_floor.stream_seq) if info.ack_floor else 0
        except nats.js.errors.NotFoundError:
            return 0  # not made yet
        finally:
            await client.close()


@pytest.fixture
async def mails(invoicing: Opened, notifications: Opened, tmp_path: Path) -> AsyncIterator[Mails]:
    server = Nats(tmp_path / "nats", free_port())
    await server.start()
    yield Mails(invoicing, notifications, server)
    await server.stop()


async def test_events_that_are_sent_again_have_their_effect_once(mails: Mails) -> None:
    for number in range(3):
        await mails.finalize(f"inv_{number}")
    async with mails.flowing():
        await until(lambda: _is(mails.mails, 3))
        await until(lambda: _is(mails.unpublished, 0))
    arguments = ("republish", "invoicing", "--organization", ACME, "--since-seq")
    status, printed = await tallyport(mails.urls.app, *arguments, "2")
    assert (status, printed) == (0, "2 events of org_acme are sent again by the relay of invoicing.\n")
    assert await mails.unpublished() == 2
    await mails.forget_stream()
    await mails.finalize("inv_9")
    async with mails.flowing():
        await until(lambda: _is(mails.taken_from_stream, 4))
        await until(lambda: _is(mails.mails, 4))
    assert await mails.mails() == 4
    status, printed = await tallyport(mails.urls.app, *arguments, "99")
    assert status == 1
    assert "has published no event of org_acme" in printed


async def _is(count: Callable[[], Awaitable[int]], wanted: int) -> bool:
    return await count() == wanted


async def keep(db: Database, aggregate_id: str, payloads: list[bytes], kind: type[Message]) -> None:
    """Dead letters of one aggregate as consumers keep them: the first given up, the others behind it."""
    inbox = Inbox("notifications")
    async with db.transport() as tx:
        for version, payload in enumerate(payloads, 1):
            delivery = Delivery(
                source="identity",
                event_id=ids.new_uuid7(),
                type=kind.DESCRIPTOR.full_name,
                organization_id=ACME,
                aggregate_type="organization",
                aggregate_id=aggregate_id,
                aggregate_version=version,
                stream_seq=version,
                occurred_at=datetime.now(UTC),
                payload=payload,
            )
            await inbox.keep(tx, delivery, state=PARKED if version > 1 else DEAD, error="it was\nbroken")
            await inbox.block(tx, delivery)


async def test_dead_letters_are_listed_and_applied_when_the_cause_is_mended(notifications: Opened) -> None:
    db, urls = notifications
    assert await tallyport(urls.app, "dead-letters", "list") == (0, "No dead letters.\n")
    event = OrganizationChanged()
    event.organization.organization_id, event.organization.name = ACME, "Acme"
    await keep(db, ACME, [event.SerializeToString()] * 2, OrganizationChanged)
    await keep(db, "org_unreadable", [b"\xff"], OrganizationChanged)
    status, printed = await tallyport(urls.app, "dead-letters", "list", "--service", "notifications")
    assert status == 1
    assert "dead  OrganizationChanged 1 of org_acme\n    notifications, organization org_acme" in printed
    assert "parked  OrganizationChanged 2 of org_acme" in printed
    assert "it was broken" in printed
    assert "2 were given up" in printed
    status, printed = await tallyport(urls.app, "dead-letters", "retry", "notifications")
    assert status == 1
    assert "org_acme: 2 applied" in printed
    assert "org_unreadable: FAILED: MalformedEventError" in printed
    assert "1 of 2 aggregates still stand still" in printed
    async with db.read(ACME) as tx:
        assert (await tx.execute(text("SELECT count(*) FROM brands"))).scalar_one() == 1
    only = ("--organization", ACME, "--aggregate", ACME)
    status, printed = await tallyport(urls.app, "dead-letters", "retry", "notifications", *only)
    assert (status, "no dead letter like that" in printed) == (1, True)
