"""Every sentence of the console has its German words."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from services.gateway.web import languages

_GATEWAY = Path(languages.__file__).parent.parent
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_OPTIONS = {"**/templates/**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trimmed": "true"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2), "marked": None}


def sentences() -> list[tuple[str, str]]:
    """What pages say, with the plural where there is one."""
    found = extract_from_dir(
        _GATEWAY / "console", _METHODS, _OPTIONS, keywords=_KEYWORDS, callback=lambda *_: None
    )
    texts = [message[2] for message in found]
    return [(text, "") if isinstance(text, str) else (text[0], text[1]) for text in texts]


@pytest.mark.parametrize("tag", ["de"])
def test_no_sentence_is_left_in_english(tag: str) -> None:
    language = languages.language_of(tag)
    assert language is not None
    untranslated = {"Name", "Import", "PDF", "Bank", "Segment", "Stablecoin", "Text", "Wallet"}
    missing = []
    for one, many in sentences():
        catalogue = language.catalogue
        text = catalogue.ngettext(one, many, 2) if many else catalogue.gettext(one)
        if text == (many or one) and one not in untranslated:
            missing.append(one)
    assert missing == []


def test_placeholders_survive_translation() -> None:
    language = languages.language_of("de")
    assert language is not None
    for one, _many in sentences():
        for name in ("{amount}", "%(amount)s", "%(number)s", "%(name)s"):
            assert (name in one) == (name in language.catalogue.gettext(one)), one
