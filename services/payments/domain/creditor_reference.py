"""Creditor references (ISO 11649): RF, two check digits, and up to 21 letters and digits.

They are worked out of invoice numbers and never stored: what comes back from a bank is compared with the same sum.
"""

import re
import unicodedata

LONGEST_BODY = 21
LONGEST_BEGINNING = len("cus_") + LONGEST_BODY - 1
"""So much of a customer's id is in a reference; shorter ids whole."""
_REFERENCE = re.compile(r"RF\d{2}[0-9A-Z]{1,21}")
_IN_TEXT = re.compile(r"(?<![0-9A-Za-z])[Rr][Ff] ?\d\d(?:[ ]?[0-9A-Za-z]){1,21}")


def creditor_reference(body: str) -> str:
    """RF, check digits and the letters and digits of `body` in capitals. ValueError if it has none or more than 21."""
    plain = reference_body(body)
    if not 1 <= len(plain) <= LONGEST_BODY:
        raise ValueError("a creditor reference needs 1 to 21 letters and digits")
    return f"RF{98 - _remainder(plain + 'RF00'):02d}{plain}"


def reference_of_invoice(number: str, invoice_id: str) -> str:
    """For one invoice: of its number; of its id where the number is too long or has no letters and digits."""
    plain = reference_body(number)
    if 1 <= len(plain) <= LONGEST_BODY:
        return creditor_reference(plain)
    return creditor_reference(_short("I", invoice_id))


def reference_of_customer(customer_id: str) -> str:
    """For several invoices at once: names the customer, whose invoices are then found by amount."""
    return creditor_reference(_short("C", customer_id))


def customer_id_beginning(reference: str) -> str | None:
    """How the id of the customer begins whom a reference may name; None if it names none.

    Ask the customers found whether theirs is the same: `reference_of_customer`.
    """
    body = reference[4:]
    return f"cus_{body[1:].lower()}" if body.startswith("C") and len(body) > 1 else None


def parse_creditor_reference(text: str) -> str | None:
    """The reference without blanks and in capitals; None if it is none or its check digits are wrong."""
    plain = re.sub(r"\s", "", text).upper()
    if not _REFERENCE.fullmatch(plain) or _remainder(plain[4:] + plain[:4]) != 1:
        return None
    return plain


def find_creditor_reference(text: str) -> str:
    """The first right reference in a text that payers wrote; empty without one.

    Words that follow one could belong to it: the longest reading whose check digits are right is taken.
    """
    for match in _IN_TEXT.finditer(text):
        candidate = match.group()
        while len(candidate) > 4:
            if found := parse_creditor_reference(candidate):
                return found
            shorter = candidate.rpartition(" ")[0]
            candidate = shorter
    return ""


def for_people(reference: str) -> str:
    """In groups of four."""
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def reference_body(text: str) -> str:
    """The letters and digits of a text in capitals, accents taken off."""
    folded = unicodedata.normalize("NFKD", text).upper()
    return re.sub(r"[^0-9A-Z]", "", folded)


def _short(prefix: str, identifier: str) -> str:
    """As much of an id as fits, which is enough to find it again by its beginning."""
    return prefix + reference_body(identifier.rpartition("_")[2])[: LONGEST_BODY - 1]


def _remainder(text: str) -> int:
    """Modulo 97 with letters as 10 to 35 (ISO 7064)."""
    return int("".join(str(int(character, 36)) for character in text)) % 97
