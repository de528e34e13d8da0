"""`invoices.finalize`: drafts made final over gRPC, each with the next number of its organization."""

import random
import time
from collections.abc import Callable, Iterator, Sequence

import psycopg

from bench import ledgers, pgbench, processor_time
from bench.load import Window, closed_loop
from bench.payments_end_to_end import IN_FLIGHT
from bench.results import Figure, NothingPrintedError, median
from bench.seed import CUSTOMERS_PER_ORGANIZATION, Organization
from bench.stack import BenchStack
from chassis.caller import Audience
from chassis.errors import ServiceError
from chassis.ids import new_uuid7
from chassis.rpc.client import user_metadata
from chassis.rpc.tokens import Claims
from tallyport.invoicing.v1 import invoices_pb2, invoices_pb2_grpc

DRAFTS = 30_000
_TIMEOUT_SECONDS = 10.0
_TOKEN_SECONDS = 840
_WARM_UP_SECONDS = 2.0

Draft = tuple[str, str]
"""Organization and invoice."""


async def measure(
    stack: BenchStack,
    organizations: Sequence[Organization],
    *,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> tuple[Figure, str]:
    """Turn and turn about with pgbench. Raises NothingPrintedError if a request failed or a number is missing."""
    baseline = pgbench.Baseline(stack.database_url("postgres"), pgbench.FINALIZING)
    await baseline.prepare()
    drafts = iter(await _create_drafts(stack, organizations))
    await _window(stack, drafts, _WARM_UP_SECONDS)
    await baseline.run(seconds=_WARM_UP_SECONDS)
    ours, theirs = [], []
    spent: dict[str, int] = {}
    for number in range(1, rounds + 1):
        busy = processor_time.by_process(stack)
        window = await _window(stack, drafts, seconds)
        spent = processor_time.microseconds_per(window.answers, busy, processor_time.by_process(stack))
        ours.append(window.answers / window.seconds)
        theirs.append((await baseline.run(seconds=seconds)).per_second)
        say(f"finalizing, round {number} of {rounds}: gRPC {ours[-1]:.0f}/s, pgbench {theirs[-1]:.0f}/s")
    await _must_have_no_gaps(stack)
    figure = Figure(
        name="invoices.finalize",
        value=round(median(ours), 1),
        unit="invoices/s",
        baseline=pgbench.DESCRIPTION,
        baseline_value=round(median(theirs), 1),
        command=(
            f"tallyport.invoicing.v1.Invoices/FinalizeInvoice over mTLS, {len(organizations)} organizations,"
            f" {IN_FLIGHT} in flight, median of {rounds} x {seconds:g} s"
        ),
    )
    return figure, f"Processor time of making one invoice final: {processor_time.in_words(spent)}."


async def _window(stack: BenchStack, drafts: Iterator[Draft], seconds: float) -> Window:
    tokens: dict[str, str] = {}
    async with stack.channel("invoicing", peer="gateway") as channel:
        finalize = invoices_pb2_grpc.InvoicesStub(channel).FinalizeInvoice

        async def ask(_: int, draft: Draft) -> str | None:
            organization_id, invoice_id = draft
            if organization_id not in tokens:
                tokens[organization_id] = _token(stack, organization_id)
            metadata = user_metadata(token=tokens[organization_id], idempotency_key=new_uuid7())
            request = invoices_pb2.FinalizeInvoiceRequest(invoice_id=invoice_id)
            try:
                answer = await finalize(request, timeout=_TIMEOUT_SECONDS, metadata=metadata)
            except ServiceError as error:
                return f"{error.reason}: {error.message}"
            return None if answer.number else "an invoice without a number"

        window = await closed_loop(drafts, ask, in_flight=IN_FLIGHT, seconds=seconds)
    ledgers.refuse_errors("invoices.finalize", window)
    return window


def _token(stack: BenchStack, organization_id: str) -> str:
    claims = Claims(
        subject_id="per_00000000000000000000000001", organization_id=organization_id, kind=Audience.STAFF,
        expires_at_seconds=int(time.time()) + _TOKEN_SECONDS, permissions=frozenset({"invoices.write"}),
        name="Olivia Hart",
    )  # fmt: skip
    return stack.signer().sign(claims)


async def _create_drafts(stack: BenchStack, organizations: Sequence[Organization]) -> list[Draft]:
    """In an order drawn at random."""
    size = {
        "organizations": [organization.organization_id for organization in organizations],
        "count": DRAFTS // len(organizations),
        "customers": CUSTOMERS_PER_ORGANIZATION,
    }
    url = stack.database_url("invoicing")
    async with await psycopg.AsyncConnection.connect(url) as database:
        for statement in (_DRAFTS, _LINES):
            await database.execute(statement, size)
        rows = await (await database.execute(_FOUND)).fetchall()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as database:
        await database.execute("VACUUM ANALYZE")
    drafts: list[Draft] = [(row[0], row[1]) for row in rows]
    random.Random(9).shuffle(drafts)
    return drafts


async def _must_have_no_gaps(stack: BenchStack) -> None:
    async with await psycopg.AsyncConnection.connect(stack.database_url("invoicing")) as database:
        wrong = await (await database.execute(_GAPS)).fetchall()
    if wrong:
        raise NothingPrintedError(f"numbers are missing: {wrong[:5]}")


_OWNERS = "unnest(%(organizations)s::text[]) WITH ORDINALITY AS o (organization_id, position)"
_DRAFT_ID = "'inv_' || lpad((900000000 + o.position * 1000000 + i)::text, 26, '0')"
_DRAFTS = f"""
    INSERT INTO invoices (
        organization_id, invoice_id, customer_id, status, currency, invoice_date, due_date,
        subtotal_minor_units, tax_minor_units, total_minor_units, paid_minor_units, reserved_minor_units,
        customer_name, customer_address_lines, customer_country, customer_tax_id, purchase_order_number,
        memo, disputed, version, event_version, created_at
    )
    SELECT o.organization_id, {_DRAFT_ID},
           'cus_' || lpad((o.position * 1000 + 1 + i %% %(customers)s)::text, 26, '0'), 'draft', 'USD',
           current_date, current_date + 30, 1000 + i %% 9000, 0, 1000 + i %% 9000, 0, 0,
           'Customer ' || 1 + i %% %(customers)s, ARRAY['1 Quay Street', 'Portsmouth'], 'US', '', '', '',
           false, 1, 0, now()
    FROM {_OWNERS}, generate_series(1, %(count)s::int) AS i
"""
_LINES = f"""
    INSERT INTO invoice_lines (
        organization_id, invoice_id, line_no, description, quantity, unit_price_minor_units, tax_rate_percent,
        amount_minor_units
    )
    SELECT o.organization_id, {_DRAFT_ID}, 1, 'Container hire', 1, 1000 + i %% 9000, 0, 1000 + i %% 9000
    FROM {_OWNERS}, generate_series(1, %(count)s::int) AS i
"""
_FOUND = "SELECT organization_id, invoice_id FROM invoices WHERE status = 'draft'"
_GAPS = """
    SELECT organization_id FROM invoices WHERE number IS NOT NULL GROUP BY organization_id
    HAVING count(DISTINCT number) <> max(substr(number, 5)::bigint)
        OR max(substr(number, 5)::bigint) <> (
            SELECT last_number FROM number_series AS s
            WHERE s.organization_id = invoices.organization_id AND s.series = ''
        )
"""
