"""What a run found: one JSON file, one table for people, the same table in the documentation."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

BEGIN = "<!-- bench: begin -->"
END = "<!-- bench: end -->"


class NothingPrintedError(Exception):
    """Figures would mislead: there were errors, or the books do not add up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the result. `ratio` is value / baseline_value; null without a baseline."""

    name: str
    value: float
    unit: str
    baseline: str | None = None
    baseline_value: float | None = None
    command: str

    @property
    def ratio(self) -> float | None:
        if not self.baseline_value:
            return None
        return float(f"{self.value / self.baseline_value:.3g}")

    def as_json(self) -> dict[str, object]:
        fields = asdict(self)
        command = fields.pop("command")
        return {**fields, "ratio": self.ratio, "command": command}


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one run, and what they were taken on."""

    figures: Sequence[Figure]
    machine: str
    notes: Sequence[str] = ()

    def write(self, results_file: Path, page: Path) -> None:
        """Both files are replaced as a whole. ValueError if the page has lost its markers."""
        results_file.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(figure.as_json(), ensure_ascii=False) for figure in self.figures]
        results_file.write_text("[\n  " + ",\n  ".join(lines) + "\n]\n")
        page.write_text(replaced(page.read_text(), self.markdown()))

    def markdown(self) -> str:
        """The table for the documentation."""
        rows = [
            "| what | value | baseline | ratio |",
            "| --- | ---: | --- | ---: |",
            *(
                f"| `{x.name}` | {_number(x.value)} {x.unit} | {_baseline(x)} | {_ratio(x)} |"
                for x in self.figures
            ),
        ]
        notes = "".join(f"\n- {note}" for note in self.notes)
        return f"{self.machine}\n\n" + "\n".join(rows) + ("\n" + notes if notes else "")

    def text(self) -> str:
        """The table for a terminal."""
        rows = [("what", "value", "ratio", "baseline")] + [
            (figure.name, f"{_number(figure.value)} {figure.unit}", _ratio(figure), _baseline(figure))
            for figure in self.figures
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
            for row in rows
        ]
        return "\n".join([self.machine, "", *(line.rstrip() for line in lines), "", *self.notes]).rstrip()


def replaced(page: str, table: str) -> str:
    """The page with another table between the markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all values do not exceed."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def median(values: Sequence[float]) -> float:
    return float(statistics.median(values))


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _baseline(figure: Figure) -> str:
    if figure.baseline is None or figure.baseline_value is None:
        return figure.baseline or "none"
    return f"{_number(figure.baseline_value)} {figure.unit}: {figure.baseline}"


def _ratio(figure: Figure) -> str:
    return "" if figure.ratio is None else f"{figure.ratio:.3g}"
