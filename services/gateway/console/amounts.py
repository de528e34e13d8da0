"""What to say about what staff type into forms."""

from collections.abc import Mapping


def renamed(errors: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Field errors under the names that the form has for the contract's fields."""
    return {names.get(field, field): message for field, message in errors.items()}
