"""The figures of payments, of many organizations and of one, in rounds: HTTP, gRPC and pgbench take turns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench import ledgers, payments_end_to_end, payments_rpc, pgbench, processor_time
from bench.payments_end_to_end import IN_FLIGHT
from bench.results import Figure, median, percentile
from bench.seed import Bill, Tokens
from bench.stack import BenchStack, Wishes

_PRODUCTION = {"TALLYPORT_TRACE_SAMPLE_RATIO": "0.01", "TALLYPORT_TEST_CLOCKS": "false"}
_INSTANT = {**_PRODUCTION, "TALLYPORT_PROVIDER": "instant"}
WISHES = Wishes(
    without=["notifications-work"],
    extra={
        "payments-serve": _INSTANT,
        "payments-work": _INSTANT,
        **dict.fromkeys(("gateway", "invoicing-serve", "invoicing-work"), _PRODUCTION),
    },
    shared_buffers_megabytes=128,
)
"""A provider that answers at once, one trace in a hundred as in production, mails left for later, and PostgreSQL with
the memory that it has unless somebody sets it; `tallyport up` gives it less."""
_WARM_UP_SECONDS = 2.0


@dataclass(slots=True)
class Kind:
    """Payments of so many organizations, and what was measured of them so far."""

    organizations: int
    bills: Iterator[Bill]
    end_to_end_per_second: list[float] = field(default_factory=list)
    answers_seconds: list[float] = field(default_factory=list)
    drain_seconds: list[float] = field(default_factory=list)
    rpc_per_second: list[float] = field(default_factory=list)

    @property
    def words(self) -> str:
        return "1 organization" if self.organizations == 1 else f"{self.organizations} organizations"

    async def round(self, stack: BenchStack, tokens: Tokens, seconds: float) -> None:
        """A window of each kind of call."""
        applied = await payments_end_to_end.measure(stack, self.bills, tokens, seconds=seconds)
        self.end_to_end_per_second.append(applied.per_second)
        self.answers_seconds += applied.window.latencies_seconds
        self.drain_seconds.append(applied.drain_seconds)
        window = await payments_rpc.measure(stack, self.bills, tokens, seconds=seconds)
        self.rpc_per_second.append(window.answers / window.seconds)


@dataclass(slots=True)
class Rounds:
    """The baseline's runs: with few clients, which is best for it, and with as many as the services' callers."""

    runs: list[pgbench.Run] = field(default_factory=list)
    crowded: list[pgbench.Run] = field(default_factory=list)


async def measure(
    stack: BenchStack,
    kinds: Sequence[Kind],
    tokens: Tokens,
    *,
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> tuple[list[Figure], list[str]]:
    """The figures, and notes on them. Raises NothingPrintedError if a request failed or the books are wrong."""
    baseline = pgbench.Baseline(stack.database_url("postgres"))
    await baseline.prepare()
    paid_before = await ledgers.count_paid(stack)
    done = Rounds()
    for warm_up in (payments_end_to_end.measure, payments_rpc.measure):
        await warm_up(stack, kinds[0].bills, tokens, seconds=_WARM_UP_SECONDS)
    await baseline.run(seconds=_WARM_UP_SECONDS)
    notes = [note for kind in kinds for note in await _look_closely(stack, baseline, kind, tokens, seconds)]
    for number in range(1, rounds + 1):
        for kind in kinds:
            await kind.round(stack, tokens, seconds)
            say(
                f"payments, round {number} of {rounds}, {kind.words}: HTTP {kind.end_to_end_per_second[-1]:.0f}/s,"
                f" gRPC {kind.rpc_per_second[-1]:.0f}/s"
            )
        done.runs.append(await baseline.run(seconds=seconds))
        done.crowded.append(await baseline.run(seconds=seconds, clients=pgbench.CLIENTS_IN_FLIGHT))
        say(f"payments, round {number} of {rounds}, pgbench: {done.runs[-1].per_second:.0f}/s")
    paid = await ledgers.count_paid(stack)
    await ledgers.verify(stack, expected_payments=paid)
    say(f"payments: {paid - paid_before} made, as many receipts and applications; the ledgers balance")
    figures = [figure for kind in kinds for figure in _figures(kind, done, rounds, seconds)]
    return figures, [*dict.fromkeys(notes), *(_drain_note(kind) for kind in kinds), _crowd_note(done)]


async def _look_closely(
    stack: BenchStack, baseline: pgbench.Baseline, kind: Kind, tokens: Tokens, seconds: float
) -> list[str]:
    """Processor time of one payment by process, and whether the baseline still writes the services' rows."""
    urls = {name: stack.database_url(name) for name in pgbench.SERVICES}
    rows = {name: await ledgers.count_rows(url, "public") for name, url in urls.items()}
    busy = processor_time.by_process(stack)
    applied = await payments_end_to_end.measure(stack, kind.bills, tokens, seconds=seconds)
    spent = processor_time.microseconds_per(applied.window.answers, busy, processor_time.by_process(stack))
    ours = {
        name: ledgers.rows_per_payment(
            rows[name], await ledgers.count_rows(url, "public"), applied.window.answers
        )
        for name, url in urls.items()
    }
    rows = {name: await ledgers.count_rows(baseline.url, name) for name in urls}
    busy = processor_time.by_process(stack)
    run = await baseline.run(seconds=seconds)
    spent_there = processor_time.microseconds_per(run.transactions, busy, processor_time.by_process(stack))
    theirs = {
        name: ledgers.rows_per_payment(
            rows[name], await ledgers.count_rows(baseline.url, name), run.transactions
        )
        for name in urls
    }
    there = spent_there.get("postgres", 0)
    note = (
        f"Processor time of one payment over HTTP, {kind.words}: {processor_time.in_words(spent)};"
        f" of one pgbench transaction: {there:,} µs in PostgreSQL."
    )
    return [note, *_differences(ours, theirs)]


