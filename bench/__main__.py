"""`make bench`: starts a stack of its own, measures it, writes bench/results/latest.json and docs/performance.md."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import uvloop

from bench import (
    commit_to_receipt,
    finalizing,
    growth,
    machine,
    payments,
    portal_invoice_list,
    seed,
    stack_start,
)
from bench.results import Figure, NothingPrintedError, Report
from bench.seed import Bill, Organization, Tokens
from bench.stack import BenchStack, StackFailedError, Wishes, empty_home, free_ports
from devstack.layout import REPOSITORY, Layout

RESULTS_FILE = Path(__file__).with_name("results") / "latest.json"
PAGE = REPOSITORY / "docs" / "performance.md"
PARTS = ("stack", "receipt", "portal", "payments", "invoices", "growth")
BUSY_CORES_MAX = 0.3


@dataclass(frozen=True, slots=True)
class Windows:
    """How often and how long each benchmark is measured."""

    rounds: int
    seconds: float
    organizations: Sequence[int]
    shared_buffers_megabytes: int

    @property
    def wishes(self) -> Wishes:
        """The stack for payments."""
        return replace(payments.WISHES, shared_buffers_megabytes=self.shared_buffers_megabytes)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What there is to pay; each invoice is taken once."""

    organizations: Sequence[Organization]
    bills: Iterator[Bill]
    bills_of_one: Iterator[Bill]
    """All of the first organization."""

    def kinds(self, wanted: Sequence[int]) -> list[payments.Kind]:
        """What is paid in the benchmarks of payments: for all organizations, for one."""
        return [
            payments.Kind(count, self.bills_of_one if count == 1 else self.bills)
            for count in dict.fromkeys(wanted)
        ]


def main() -> int:
    """Exit status 1, and nothing written, when something failed or does not add up."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="windows of each benchmark, the median counts")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a window")
    parser.add_argument(
        "--organizations", type=int, choices=(seed.ORGANIZATIONS, 1), action="append",
        help="whose payments are measured; both kinds if not said",
    )  # fmt: skip
    parser.add_argument(
        "--shared-buffers", type=int, default=payments.WISHES.shared_buffers_megabytes, metavar="MEGABYTES",
        help="PostgreSQL's memory while payments are measured",
    )  # fmt: skip
    parser.add_argument("--only", choices=PARTS, action="append", help="some; prints, writes nothing")
    arguments = parser.parse_args()
    chosen = frozenset(arguments.only or PARTS)
    try:
        windows = Windows(
            arguments.rounds,
            arguments.seconds,
            arguments.organizations or (seed.ORGANIZATIONS, 1),
            arguments.shared_buffers,
        )
        report = uvloop.run(_run(chosen, windows))
    except (NothingPrintedError, StackFailedError, TimeoutError, httpx.HTTPError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(f"\n{report.text()}")
    if chosen == frozenset(PARTS):
        report.write(RESULTS_FILE, PAGE)
    return 0


async def _run(chosen: frozenset[str], windows: Windows) -> Report:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", flush=True)

    busy = await machine.busy_cores()
    layout = Layout(empty_home())
    try:
        async with BenchStack(layout.home, free_ports(), Wishes()) as stack:
            say("seeding")
            organizations = await seed.create_organizations(stack)
            bills = await seed.create_invoices(stack, organizations)
            of_one = await seed.create_invoices_of_one(stack, organizations)
            seeded = Seeded(organizations, iter(bills), iter(of_one))
        figures, notes = await _small_figures(layout, chosen, seeded, windows, say)
        if "payments" in chosen:
            async with BenchStack(layout.home, free_ports(), windows.wishes) as stack:
                found, more = await payments.measure(
                    stack,
                    seeded.kinds(windows.organizations),
                    Tokens(stack),
                    rounds=windows.rounds,
                    seconds=windows.seconds,
                    say=say,
                )
            figures, notes = [*found, *figures], [*more, *notes]
        if "invoices" in chosen:
            async with BenchStack(layout.home, free_ports(), windows.wishes) as stack:
                figure, note = await finalizing.measure(
                    stack, organizations, rounds=windows.rounds, seconds=windows.seconds, say=say
                )
            figures, notes = [*figures, figure], [*notes, note]
        if "growth" in chosen:
            figure, note = await _growth(windows, say)
            figures, notes = [*figures, figure], [*notes, note]
    finally:
        shutil.rmtree(layout.home, ignore_errors=True)
    return Report(figures, machine.describe(), [*notes, _weather(busy)])


async def _growth(windows: Windows, say: Callable[[str], None]) -> tuple[Figure, str]:
    """On a stack of its own, which begins with few invoices."""
    layout = Layout(empty_home())
    async with BenchStack(layout.home, free_ports(), windows.wishes) as stack:
        organizations = await seed.create_organizations(stack)
        await seed.create_invoices(stack, organizations, count=growth.SIZES[0])
        return await growth.measure(
            stack, organizations, invoices=growth.SIZES[0], seconds=windows.seconds, say=say
        )


async def _small_figures(
    layout: Layout, chosen: frozenset[str], seeded: Seeded, windows: Windows, say: Callable[[str], None]
) -> tuple[list[Figure], list[str]]:
    """What is measured on the stack as `tallyport up` starts it."""
    if not chosen & {"stack", "receipt", "portal"}:
        return [], []
    starts = []
    if "stack" in chosen:
        starts = [await stack_start.start_again(layout) for _ in range(stack_start.STARTS)]
    figures: list[Figure] = []
    notes: list[str] = []
    async with BenchStack(layout.home, free_ports()) as stack:
        if "stack" in chosen:
            starts.append(stack.ready_seconds)
            say(f"ready after {', '.join(f'{start:.1f}' for start in starts)} s")
            figures += [stack_start.ready_figure(starts), await stack_start.idle_figure(stack)]
        if "receipt" in chosen:
            say("receipts")
            figures.insert(0, await commit_to_receipt.measure(stack, seeded.bills, Tokens(stack)))
        if "portal" in chosen:
            say("pages")
            shown = next(seeded.bills)
            organization = next(
                one for one in seeded.organizations if one.organization_id == shown.organization_id
            )
            figure, note = await portal_invoice_list.measure(
                stack, organization, shown, rounds=windows.rounds, seconds=windows.seconds
            )
            figures.insert(0, figure)
            notes.append(note)
    return figures, notes


def _weather(busy_cores: float) -> str:
    calm = f"Before the run others kept {busy_cores:.1f} cores busy"
    if busy_cores <= BUSY_CORES_MAX:
        return f"{calm}."
    return f"{calm}: rates are too low and latencies too high by that much; ratios suffer less."


if __name__ == "__main__":
    sys.exit(main())
