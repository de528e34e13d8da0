"""Templates of a running process stay as they were when it started."""

from pathlib import Path

from services.gateway.web.languages import ENGLISH
from services.gateway.web.rendering import Templates


def test_a_file_that_changes_under_a_running_process_changes_no_page(tmp_path: Path) -> None:
    page, part = tmp_path / "page.html", tmp_path / "part.html"
    page.write_text('{% include "part.html" %}')
    part.write_text("before")
    templates = Templates(lambda name: name, [tmp_path])
    part.write_text("{{ a_name_of_the_next_version }}")
    page.unlink()
    assert templates.render("page.html", ENGLISH) == "before"
