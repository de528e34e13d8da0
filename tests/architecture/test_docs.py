"""Docs name only things that exist, and every error reason is documented."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PATH = re.compile(r"`((?:chassis|services|devstack|cli|tests|bench|docs|deploy|proto|gen)/[\w./{},*<>-]+)`")
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
_WORD = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|BUSY|INTERNAL)"')
_NOT_FOUND = re.compile(r'not_found\(\s*"([\w ]+)"')
NO_REASONS = re.compile(r"^(TALLYPORT_.*|OTEL_.*|LC_MESSAGES|.*_URL)$")


def documents() -> Iterator[Path]:
    yield ROOT / "README.md"
    for folder in ("docs", "services", "devstack", "chassis", "deploy", "bench"):
        yield from sorted((ROOT / folder).rglob("*.md"))


def reasons_in_code() -> set[str]:
    """Every UPPER_SNAKE word in the code is a reason, unless it is the name of a setting."""
    found: set[str] = set()
    for package in ("chassis", "services"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            found.update(word for word in _WORD.findall(text) if not NO_REASONS.match(word))
            found.update(f"{noun.upper().replace(' ', '_')}_NOT_FOUND" for noun in _NOT_FOUND.findall(text))
    return found


def documented_reasons() -> set[str]:
    return set(re.findall(r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE))


def test_each_path_named_in_the_docs_exists() -> None:
    missing = []
    for document in documents():
        for named in _PATH.findall(document.read_text()):
            pattern = re.sub(r"<[^>]+>", "*", named)
            options = re.fullmatch(r"(.*)\{(.*)\}(.*)", pattern)
            paths = (
                [options[1] + part + options[3] for part in options[2].split(",")] if options else [pattern]
            )
            missing += [
                f"{document.relative_to(ROOT)}: {path}"
                for path in paths
                if not any(ROOT.glob(path.rstrip("/")))
            ]
    assert missing == []


def test_each_link_in_the_docs_leads_somewhere() -> None:
    missing = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in documents()
        for link in _LINK.findall(document.read_text())
        if not (document.parent / link).exists()
    ]
    assert missing == []


def test_every_error_reason_in_the_code_is_documented() -> None:
    assert reasons_in_code() - documented_reasons() == set()


def test_every_documented_error_reason_is_in_the_code() -> None:
    assert documented_reasons() - reasons_in_code() == set()


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 60
