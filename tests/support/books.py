"""The one checker of what must hold across the whole mesh; every test of the mesh ends with it.

It reads the four databases past row-level security, the provider's own ledger and the mailbox, and compares them.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from chassis import audit
from chassis.clock import SystemClock
from chassis.database import Database
from devstack.environment import Environment
from devstack.ports import SERVICES
from services.invoicing.consumers import HANDLERS as INVOICING_HANDLERS
from services.notifications.consumers import HANDLERS as NOTIFICATIONS_HANDLERS
from services.payments.consumers import AGGREGATE_TYPES as PAYMENTS_AGGREGATE_TYPES
from services.payments.consumers import HANDLERS as PAYMENTS_HANDLERS
from tallyport.invoicing.v1 import events_pb2
from tests.support.armed_stack import database_url
from tests.support.book_rules import RULES

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]
QUIET_SECONDS = 60.0
"""After a fault everything must be right again within this time, without anybody's help."""
LOOK_AGAIN_SECONDS = 0.3
HANDLED: Mapping[str, frozenset[str]] = {
    consumer: frozenset(kind.DESCRIPTOR.full_name for kind in handlers)
    for consumer, handlers in (
        ("invoicing", INVOICING_HANDLERS),
        ("payments", PAYMENTS_HANDLERS),
        ("notifications", NOTIFICATIONS_HANDLERS),
    )
}
"""Types of events by the service that must have applied them."""
ASKED_FOR = {("payments", source): wanted for source, wanted in PAYMENTS_AGGREGATE_TYPES.items()}
"""Types of aggregates whose events a consumer has delivered; all of a source that is not named."""
_MAILED = (("InvoiceFinalized", "invoice"), ("PaymentApplied", "receipt"), ("PaymentUnapplied", "reversal"))
_BY_PROVIDER = frozenset({"card", "wallet", "redirect", "bank_debit", "stablecoin"})
_PAYMENTS = """
    SELECT organization_id, payment_id, customer_id, status, amount_minor_units, currency, method, receipt_no,
        EXISTS (
            SELECT 1 FROM payment_attempts AS attempt
            WHERE attempt.organization_id = payments.organization_id
              AND attempt.payment_id = payments.payment_id AND attempt.provider <> 'simulator'
        ) AS charged_elsewhere
    FROM payments WHERE organization_id = ANY(%(orgs)s)
"""
_APPLICATIONS = """
    SELECT payment_id, customer_id, received_minor_units, currency, receipt_number
    FROM payment_applications WHERE organization_id = ANY(%(orgs)s)
"""
_CLEARING = """
    SELECT organization_id, currency,
           sum(CASE side WHEN 'D' THEN amount_minor_units ELSE -amount_minor_units END) AS amount
    FROM ledger_lines JOIN ledger_entries USING (organization_id, entry_id)
    WHERE organization_id = ANY(%(orgs)s) AND account = 'provider_clearing' AND owner = 'simulator'
        AND source <> 'payout'
    GROUP BY 1, 2
"""
_MESSAGES = """
    SELECT message_id, kind, state, event_id, recipient, last_error
    FROM messages WHERE organization_id = ANY(%(orgs)s)
"""
_QUERIES: Mapping[str, tuple[str, str]] = {
    "payments": ("payments", _PAYMENTS),
    "applications": ("invoicing", _APPLICATIONS),
    "clearing": ("payments", _CLEARING),
    "messages": ("notifications", _MESSAGES),
}
_EVENTS = (
    "SELECT event_id::text AS event_id, type, aggregate_type, aggregate_id, aggregate_version, payload FROM outbox"
    " WHERE organization_id = ANY(%(orgs)s)"
)
_INBOX = "SELECT event_id::text AS event_id FROM inbox WHERE organization_id = ANY(%(orgs)s)"
_POSITIONS = (
    "SELECT source, aggregate_id, last_version FROM inbox_positions WHERE organization_id = ANY(%(orgs)s)"
)


@dataclass(slots=True, kw_only=True)
class Facts:
    """What everybody has written down about some organizations, as it was read."""

    broken_rules: list[str]
    payments: list[Row]
    applications: list[Row]
    clearing: list[Row]
    messages: list[Row]
    events: dict[str, list[Row]]
    inboxes: dict[str, set[str]]
    positions: dict[str, dict[tuple[str, str], int]]
    charges: list[Row]
    mails: list[Row]

    def wrongs(self, *, mails: bool = True) -> list[str]:
        """What is not right, one line each; empty if all is. Mails may be left out of it."""
        found = [*self.broken_rules, *_charges(self), *_applied(self), *_consumed(self)]
        return sorted([*found, *_mailed(self)] if mails else found)


@asynccontextmanager
async def open_books(environment: Environment) -> AsyncIterator[dict[str, Connection]]:
    """A superuser's connection to each database, each in one transaction that is rolled back at the end."""
    async with contextlib.AsyncExitStack() as stack:
        connections = {}
        for service in SERVICES:
            url = database_url(environment, service)
            connection = await psycopg.AsyncConnection.connect(url, row_factory=dict_row)
            stack.push_async_callback(connection.close)
            connections[service] = connection
        yield connections


