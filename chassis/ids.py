"""Ids that sort by birth and say what they name: TypeIDs such as `inv_01j5x...` (a prefix and a UUIDv7)."""

import re

from uuid_utils.compat import uuid7

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PREFIX = re.compile(r"[a-z]([a-z_]{0,61}[a-z])?")
_SUFFIX = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_SUFFIX_LENGTH = 26


def new_id(prefix: str) -> str:
    """A fresh id: the prefix, an underscore and 26 characters of base 32. ValueError for a bad prefix."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{prefix!r} is not an id prefix")
    return f"{prefix}_{_encode(uuid7().int)}"


def is_id(prefix: str, text: str) -> bool:
    """Whether the text is a well-formed id of that prefix; says nothing about whether it exists."""
    head, separator, suffix = text.rpartition("_")
    return bool(separator) and head == prefix and _SUFFIX.fullmatch(suffix) is not None


def to_bytes(text: str) -> bytes:
    """The 16 bytes behind an id, for packing it. ValueError if it is not a well-formed id."""
    suffix = text.rpartition("_")[2]
    if not _SUFFIX.fullmatch(suffix):
        raise ValueError(f"{text!r} is not an id")
    value = 0
    for character in suffix:
        value = value << 5 | _ALPHABET.index(character)
    return value.to_bytes(16, "big")


def from_bytes(prefix: str, content: bytes) -> str:
    """The id that `to_bytes` packed."""
    return f"{prefix}_{_encode(int.from_bytes(content, 'big'))}"


def new_uuid7() -> str:
    """A fresh UUIDv7 in its usual 36 characters, for event ids."""
    return str(uuid7())


def _encode(value: int) -> str:
    characters = []
    for _ in range(_SUFFIX_LENGTH):
        characters.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(characters))
