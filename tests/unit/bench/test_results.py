"""The table and the file that a run leaves behind."""

import json
from pathlib import Path

import pytest

from bench.results import BEGIN, END, Figure, Report, percentile, replaced

FAST = Figure(
    name="payments.core",
    value=1200.0,
    unit="payments/s",
    baseline="pgbench",
    baseline_value=4800.0,
    command="x",
)
ALONE = Figure(name="events.commit_to_receipt_ms", value=51.25, unit="ms", command="y")


def test_the_ratio_is_value_by_baseline() -> None:
    assert FAST.ratio == 0.25


def test_a_figure_without_a_baseline_has_no_ratio() -> None:
    assert ALONE.as_json() == {
        "name": "events.commit_to_receipt_ms",
        "value": 51.25,
        "unit": "ms",
        "baseline": None,
        "baseline_value": None,
        "ratio": None,
        "command": "y",
    }


def test_a_report_replaces_the_file_and_only_the_marked_part_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Above\n\n{BEGIN}\nold\n{END}\n\nBelow\n")
    results = tmp_path / "results" / "latest.json"
    Report([FAST, ALONE], "A machine.", ["A note."]).write(results, page)
    assert [line["name"] for line in json.loads(results.read_text())] == [FAST.name, ALONE.name]
    text = page.read_text()
    assert text.startswith("# Above\n")
    assert text.endswith("Below\n")
    assert "old" not in text
    assert "| `payments.core` | 1,200 payments/s | 4,800 payments/s: pgbench | 0.25 |" in text
    assert "- A note." in text


def test_a_second_report_leaves_no_trace_of_the_first() -> None:
    once = replaced(f"a\n{BEGIN}\n\n{END}\nz\n", "first")
    assert replaced(once, "second") == replaced(f"a\n{BEGIN}\n\n{END}\nz\n", "second")


def test_a_page_without_markers_is_not_written_over() -> None:
    with pytest.raises(ValueError, match="bench: begin"):
        replaced("# Performance\n", "table")


@pytest.mark.parametrize(("percent", "expected"), [(50, 2), (75, 3), (99, 4), (1, 1), (100, 4)])
def test_a_percentile_is_one_of_the_values(percent: float, expected: int) -> None:
    assert percentile([3, 1, 4, 2], percent) == expected
