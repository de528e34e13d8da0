"""What a value must look like, in words: for the patterns that contracts hold fields to."""

from typing import Any, Final

_DECIMAL: Final = "must be a decimal number without sign, such as 12.5, with at most four decimal places"

_WORDS: Final = {
    "[0-9]{4}-[0-9]{2}-[0-9]{2}": "must be a date such as 2026-03-31",
    "[A-Z]{3}": "must be a currency code of three capital letters, such as EUR (ISO 4217)",
    "[A-Z]{2}": "must be a country code of two capital letters, such as DE (ISO 3166-1)",
    "[A-Z0-9]{2,3}": "must be a unit code of two or three capital letters or digits, such as C62 (UN/ECE Rec. 20)",
    r"[0-9]{1,2}(\.[0-9]{1,4})?": f"{_DECIMAL}, and less than 100",
    "[0-9]{1,2}([.][0-9]{1,4})?": f"{_DECIMAL}, and less than 100",
    r"[0-9]{1,2}(\.[0-9]{1,4})?|100(\.0{1,4})?": f"{_DECIMAL}, and at most 100",
    r"[0-9]{1,3}(\.[0-9]{1,4})?": f"{_DECIMAL}, and less than 1000",
    r"[0-9]{1,9}(\.[0-9]{1,4})?": _DECIMAL,
    r"-?[0-9]{1,6}(\.[0-9]{1,4})?": (
        "must be a decimal number such as 1.27 or -0.88, less than a million, with at most four decimal places"
    ),
    "[a-z0-9][a-z0-9_.-]{0,99}": (
        "must be up to 100 lower-case letters, digits, dots, dashes or underscores, beginning with a letter or digit"
    ),
    "[a-zA-Z0-9][a-zA-Z0-9._-]{0,59}": (
        "must be up to 60 letters, digits, dots, dashes or underscores, beginning with a letter or digit"
    ),
    "[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?": (
        "must be up to 42 lower-case letters, digits and dashes, with no dash at either end"
    ),
    "[a-z0-9-]{1,30}": "must be up to 30 lower-case letters, digits and dashes",
    "[a-z_]{1,40}": "must be up to 40 lower-case letters and underscores",
    "[a-z0-9_]{0,20}": "must be up to 20 lower-case letters, digits and underscores",
    "per_[0-9a-z]{1,60}": "must be the id of a person, such as per_01j9",
}


def words_for(pattern: str, value: Any) -> str | None:
    """What a value that breaks a pattern must be; None for a pattern that has no words."""
    core = pattern.removeprefix("^").removesuffix("$")
    if core.startswith("(") and core.endswith(")?") and core not in _WORDS:
        core = core[1:-2]
    if value == "" and core in _WORDS:
        return f"is required: it {_WORDS[core]}"
    return _WORDS.get(core)
