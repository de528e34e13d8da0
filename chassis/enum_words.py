"""How enum values are spelled in JSON: the name without its prefix, in lower case."""

import re

from google.protobuf.descriptor import EnumDescriptor


def enum_word(descriptor: EnumDescriptor, number: int) -> str | None:
    """The word of an enum value: its name without the prefix, lower case; None for the zero value."""
    if number == 0:
        return None
    value = descriptor.values_by_number.get(number)
    return value.name[len(enum_prefix(descriptor)) :].lower() if value is not None else str(number)


def enum_words(descriptor: EnumDescriptor) -> list[str]:
    """All words of an enum but the zero value's."""
    return [word for value in descriptor.values if (word := enum_word(descriptor, value.number)) is not None]


def enum_prefix(descriptor: EnumDescriptor) -> str:
    """What every value's name begins with."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", descriptor.name).upper() + "_"