def _differences(ours: dict[str, dict[str, float]], theirs: dict[str, dict[str, float]]) -> Sequence[str]:
    found = [
        f"{service}.{table} ({there.get(table, 0):g} in the baseline, {here.get(table, 0):g} by the services)"
        for service, here in ours.items()
        for there in [theirs[service]]
        for table in sorted(here.keys() | there.keys())
        if here.get(table, 0) != there.get(table, 0)
    ]
    return [f"Rows that differ for each payment: {', '.join(found)}."] if found else []


def _drain_note(kind: Kind) -> str:
    return (
        f"With {kind.words} it took {median(kind.drain_seconds):.2f} s after the last answer until the last invoice"
        " was paid (counted in `payments.end_to_end`)."
    )


def _crowd_note(done: Rounds) -> str:
    few, many = done.runs, done.crowded
    return (
        f"pgbench with {pgbench.CLIENTS} clients: p99 {median([run.p99_milliseconds for run in few]):.0f} ms; with"
        f" {pgbench.CLIENTS_IN_FLIGHT}: {median([run.per_second for run in many]):.0f} payments/s, p99"
        f" {median([run.p99_milliseconds for run in many]):.0f} ms."
    )


def _figures(kind: Kind, done: Rounds, rounds: int, seconds: float) -> list[Figure]:
    rate = round(median([run.per_second for run in done.runs]), 1)
    suffix = ".one_organization" if kind.organizations == 1 else ""
    how = f"{kind.words}, {IN_FLIGHT} in flight, median of {rounds} x {seconds:g} s"
    return [
        Figure(
            name=f"payments.end_to_end{suffix}",
            value=round(median(kind.end_to_end_per_second), 1),
            unit="payments/s",
            baseline=pgbench.DESCRIPTION,
            baseline_value=rate,
            command=f"POST /v1/payments (card token, instant provider) until the invoice is paid, {how}",
        ),
        Figure(
            name=f"payments.core{suffix}",
            value=round(median(kind.rpc_per_second), 1),
            unit="payments/s",
            baseline=pgbench.DESCRIPTION,
            baseline_value=rate,
            command=f"tallyport.payments.v1.Payments/CreatePayment over mTLS, {how}",
        ),
        Figure(
            name=f"payments.p99_ms{suffix}",
            value=round(percentile(kind.answers_seconds, 99) * 1000, 1),
            unit="ms",
            baseline=f"p99 of pgbench with as many clients as there are payments in flight, {IN_FLIGHT}",
            baseline_value=round(median([run.p99_milliseconds for run in done.crowded]), 1),
            command=f"99th percentile of all answers of payments.end_to_end, {how}",
        ),
    ]
