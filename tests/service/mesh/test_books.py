"""The checker of the books can go red: each promise is broken by hand, in transactions that are rolled back."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio

from tests.support.armed_stack import ArmedStack
from tests.support.books import Facts, check_books, open_books, read_facts
from tests.support.shop import Shop, open_shop

pytestmark = pytest.mark.xdist_group("mesh")


@pytest_asyncio.fixture(scope="module")
async def paid_shop(mesh: ArmedStack, http: httpx.AsyncClient) -> Shop:
    """A shop with one paid invoice, one paid on the card page, and all that follows."""
    shop = await open_shop(mesh.running, http)
    assert (await shop.pay(shop.invoices[0]))["status"] == "succeeded"
    await check_books(mesh.environment, http, shop.organization_id)
    return shop


@pytest.mark.parametrize(
    ("service", "statement", "complaint"),
    [
        ("payments", "UPDATE outbox SET published_at = NULL", "payments: I6 event is not published"),
        ("payments", "UPDATE outbox SET stream_seq = stream_seq + 1", "numbers of events have a gap"),
        (
            "invoicing",
            "UPDATE outbox SET aggregate_version = 7 WHERE type LIKE '%PaymentApplied'",
            "versions of an aggregate have a gap",
        ),
        ("payments", "UPDATE ledger_lines SET amount_minor_units = 1 WHERE side = 'D'", "trial balance"),
        ("invoicing", "DELETE FROM ledger_lines WHERE side = 'C'", "invoicing: I1 entry does not balance"),
        ("payments", "UPDATE receipts SET receipt_no = 5", "receipt numbers have a gap"),
        ("payments", "DELETE FROM receipts", "payment and receipt differ"),
        ("payments", "DELETE FROM ledger_lines", "payment and cash ledger differ"),
        ("payments", "UPDATE payment_attempts SET state = 'failed'", "payment and attempt differ"),
        ("payments", "UPDATE payment_attempts SET state = 'unknown'", "live attempt that nobody asks"),
        (
            "payments",
            "UPDATE payments SET status = 'unknown', receipt_no = NULL, received_on = NULL",
            "payment has no certain outcome",
        ),
        ("payments", "DELETE FROM outbox", "payment news was not told once"),
        ("payments", "DELETE FROM ledger_lines", "cash ledger has"),
        (
            "invoicing",
            "UPDATE allocations SET amount_minor_units = 1",
            "received is not applied, unapplied and refunded",
        ),
        ("invoicing", "UPDATE payment_applications SET refunded_minor_units = 9", "refunded is not the sum"),
        ("invoicing", "DELETE FROM allocations", "paid is not the sum of allocations"),
        (
            "invoicing",
            "UPDATE reservations SET state = 'held', expires_at = now() + interval '1 hour'",
            "reserved is not the sum",
        ),
        ("invoicing", "UPDATE invoices SET status = 'open', paid_at = NULL", "status does not follow"),
        ("invoicing", "UPDATE invoices SET total_minor_units = 99999999", "receivables ledger differs"),
        (
            "invoicing",
            "UPDATE ledger_lines SET account = 'customer_credit' WHERE account = 'receivable'",
            "credit ledger differs",
        ),
        (
            "invoicing",
            "UPDATE reservations SET state = 'held', expires_at = now() - interval '1 hour'",
            "reservation outlived its time",
        ),
        ("invoicing", "DELETE FROM payment_applications", "succeeded but not applied"),
        ("payments", "DELETE FROM payments", "applied but not succeeded"),
        (
            "invoicing",
            "DELETE FROM inbox",
            "invoicing has not applied tallyport.payments.v1.PaymentSucceeded",
        ),
        ("invoicing", "UPDATE inbox_positions SET last_version = 0", "invoicing is behind or ahead"),
        ("payments", "DELETE FROM outbox", "invoicing applied an event that nobody sent"),
        ("notifications", "DELETE FROM messages", "no message for"),
        ("invoicing", "DELETE FROM outbox WHERE type LIKE '%PaymentApplied'", "message for nothing"),
        (
            "notifications",
            "UPDATE messages SET state = 'failed', sent_at = NULL",
            "message is failed",
        ),
        ("notifications", "UPDATE messages SET message_id = 'msg_other'", "sent, but not in the mailbox"),
    ],
)
async def test_a_broken_row_is_found(
    mesh: ArmedStack, http: httpx.AsyncClient, paid_shop: Shop, service: str, statement: str, complaint: str
) -> None:
    async with open_books(mesh.environment) as books:
        await books[service].execute("SET LOCAL session_replication_role = replica")
        await books[service].execute(_of(paid_shop, statement))
        facts = await read_facts(mesh.environment, books, http, [paid_shop.organization_id])
    assert complaint in "\n".join(facts.wrongs())


@pytest.mark.parametrize(
    ("break_it", "complaint"),
    [
        (lambda facts: replace(facts, charges=[]), "charged [] instead of"),
        (lambda facts: replace(facts, charges=facts.charges * 2), "charged [(1250, 'USD'), (1250, 'USD')]"),
        (lambda facts: replace(facts, payments=[]), "charge for nothing of ours"),
        (lambda facts: replace(facts, mails=[]), "sent, but not in the mailbox"),
        (lambda facts: replace(facts, mails=facts.mails * 2), "a mail too many"),
    ],
)
async def test_a_double_or_missing_charge_or_mail_is_found(
    mesh: ArmedStack,
    http: httpx.AsyncClient,
    paid_shop: Shop,
    break_it: Callable[[Facts], Facts],
    complaint: str,
) -> None:
    async with open_books(mesh.environment) as books:
        facts = await read_facts(mesh.environment, books, http, [paid_shop.organization_id])
    assert facts.wrongs() == []
    assert facts.charges
    assert facts.mails
    assert complaint in "\n".join(break_it(facts).wrongs())


def _of(shop: Shop, statement: str) -> bytes:
    """The statement, for this shop's rows only."""
    word = "AND" if " WHERE " in statement else "WHERE"
    return f"{statement} {word} organization_id = '{shop.organization_id}'".encode()
