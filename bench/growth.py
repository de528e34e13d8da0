"""`payments.growth`: what one payment costs while the tables grow from ten thousand invoices to a million."""

import random
from collections.abc import Callable, Sequence

from bench import payments_rpc, processor_time
from bench.results import Figure
from bench.seed import Organization, Tokens, add_invoices, open_bills
from bench.stack import BenchStack

SIZES = (10_000, 100_000, 1_000_000)
BILLS = 20_000
_WARM_UP_SECONDS = 2.0


async def measure(
    stack: BenchStack,
    organizations: Sequence[Organization],
    *,
    invoices: int,
    seconds: float,
    say: Callable[[str], None],
) -> tuple[Figure, str]:
    """Processor time of a payment over gRPC at each size, `invoices` being there already; and a note with the curve."""
    curve = []
    tokens = Tokens(stack)
    there = invoices // len(organizations)
    for size in SIZES:
        wanted = size // len(organizations)
        if wanted > there:
            await add_invoices(stack, organizations, first=there + 1, last=wanted)
            there = wanted
        found = await open_bills(stack, BILLS)
        random.Random(size).shuffle(found)
        bills = iter(found)
        await payments_rpc.measure(stack, bills, tokens, seconds=_WARM_UP_SECONDS)
        busy = processor_time.by_process(stack)
        window = await payments_rpc.measure(stack, bills, tokens, seconds=seconds)
        spent = processor_time.microseconds_per(window.answers, busy, processor_time.by_process(stack))
        curve.append((size, sum(spent.values()), spent.get("postgres", 0)))
        say(
            f"growth, {size:,} invoices: {curve[-1][1]:,} µs a payment, {window.answers / window.seconds:.0f}/s"
        )
    note = "; ".join(
        f"{size:,} invoices {total:,} µs (postgres {postgres:,})" for size, total, postgres in curve
    )
    figure = Figure(
        name="payments.growth",
        value=curve[-1][1],
        unit="µs/payment",
        baseline=f"the same with {SIZES[0]:,} invoices",
        baseline_value=curve[0][1],
        command=f"processor time of CreatePayment until applied, with {SIZES[-1]:,} invoices, {seconds:g} s",
    )
    return figure, f"Processor time of one payment over gRPC as invoices grow: {note}."
