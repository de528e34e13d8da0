"""What banks put into field :86: of an MT940 line.

Three ways: German subfields (166?00...?20...), words between slashes (/REMI/...), and plain text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.payments.domain.bank_statement import is_reference

WRAPPED_AT = 65
"""Lines of this length or more are broken by their length and not between words."""
SUBFIELD_LENGTH = 27
LONGEST_FIELD = 4_000
"""SWIFT allows 390 characters; what stands beyond this is cut off."""
MOST_FIELDS = 50
_GERMAN = re.compile(r"(\d{3})([?>*#+~^])(?=00|1[0-9]|2[0-9]|3[0-9])")
_GERMAN_WORDS = re.compile(
    r"(?:^|(?<=\s)|(?<=[^A-Z]))(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|ANAM)\+"
)
_SLASH_WORDS = re.compile(
    r"/(TRTP|TRCD|IBAN|BIC|NAME|REMI|EREF|KREF|CSID|MARF|RTRN|CNTP|ORDP|BENM|ADDR|PREF|PURP|SVCL|ISDT|RREF|IREF|ULTB|ULTD"
    r"|ULTC|ACCW|NRTX|FX|CHGS|EXCH|SVWZ|OCMT|MREF|CDTRREF|ID|BO|ORDR)/"
)
_ACCOUNT_LINE = re.compile(r"([A-Z]{2}\d{2}[A-Z0-9]{10,30}|\d{7,12})\s+(\S.*)")
_DUTCH_LINE = re.compile(r"\bREK: ([A-Z0-9]{7,34})/NAAM: (.+)$")
_CODED_LINE = re.compile(r"(\d\d)(.*)")


@dataclass(frozen=True, slots=True)
class Details:
    """Who paid, and what for."""

    name: str = ""
    account: str = ""
    text: str = ""
    structured: str = ""
    end_to_end_id: str = ""


def read_details(texts: Sequence[str], supplement: str) -> Details:
    """The details of one line from its :86: fields; `supplement` is what stood below :61:."""
    texts = [text[:LONGEST_FIELD] for text in texts[:MOST_FIELDS]]
    if len(texts) == 1:
        joined = _unwrapped(texts[0])
        if _GERMAN.match(joined):
            return _german(_glued(texts[0]).strip())
        if len(_SLASH_WORDS.findall(joined)) >= 1 and joined.lstrip().startswith("/"):
            return _slashes(joined)
        lines = [line for line in texts[0].split("\n") if line.strip()]
        named = _ACCOUNT_LINE.fullmatch(lines[0].strip()) if lines else None
        if named and (named[1][0].isalpha() or named[2] == supplement):
            return Details(name=named[2], account=named[1], text=" ".join(lines[1:]))
        if dutch := _DUTCH_LINE.search(joined):
            return Details(name=dutch[2], account=dutch[1], text=joined[: dutch.start()])
        return Details(text=joined, name=_name(supplement))
    return Details(text=" ".join(_unwrapped(text) for text in texts), name=_name(supplement))


def read_coded_details(text: str) -> Details:
    """Of field :NS:, whose lines begin with a number: 01 to 14 the text, 15 and 16 the name, 34 the account."""
    coded = [match for line in text.split("\n") if (match := _CODED_LINE.fullmatch(line.strip()))]
    parts = {
        number: " ".join(one[2].strip() for one in coded if one[1] == number) for number in ("15", "16", "34")
    }
    return Details(
        name=f"{parts['15']} {parts['16']}".strip(),
        account=parts["34"].lstrip("0"),
        text=" ".join(one[2].strip() for one in coded if "01" < one[1] <= "14"),
    )


def _name(supplement: str) -> str:
    return supplement if re.search(r"[^\W\d_]{2}", supplement) and len(supplement) <= 70 else ""


def _unwrapped(text: str) -> str:
    """Lines that were broken by their length are joined again, others get a blank."""
    joined = ""
    before = 0
    for line in text.split("\n"):
        joined += line if not joined or before >= WRAPPED_AT else " " + line
        before = len(line)
    return joined.strip()


def _glued(text: str) -> str:
    return text.replace("\n", "")


def _german(text: str) -> Details:
    match = _GERMAN.match(text)
    assert match is not None
    sign = match[2]
    subfields: dict[int, list[str]] = {}
    for part in re.split(re.escape(sign) + r"(?=\d\d)", text[3:])[1:]:
        subfields.setdefault(int(part[:2]), []).append(part[2:])
    purpose = [part for number in (*range(20, 30), *range(60, 64)) for part in subfields.get(number, [])]
    words = _words(_purpose(purpose))
    name = " ".join("".join(part for number in (32, 33) for part in subfields.get(number, [])).split())
    end_to_end_id = words.get("EREF", "").strip()
    kept = [words.get("", ""), words.get("SVWZ", ""), words.get("MTLG", "")]
    return Details(
        name=name or words.get("ANAM", "").strip(),
        account="".join(subfields.get(38, []) or subfields.get(31, [])) or words.get("IBAN", "").strip(),
        text=" ".join(part.strip() for part in kept if part.strip()) or "".join(subfields.get(0, [])),
        end_to_end_id=end_to_end_id if is_reference(end_to_end_id) else "",
    )


def _purpose(parts: Sequence[str]) -> str:
    """Full subfields run on; after a shorter one a blank was meant."""
    joined = ""
    for part in parts:
        joined += part if len(part) >= SUBFIELD_LENGTH else part + " "
    return joined.replace("MTLG:", "MTLG+").strip()


def _words(text: str) -> dict[str, str]:
    """What stands behind EREF+, SVWZ+ and the like; under the empty word what stands before the first."""
    parts = _GERMAN_WORDS.split(text)
    words = {"": parts[0]}
    for word, value in zip(parts[1::2], parts[2::2], strict=True):
        words[word] = f"{words[word]} {value}" if word in words else value
    return words


def _slashes(text: str) -> Details:
    parts = _SLASH_WORDS.split(text)
    words: dict[str, str] = {}
    for word, value in zip(parts[1::2], parts[2::2], strict=True):
        words.setdefault(word, value.strip("/ "))
    counterparty = [part.strip() for part in words.get("CNTP", "").split("/")]
    remittance = words.get("REMI", "") or words.get("SVWZ", "")
    structured = words.get("CDTRREF", "")
    if remittance.startswith("STRD/"):
        structured = remittance.removeprefix("STRD/").rpartition("/")[2].strip()
    text = re.sub(r"^(USTD|STRD)/+", "", remittance)
    end_to_end_id = words.get("EREF", "")
    return Details(
        name=words.get("NAME", "") or (counterparty[2] if len(counterparty) > 2 else ""),
        account=words.get("IBAN", "") or counterparty[0],
        text=text or words.get("TRTP", ""),
        structured=structured,
        end_to_end_id=end_to_end_id if is_reference(end_to_end_id) else "",
    )
