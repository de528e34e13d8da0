"""What is paid and shown: organizations by the front door, customers and invoices by SQL, because that is quick."""

import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from bench.stack import BenchStack
from bench.waiting import until
from chassis.caller import Audience
from chassis.rpc.client import as_service
from chassis.rpc.tokens import Claims
from tallyport.identity.v1 import organizations_pb2, organizations_pb2_grpc

ORGANIZATIONS = 10
CUSTOMERS_PER_ORGANIZATION = 50
INVOICES = 60_000
CURRENCY = "USD"
OWNER_PASSWORD = secrets.token_urlsafe(24)
TOKEN_SECONDS = 840
BILLS_OF_ONE = 30_000
"""More invoices of the first organization, for payments that all belong to one."""
_COPIES_SECONDS = 30.0
_PERMISSIONS = frozenset({"customers.read", "invoices.read", "payments.create", "payments.read"})


@dataclass(frozen=True, slots=True)
class Organization:
    """A business that was made for the run."""

    organization_id: str
    slug: str
    owner_email: str


@dataclass(frozen=True, slots=True)
class Bill:
    """An open invoice that one payment settles."""

    organization_id: str
    customer_id: str
    invoice_id: str
    amount_minor_units: int


async def create_organizations(stack: BenchStack) -> list[Organization]:
    """Make them at identity and wait until invoicing and payments have heard of them."""
    channel = stack.channel("identity", peer="cli")
    create = as_service(
        organizations_pb2_grpc.OrganizationsStub(channel).CreateOrganization, timeout_seconds=10
    )
    made = []
    for number in range(ORGANIZATIONS):
        slug, email = f"bench-{number}", f"owner-{number}@bench.example"
        answer = await create(
            organizations_pb2.CreateOrganizationRequest(
                slug=slug, name=f"Bench {number} Ltd.", currency=CURRENCY, time_zone="America/New_York",
                locale="en-US", contact_email=email, owner_name="Olivia Hart", owner_email=email,
                owner_password=OWNER_PASSWORD, brand=organizations_pb2.Brand(display_name=f"Bench {number}"),
            )
        )  # fmt: skip
        made.append(Organization(answer.organization_id, slug, email))
    await channel.close()
    for service in ("invoicing", "payments"):
        await _until_known(stack, service, len(made))
    return made


async def _until_known(stack: BenchStack, service: str, count: int) -> None:
    async with await psycopg.AsyncConnection.connect(
        stack.database_url(service), autocommit=True
    ) as database:

        async def known() -> bool:
            row = await (await database.execute("SELECT count(*) FROM organizations")).fetchone()
            return row is not None and row[0] >= count

        await until(known, f"{service} knows the organizations", timeout_seconds=_COPIES_SECONDS)


