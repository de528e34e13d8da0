"""What documents say, in the reader's language and, where law wants it, in that of the organization's country too.

The words are in templates/words, one file for each language.
"""

from pathlib import Path

from chassis.papers import writing
from services.invoicing.domain.organization import Organization

WORDS = Path(__file__).parent.parent / "templates" / "words"
_LEGAL_LANGUAGES = {"AE": "ar", "BH": "ar", "EG": "ar", "KW": "ar", "OM": "ar", "QA": "ar", "SA": "ar"}
"""Countries whose tax or consumer law wants invoices in their language, whatever else they are written in."""


def legal_language(organization: Organization) -> str:
    """The language that the law of the organization's country wants on documents; empty where any will do."""
    if organization.country == "CA" and organization.region.upper() in {"QC", "QUEBEC", "QUÉBEC"}:
        return "fr"
    return _LEGAL_LANGUAGES.get(organization.country, "")


class Writer(writing.Writer):
    """Writes for a reader of the wanted locale, else of the organization's."""

    def __init__(self, organization: Organization, *wanted: str) -> None:
        super().__init__(WORDS, *wanted, organization.locale, legal_language=legal_language(organization))