async def read_facts(
    environment: Environment,
    connections: Mapping[str, Connection],
    http: httpx.AsyncClient,
    organization_ids: Sequence[str] = (),
) -> Facts:
    """Read everything about these organizations, or about all."""
    if not organization_ids:
        rows = await _rows(connections["identity"], "SELECT organization_id FROM organizations", [])
        organization_ids = [row["organization_id"] for row in rows]
    orgs = list(organization_ids)
    broken = [
        f"{service}: {name}: {row['found']}"
        for service, rules in RULES.items()
        for name, query in rules.items()
        for row in await _rows(connections[service], query, orgs)
    ]
    read = {name: await _rows(connections[at], query, orgs) for name, (at, query) in _QUERIES.items()}
    inboxes = {c: {r["event_id"] for r in await _rows(connections[c], _INBOX, orgs)} for c in HANDLED}
    positions = {c: _by_aggregate(await _rows(connections[c], _POSITIONS, orgs)) for c in HANDLED}
    return Facts(
        broken_rules=broken,
        payments=read["payments"],
        applications=read["applications"],
        clearing=read["clearing"],
        messages=read["messages"],
        events={service: await _rows(connections[service], _EVENTS, orgs) for service in SERVICES},
        inboxes=inboxes,
        positions=positions,
        charges=await provider_charges(environment, http, orgs),
        mails=await _mails(environment, http, {row["recipient"].lower() for row in read["messages"]}),
    )


async def wrongs(
    environment: Environment,
    http: httpx.AsyncClient,
    organization_ids: Sequence[str] = (),
    *,
    mails: bool = True,
) -> list[str]:
    """One look at the books: what is wrong now."""
    async with open_books(environment) as connections:
        return (await read_facts(environment, connections, http, organization_ids)).wrongs(mails=mails)


async def check_books(
    environment: Environment,
    http: httpx.AsyncClient,
    *organization_ids: str,
    within_seconds: float = QUIET_SECONDS,
    mails: bool = True,
) -> None:
    """Wait until nothing is wrong any more; AssertionError with the whole list if that does not come."""
    ends_at = time.monotonic() + within_seconds
    while last := await wrongs(environment, http, organization_ids, mails=mails):
        if time.monotonic() > ends_at:
            break
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    assert not last, f"after {within_seconds:g} s still wrong:\n" + "\n".join(last[:50])
    for service in SERVICES:
        await _verify_audit(environment, service, organization_ids)


async def provider_charges(
    environment: Environment, http: httpx.AsyncClient, organization_ids: Iterable[str]
) -> list[Row]:
    """Successful charges at the provider: what payers' bank statements show."""
    wanted, found, token = set(organization_ids), [], ""
    headers = {"authorization": f"Bearer {environment.secrets.simulator_secret}"}
    while True:
        answer = await http.get(
            f"{environment.simulator_url}/v1/ledger",
            params={"page_size": 100, "page_token": token},
            headers=headers,
        )
        page = answer.raise_for_status().json()
        found += [charge for charge in page["charges"] if charge["metadata"].get("organization_id") in wanted]
        if not (token := page["next_page_token"]):
            return found


def _charges(facts: Facts) -> list[str]:
    """Each payment by a provider that succeeded has one charge of its sum there, and no other payment has one."""
    found = []
    by_payment: dict[str, list[Row]] = {}
    for charge in facts.charges:
        by_payment.setdefault(charge["metadata"]["payment_id"], []).append(charge)
    for payment in facts.payments:
        charges = by_payment.pop(payment["payment_id"], [])
        due = [(payment["amount_minor_units"], payment["currency"])]
        if payment["status"] != "succeeded" or payment["method"] not in _BY_PROVIDER:
            due = []
        if (
            payment["charged_elsewhere"] and not charges
        ):  # at the other stand-in, which has a ledger of its own
            continue
        made = [(charge["amount_minor_units"], charge["currency"]) for charge in charges]
        if made != due:
            found.append(f"{payment['payment_id']} ({payment['status']}): charged {made} instead of {due}")
    found += [f"charge for nothing of ours: {payment_id}" for payment_id in by_payment]
    taken: Counter[tuple[str, str]] = Counter()
    for charge in facts.charges:
        taken[charge["metadata"]["organization_id"], charge["currency"]] += _kept(charge)
    booked = {(row["organization_id"], row["currency"]): int(row["amount"]) for row in facts.clearing}
    if booked != dict(taken):
        found.append(f"cash ledger has {booked}, the provider has {dict(taken)}")
    return found


def _kept(charge: Row) -> int:
    """What the provider still holds of a charge, its own fee for the charge left out."""
    if charge.get("return_code"):
        return -int(charge["refunded_minor_units"])
    disputes = charge.get("disputes", [])
    lost = sum(one["amount_minor_units"] for one in disputes if one["status"] != "won")
    fees = sum(one["fee_minor_units"] for one in disputes)
    kept: int = charge["amount_minor_units"] - charge.get("refunded_minor_units", 0) - lost - fees
    return kept