async def create_invoices(
    stack: BenchStack, organizations: Sequence[Organization], *, count: int = INVOICES
) -> list[Bill]:
    """Customers and open invoices of different amounts, in an order drawn at random.

    No event tells of them, so that the run starts with empty outboxes; an invoice's first event is its payment.
    """
    names = {"organizations": [organization.organization_id for organization in organizations]}
    customers = {**names, "count": CUSTOMERS_PER_ORGANIZATION}
    async with await psycopg.AsyncConnection.connect(stack.database_url("payments")) as payments:
        await payments.execute(_PAYMENTS_CUSTOMERS, customers)
    async with await psycopg.AsyncConnection.connect(stack.database_url("invoicing")) as invoicing:
        await invoicing.execute(_CUSTOMERS, customers)
    await add_invoices(stack, organizations, first=1, last=count // len(organizations))
    bills = await open_bills(stack, count)
    random.Random(7).shuffle(bills)
    return bills


async def add_invoices(
    stack: BenchStack, organizations: Sequence[Organization], *, first: int, last: int
) -> None:
    """Open invoices with the numbers `first` to `last` for each organization."""
    size = {
        "organizations": [organization.organization_id for organization in organizations],
        "first": first,
        "last": last,
        "customers": CUSTOMERS_PER_ORGANIZATION,
    }
    url = stack.database_url("invoicing")
    async with await psycopg.AsyncConnection.connect(
        url
    ) as invoicing:  # at once: the books' check may look any time
        for statement in (_INVOICES, _LINES, _BOOKED, _SERIES):
            await invoicing.execute(statement, size)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as invoicing:
        await invoicing.execute("VACUUM ANALYZE")


async def create_invoices_of_one(stack: BenchStack, organizations: Sequence[Organization]) -> list[Bill]:
    """BILLS_OF_ONE more open invoices of the first organization, in an order drawn at random."""
    first = INVOICES // len(organizations) + 1
    await add_invoices(stack, organizations[:1], first=first, last=first + BILLS_OF_ONE - 1)
    async with await psycopg.AsyncConnection.connect(stack.database_url("invoicing")) as invoicing:
        number = {"organization_id": organizations[0].organization_id, "number": f"INV-{first:06}"}
        bills = [Bill(*row) for row in await (await invoicing.execute(_BILLS_OF_ONE, number)).fetchall()]
    random.Random(8).shuffle(bills)
    return bills


async def open_bills(stack: BenchStack, most: int) -> list[Bill]:
    """So many open invoices, spread over all that there are."""
    async with await psycopg.AsyncConnection.connect(stack.database_url("invoicing")) as invoicing:
        rows = await (await invoicing.execute(_BILLS, {"most": most})).fetchall()
    return [Bill(*row) for row in rows]


class Tokens:
    """Customers' access tokens as identity would sign them, one for each customer."""

    def __init__(self, stack: BenchStack) -> None:
        self._signer = stack.signer()
        self._tokens: dict[str, str] = {}
        self._made_at = 0.0

    def of(self, bill: Bill) -> str:
        """The token of the invoice's customer."""
        if time.monotonic() - self._made_at > TOKEN_SECONDS / 2:
            self._tokens.clear()
            self._made_at = time.monotonic()
        token = self._tokens.get(bill.customer_id)
        if token is None:
            claims = Claims(
                subject_id=bill.customer_id.replace("cus_", "per_"),
                organization_id=bill.organization_id,
                kind=Audience.CUSTOMER,
                expires_at_seconds=int(time.time()) + TOKEN_SECONDS,
                customer_id=bill.customer_id,
                permissions=_PERMISSIONS,
                name="Pat Payer",
            )
            token = self._tokens[bill.customer_id] = self._signer.sign(claims)
        return token


# Ids are of the right shape (prefix and 26 characters); the number makes them unique in all organizations.
_CUSTOMER_ID = "'cus_' || lpad((o.position * 1000 + c)::text, 26, '0')"
_OWNERS = "unnest(%(organizations)s::text[]) WITH ORDINALITY AS o (organization_id, position)"
_PAYMENTS_CUSTOMERS = f"""
    INSERT INTO customers (organization_id, customer_id, name, locale)
    SELECT o.organization_id, {_CUSTOMER_ID}, 'Customer ' || c, 'en-US'
    FROM {_OWNERS}, generate_series(1, %(count)s) AS c
"""
_CUSTOMERS = f"""
    INSERT INTO customers (
        organization_id, customer_id, name, email, external_id, currency, locale, address_lines, country,
        tax_id, payment_terms_days, version, created_at
    )
    SELECT o.organization_id, {_CUSTOMER_ID}, 'Customer ' || c,
           'customer-' || c || '@bench-' || (o.position - 1) || '.example', 'C' || c, '{CURRENCY}', 'en-US',
           ARRAY['1 Quay Street', 'Portsmouth'], 'US', '', 30, 1, now()
    FROM {_OWNERS}, generate_series(1, %(count)s) AS c
"""
_INVOICES = f"""
    INSERT INTO invoices (
        organization_id, invoice_id, customer_id, status, number, currency, invoice_date, due_date,
        subtotal_minor_units, tax_minor_units, total_minor_units, paid_minor_units, reserved_minor_units,
        customer_name, customer_address_lines, customer_country, customer_tax_id, purchase_order_number,
        memo, external_id, disputed, version, event_version, created_at, finalized_at
    )
    SELECT o.organization_id, 'inv_' || lpad((o.position * 1000000 + i)::text, 26, '0'),
           'cus_' || lpad((o.position * 1000 + 1 + i %% %(customers)s)::text, 26, '0'),
           'open', 'INV-' || lpad(i::text, 6, '0'), '{CURRENCY}', current_date - i %% 30,
           current_date - i %% 30 + 30, 1000 + i %% 9000, 0, 1000 + i %% 9000, 0, 0,
           'Customer ' || 1 + i %% %(customers)s, ARRAY['1 Quay Street', 'Portsmouth'], 'US', '', '', '',
           NULL, false, 1, 0, now(), now()
    FROM {_OWNERS}, generate_series(%(first)s::int, %(last)s::int) AS i
"""
_LINES = f"""
    INSERT INTO invoice_lines (
        organization_id, invoice_id, line_no, item_id, description, quantity, unit_price_minor_units,
        tax_rate_percent, amount_minor_units
    )
    SELECT o.organization_id, 'inv_' || lpad((o.position * 1000000 + i)::text, 26, '0'), 1, NULL, 'Container hire', 1,
           1000 + i %% 9000, 0, 1000 + i %% 9000
    FROM {_OWNERS}, generate_series(%(first)s::int, %(last)s::int) AS i
"""
# What the books' check compares the invoices with.
_BOOKED = f"""
    WITH made AS (
        SELECT o.organization_id, lpad((o.position * 1000000 + i)::text, 26, '0') AS suffix,
               'cus_' || lpad((o.position * 1000 + 1 + i %% %(customers)s)::text, 26, '0') AS customer_id,
               1000 + i %% 9000 AS amount
        FROM {_OWNERS}, generate_series(%(first)s::int, %(last)s::int) AS i
    ), entries AS (
        INSERT INTO ledger_entries (
            organization_id, entry_id, source, source_id, kind, occurred_at, posted_at
        )
        SELECT organization_id, 'ent_' || suffix, 'invoice', 'inv_' || suffix, 'finalized', now(), now() FROM made
    )
    INSERT INTO ledger_lines (
        organization_id, entry_id, line_no, account, owner, currency, side, amount_minor_units
    )
    SELECT organization_id, 'ent_' || suffix, line_no, account, CASE line_no WHEN 1 THEN customer_id ELSE '' END,
           '{CURRENCY}', side, amount
    FROM made, (VALUES (1, 'receivable', 'D'), (2, 'revenue', 'C')) AS line (line_no, account, side)
"""
_SERIES = f"""
    INSERT INTO number_series (organization_id, last_number) SELECT organization_id, %(last)s::int FROM {_OWNERS}
    ON CONFLICT (organization_id, series) DO UPDATE SET last_number = excluded.last_number
"""
_BILLS_OF_ONE = """
    SELECT organization_id, customer_id, invoice_id, total_minor_units FROM invoices
    WHERE organization_id = %(organization_id)s AND number >= %(number)s ORDER BY invoice_id
"""
_BILLS = """
    SELECT organization_id, customer_id, invoice_id, total_minor_units FROM (
        SELECT * FROM invoices WHERE status = 'open' ORDER BY md5(organization_id || invoice_id) LIMIT %(most)s
    ) AS spread ORDER BY invoice_id
"""
