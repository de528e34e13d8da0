"""What to say about what staff type into forms."""

from collections.abc import Mapping

from services.gateway.web.languages import gettext as _


def amount_words() -> str:
    """What to say about something that is no amount."""
    return _("Please write an amount like 1250.00.")


def renamed(errors: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Field errors under the names that the form has for the contract's fields."""
    return {names.get(field, field): message for field, message in errors.items()}
