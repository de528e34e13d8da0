"""Which passwords are good enough: long, not on everybody's list, not made of what is known of the person.

No rules about kinds of characters and no expiry (NIST SP 800-63B): they make passwords worse.
"""

import re
from typing import Final

from chassis.errors import invalid

MINIMUM_CHARACTERS: Final = 15
MAXIMUM_CHARACTERS: Final = 128
_SHORTEST_CONTEXT_WORD: Final = 5

_COMMON: Final = (
    "password", "passwort", "letmein", "iloveyou", "welcome", "sunshine", "princess", "football", "baseball",
    "superman", "trustno", "monkey", "dragon", "master", "qwertyuiop", "qwerty", "qwertz", "asdfghjkl", "asdf",
    "zxcvbnm", "yxcvbnm", "1q2w3e4r5t", "1q2w3e4r", "abcdefghijklmnop", "abcdef", "abc123", "abc", "admin",
    "administrator", "changeme", "secret", "login", "tallyport", "1234567890", "123456789", "12345678", "123456",
    "12345", "1234", "123", "0987654321", "987654321", "54321", "correcthorsebatterystaple", "correct", "horse",
    "battery", "staple", "thisisapassword", "thisismypassword", "mypassword", "this", "is", "my", "the", "test",
)  # fmt: skip
_COMMON_PARTS: Final = re.compile("|".join(sorted(map(re.escape, _COMMON), key=len, reverse=True)))
_WORDS: Final = re.compile(r"[^\W_]+")


def check_password(field: str, password: str, *, name: str, email: str) -> None:
    """Refuses a weak password: INVALID_ARGUMENT naming the field and how to do better."""
    if not MINIMUM_CHARACTERS <= len(password) <= MAXIMUM_CHARACTERS:
        raise invalid(
            field,
            "length",
            f"A password has {MINIMUM_CHARACTERS} to {MAXIMUM_CHARACTERS} characters; "
            "a few unrelated words are easy to remember.",
        )
    folded = password.casefold()
    if any(word in folded for word in _context_words(name, email)):
        raise invalid(field, "personal", "A password must not contain your name or e-mail address.")
    if _is_common(folded):
        raise invalid(field, "common", "This password is one of the first that anybody would try.")


def _context_words(name: str, email: str) -> set[str]:
    local, _, domain = email.casefold().partition("@")
    words = {local, domain.rpartition(".")[0], *_WORDS.findall(local), *_WORDS.findall(name.casefold())}
    return {word for word in words if len(word) >= _SHORTEST_CONTEXT_WORD}


def _is_common(folded: str) -> bool:
    """True when little is left besides well-known pieces, or when few different characters are used."""
    letters = re.sub(r"[\W_]", "", folded)
    if len(set(letters)) < 5:
        return True
    return len(re.sub(r"\d", "", _COMMON_PARTS.sub("", letters))) < 3 and bool(_COMMON_PARTS.search(letters))
