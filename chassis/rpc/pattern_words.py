"""What a value must look like, in words: for the rules that contracts hold fields to."""

from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor, OneofDescriptor

from chassis.enum_words import enum_word, enum_words

_DECIMAL: Final = "must be a decimal number without sign, such as 12.5, with at most four decimal places"

_WORDS: Final = {
    "[0-9]{4}-[0-9]{2}-[0-9]{2}": "must be a date such as 2026-03-31",
    "[A-Z]{3}": "must be a currency code of three capital letters, such as EUR (ISO 4217)",
    "[A-Z]{2}": "must be a country code of two capital letters, such as DE (ISO 3166-1)",
    "[A-Z0-9]{2,3}": "must be a unit code of two or three capital letters or digits, such as C62 (UN/ECE Rec. 20)",
    r"[0-9]{1,2}(\.[0-9]{1,4})?": f"{_DECIMAL}, and less than 100",
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


def words_for_rule(code: str, rule_value: Any, field: FieldDescriptor | None) -> str | None:
    """What a field that breaks another rule must be, as JSON spells it; None where the rule's own words do."""
    enum = field.enum_type if field is not None else None
    if code in ("enum.in", "enum.not_in") and enum is not None:
        listed = [word for number in rule_value if (word := enum_word(enum, number)) is not None]
        allowed = listed if code == "enum.in" else [one for one in enum_words(enum) if one not in listed]
        return f"must be {_either(allowed)}"
    if code == "enum.defined_only" and enum is not None:
        return f"must be {_either(enum_words(enum))}"
    if code == "string.in":
        return f"must be {_either([one for one in rule_value if one])}"
    if code == "string.uri":
        return "must be a whole address such as https://example.com/path"
    return None


def words_for_choice(choice: OneofDescriptor) -> str:
    """For a message that must bring exactly one of several fields."""
    return f"exactly one is required: {_either([field.name for field in choice.fields])}"


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)