def _applied(facts: Facts) -> list[str]:
    """Invoicing has put exactly the succeeded payments to its invoices."""
    paid = {
        (
            p["payment_id"],
            p["customer_id"],
            p["amount_minor_units"],
            p["currency"],
            f"R-{p['receipt_no']:06d}",
        )
        for p in facts.payments
        if p["status"] == "succeeded"
    }
    names = ("payment_id", "customer_id", "received_minor_units", "currency", "receipt_number")
    applied = {tuple(row[name] for name in names) for row in facts.applications}
    return [f"succeeded but not applied: {one}" for one in paid - applied] + [
        f"applied but not succeeded: {one}" for one in applied - paid
    ]


def _consumed(facts: Facts) -> list[str]:
    """Every event was applied by all who must, none twice or out of thin air, and all are at the newest version."""
    found = []
    for consumer, types in HANDLED.items():
        sources = {name.split(".")[1] for name in types}
        sent = {
            event["event_id"]: event
            for source in sources
            for event in facts.events[source]
            if event["type"] in types
        }
        inbox = facts.inboxes[consumer]
        found += [
            f"{consumer} has not applied {sent[one]['type']} of {sent[one]['aggregate_id']}"
            for one in sent.keys() - inbox
        ]
        found += [f"{consumer} applied an event that nobody sent: {one}" for one in inbox - sent.keys()]
        newest: dict[tuple[str, str], int] = {}
        for source in sources:
            wanted = ASKED_FOR.get((consumer, source))
            for event in facts.events[source]:
                if wanted is not None and event["aggregate_type"] not in wanted:
                    continue
                key = (source, event["aggregate_id"])
                newest[key] = max(newest.get(key, 0), event["aggregate_version"])
        if behind := {key for key in newest if facts.positions[consumer].get(key) != newest[key]}:
            found.append(f"{consumer} is behind or ahead in {len(behind)} aggregates, as {min(behind)}")
    return found


def _mailed(facts: Facts) -> list[str]:
    """Each event that asks for a mail made one message, each message arrived as one mail, and nothing else came."""
    wanted: Counter[tuple[str, str, str]] = Counter()
    for event in facts.events["invoicing"]:
        for name, kind in _MAILED:
            if event["type"].endswith(f".{name}"):
                message = getattr(events_pb2, name).FromString(bytes(event["payload"]))
                if message.notify and message.contact.email:
                    wanted[event["event_id"], message.contact.email, kind] += 1
    kinds = {kind for _, kind in _MAILED}
    messages = [row for row in facts.messages if row["recipient"]]  # some customers have no address
    made = Counter(
        (row["event_id"], row["recipient"], row["kind"]) for row in messages if row["kind"] in kinds
    )
    found = [f"no message for {one}" for one in (wanted - made).elements()]
    found += [f"message for nothing: {one}" for one in (made - wanted).elements()]
    sent = {row["message_id"]: row for row in messages if row["state"] == "sent"}
    found += [
        f"message is {row['state']}: {row['message_id']} {row['last_error']}"
        for row in messages
        if row["message_id"] not in sent
    ]
    mails = Counter(
        (mail["message_id"].strip("<>").partition("@")[0], mail["to"].lower()) for mail in facts.mails
    )
    due = Counter((message_id, row["recipient"].lower()) for message_id, row in sent.items())
    found += [f"sent, but not in the mailbox: {one}" for one in (due - mails).elements()]
    found += [f"a mail too many: {one}" for one in (mails - due).elements()]
    return found


async def _mails(environment: Environment, http: httpx.AsyncClient, recipients: set[str]) -> list[Row]:
    address = f"http://{environment.ports.address('mailbox')}/api/messages"
    answer = await http.get(address, params={"limit": 1_000_000})
    mails: list[Row] = answer.raise_for_status().json()["messages"]
    return [mail for mail in mails if mail["to"].lower() in recipients]


async def _rows(connection: Connection, query: str, orgs: list[str]) -> list[Row]:
    cursor = await connection.execute(query.encode(), {"orgs": orgs})
    return await cursor.fetchall()


def _by_aggregate(rows: list[Row]) -> dict[tuple[str, str], int]:
    return {(row["source"], row["aggregate_id"]): row["last_version"] for row in rows}


async def _verify_audit(environment: Environment, service: str, organization_ids: Sequence[str]) -> None:
    """Nobody has changed a line of the audit log."""
    url = database_url(environment, service, role=f"{service}_app")
    db = Database(url, pool_size=1, name=f"books-{service}", clock=SystemClock())
    await db.open()
    try:
        for organization_id in organization_ids:
            async with db.read(organization_id) as tx:
                broken = await audit.verify(tx)
            assert broken is None, f"audit log of {service} is broken at {broken}"
    finally:
        await db.close()
