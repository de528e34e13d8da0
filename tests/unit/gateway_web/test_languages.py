"""Languages: who decides, and how money and days are written."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

from chassis.money import Money
from services.gateway.web import languages
from services.gateway.web.languages import choose, language_of, speaking

_GATEWAY = Path(languages.__file__).parent.parent


def chosen(
    *,
    chosen: str | None = None,
    person: str | None = None,
    accepted: str = "",
    organization: str | None = None,
) -> str:
    return choose(chosen=chosen, person=person, accepted=accepted, organization=organization).tag


def test_the_readers_choice_beats_profile_browser_and_organization() -> None:
    assert chosen(chosen="ar", person="de", accepted="en", organization="en-US") == "ar"
    assert chosen(person="de", accepted="en", organization="en-US") == "de"
    assert chosen(accepted="de-AT,en;q=0.5", organization="en-US") == "de-AT"
    assert chosen(accepted="fr", organization="de") == "de"
    assert chosen() == "en-US"


@pytest.mark.parametrize("header", ["", "*", ";;q=", "de;q=abc", "x" * 5000, "zz-ZZ", "\x00"])
def test_an_odd_accept_language_header_falls_back(header: str) -> None:
    assert chosen(accepted=header) == "en-US"


def test_weights_decide_and_a_language_we_lack_is_passed_over() -> None:
    assert chosen(accepted="fr;q=1, en;q=0.4, de;q=0.9") == "de"
    assert chosen(accepted="de;q=0, en") == "en"


def test_arabic_runs_from_right_to_left() -> None:
    arabic = language_of("ar")
    assert arabic is not None
    assert arabic.direction == "rtl"


@pytest.mark.parametrize(("tag", "text"), [("de-DE", "1.234,50 $"), ("en-US", "$1,234.50")])
def test_money_is_written_as_the_reader_does(tag: str, text: str) -> None:
    language = language_of(tag)
    assert language is not None
    with speaking(language):
        assert languages.money_text(Money(123450, "USD")).replace("\u00a0", " ") == text


def test_a_moment_is_shown_to_the_minute_in_the_organizations_zone() -> None:
    moment = datetime(2026, 11, 21, 23, 30, 59, tzinfo=UTC)
    with speaking(languages.ENGLISH):
        assert (
            languages.instant_text(moment, "America/New_York").replace("\u202f", " ")
            == "Nov 21, 2026, 6:30 PM"
        )


def said_by_the_portal() -> set[str]:
    """Every sentence of the customer's pages, as the extraction command in web/README.md finds it."""
    found: set[str] = set()
    for folder in (_GATEWAY / "web", _GATEWAY / "portal"):
        methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
        options = {"**/templates/**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trimmed": "true"}}
        keywords = DEFAULT_KEYWORDS | {"marked": None}
        for _, _, message, _, _ in extract_from_dir(folder, methods, options, keywords):
            found.add(message[0] if isinstance(message, tuple) else message)
    return found


def catalogues(code: str) -> Iterator[Catalog]:
    """All of a language: each file counts."""
    for source in sorted((_GATEWAY / "web" / "locale" / code / "LC_MESSAGES").glob("*.po")):
        with source.open("rb") as file:
            yield read_po(file, locale=code)


@pytest.mark.parametrize("code", ["de", "ar"])
def test_every_sentence_of_the_portal_is_translated(code: str) -> None:
    known = {
        m.id[0] if isinstance(m.id, (tuple, list)) else m.id
        for catalogue in catalogues(code)
        for m in catalogue
        if m.string
    }
    assert said_by_the_portal() - known == set()


@pytest.mark.parametrize("code", ["de", "ar"])
def test_every_sentence_of_a_catalogue_keeps_its_placeholders(code: str) -> None:
    places = re.compile(r"%\((\w+)\)s")
    for message in (message for catalogue in catalogues(code) for message in catalogue):
        if not message.id or not isinstance(message.id, str):
            continue
        assert message.string, f"{code} lacks {message.id!r}"
        assert set(places.findall(str(message.string))) == set(places.findall(message.id)), message.id
