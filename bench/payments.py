"""The three figures of payments, in rounds: HTTP, gRPC and pgbench take turns on the same server."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench import ledgers, payments_end_to_end, payments_rpc, pgbench, processor_time
from bench.payments_end_to_end import IN_FLIGHT
from bench.results import Figure, median, percentile
from bench.seed import Bill, Tokens
from bench.stack import BenchStack, Wishes

_UNSAMPLED = {"TALLYPORT_TRACE_SAMPLE_RATIO": "0.01"}
_INSTANT = {**_UNSAMPLED, "TALLYPORT_PROVIDER": "instant"}
WISHES = Wishes(
    without=["notifications-work"],
    extra={
        "payments-serve": _INSTANT,
        "payments-work": _INSTANT,
        **dict.fromkeys(("gateway", "invoicing-serve", "invoicing-work"), _UNSAMPLED),
    },
)
"""A provider that answers at once, one trace in a hundred as in production, and mails left for later."""
_WARM_UP_SECONDS = 2.0


@dataclass(slots=True)
class Rounds:
    """What was measured so far."""

    end_to_end_per_second: list[float] = field(default_factory=list)
    answers_seconds: list[float] = field(default_factory=list)
    drain_seconds: list[float] = field(default_factory=list)
    rpc_per_second: list[float] = field(default_factory=list)
    runs: list[pgbench.Run] = field(default_factory=list)
    payments: int = 0


async def measure(
    stack: BenchStack,
    bills: Iterator[Bill],
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
        await warm_up(stack, bills, tokens, seconds=_WARM_UP_SECONDS)
    await baseline.run(seconds=_WARM_UP_SECONDS)
    notes = await _look_closely(stack, baseline, bills, tokens, seconds)
    for number in range(1, rounds + 1):
        await _round(stack, baseline, bills, tokens, seconds, done)
        say(
            f"payments, round {number} of {rounds}: HTTP {done.end_to_end_per_second[-1]:.0f}/s,"
            f" gRPC {done.rpc_per_second[-1]:.0f}/s, pgbench {done.runs[-1].per_second:.0f}/s"
        )
    paid = await ledgers.count_paid(stack)
    await ledgers.verify(stack, expected_payments=paid)
    say(f"payments: {paid - paid_before} made, as many receipts and applications; the ledgers balance")
    return _figures(done, rounds, seconds), [*notes, _drain_note(done)]


async def _round(
    stack: BenchStack,
    baseline: pgbench.Baseline,
    bills: Iterator[Bill],
    tokens: Tokens,
    seconds: float,
    done: Rounds,
) -> None:
    applied = await payments_end_to_end.measure(stack, bills, tokens, seconds=seconds)
    done.end_to_end_per_second.append(applied.per_second)
    done.answers_seconds += applied.window.latencies_seconds
    done.drain_seconds.append(applied.drain_seconds)
    window = await payments_rpc.measure(stack, bills, tokens, seconds=seconds)
    done.rpc_per_second.append(window.answers / window.seconds)
    done.runs.append(await baseline.run(seconds=seconds))


async def _look_closely(
    stack: BenchStack, baseline: pgbench.Baseline, bills: Iterator[Bill], tokens: Tokens, seconds: float
) -> list[str]:
    """Processor time of one payment by process, and whether the baseline still writes the services' rows."""
    urls = {name: stack.database_url(name) for name in pgbench.SERVICES}
    rows = {name: await ledgers.count_rows(url, "public") for name, url in urls.items()}
    busy = processor_time.by_process(stack)
    applied = await payments_end_to_end.measure(stack, bills, tokens, seconds=seconds)
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
        f"Processor time of one payment over HTTP: {processor_time.in_words(spent)};"
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


def _drain_note(done: Rounds) -> str:
    return (
        f"After the last answer it took {median(done.drain_seconds):.2f} s until the last invoice was paid"
        " (counted in `payments.end_to_end`)."
    )


def _figures(done: Rounds, rounds: int, seconds: float) -> list[Figure]:
    pgbench_rate = round(median([run.per_second for run in done.runs]), 1)
    how = f"{IN_FLIGHT} in flight, median of {rounds} x {seconds:g} s"
    return [
        Figure(
            name="payments.end_to_end",
            value=round(median(done.end_to_end_per_second), 1),
            unit="payments/s",
            baseline=pgbench.DESCRIPTION,
            baseline_value=pgbench_rate,
            command=f"POST /v1/payments (card token, instant provider) until the invoice is paid, {how}",
        ),
        Figure(
            name="payments.core",
            value=round(median(done.rpc_per_second), 1),
            unit="payments/s",
            baseline=pgbench.DESCRIPTION,
            baseline_value=pgbench_rate,
            command=f"tallyport.payments.v1.Payments/CreatePayment over mTLS, {how}",
        ),
        Figure(
            name="payments.p99_ms",
            value=round(percentile(done.answers_seconds, 99) * 1000, 1),
            unit="ms",
            baseline=f"p99 of pgbench with {pgbench.CLIENTS} clients",
            baseline_value=round(median([run.p99_milliseconds for run in done.runs]), 1),
            command=f"99th percentile of all answers of payments.end_to_end, {IN_FLIGHT} in flight",
        ),
    ]
