"""PDFs are the same bytes each time and hold what the template was given."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest

from chassis.pdf import PdfError, render_pdf, render_pdf_in_thread

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title, date: datetime(year: 2026, month: 11, day: 21))
#set text(font: "Source Sans Pro", lang: "en")
= #data.title
#for line in data.lines [ #line.text: #line.amount \\ ]
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "receipt.typ"
    path.write_text(TEMPLATE)
    return path


async def test_data_is_rendered_with_the_bundled_font(template: Path) -> None:
    data = {"title": "Receipt #1 <*_$>", "lines": [{"text": "Zoë & söhne", "amount": "€ 12.50"}]}
    pdf = await render_pdf_in_thread(template, data, timestamp=AT)
    page = pypdf.PdfReader(io.BytesIO(pdf)).pages[0]
    text = page.extract_text()
    assert "Receipt #1 <*_$>" in text
    assert "Zoë & söhne: € 12.50" in text
    assert b"SourceSansPro" in pdf


def test_same_input_gives_the_same_bytes_and_other_input_others(template: Path) -> None:
    twin = template.with_name("twin.typ")
    twin.write_text(TEMPLATE)
    one = render_pdf(template, {"title": "A", "lines": []}, timestamp=AT)
    two = render_pdf(template, {"title": "B", "lines": []}, timestamp=AT)
    assert one == render_pdf(twin, {"title": "A", "lines": []}, timestamp=AT)
    assert one != two


def test_what_was_rendered_before_is_not_rendered_again(template: Path) -> None:
    one = render_pdf(template, {"title": "A", "lines": []}, timestamp=AT)
    assert render_pdf(template, {"title": "A", "lines": []}, timestamp=AT) is one
    later = render_pdf(template, {"title": "A", "lines": []}, timestamp=AT.replace(year=2027))
    archived = render_pdf(template, {"title": "A", "lines": []}, timestamp=AT, standards=["a-3b"])
    assert later is not one
    assert archived != one


def test_only_so_much_is_kept(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first: dict[str, Any] = {"title": "C", "lines": []}
    second = first | {"title": "D"}
    one = render_pdf(template, first, timestamp=AT)
    monkeypatch.setattr("chassis.pdf._MOST_KEPT_BYTES", len(one))
    last = render_pdf(template, second, timestamp=AT)
    assert render_pdf(template, second, timestamp=AT) is last
    again = render_pdf(template, first, timestamp=AT)
    assert again == one
    assert again is not one


def test_archive_standard_is_enforced(template: Path) -> None:
    pdf = render_pdf(template, {"title": "A", "lines": []}, timestamp=AT, standards=["a-3b", "ua-1"])
    assert b"pdfaid" in pdf
    data = {"title": "\N{EGYPTIAN HIEROGLYPH A001}", "lines": []}
    with pytest.raises(PdfError, match=r"receipt\.typ"):
        render_pdf(template, data, timestamp=AT, standards=["a-3b"])


def test_broken_template_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "broken.typ"
    path.write_text("#nonsense(")
    with pytest.raises(PdfError, match=r"broken\.typ"):
        render_pdf(path, {}, timestamp=AT)
