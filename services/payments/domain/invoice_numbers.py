"""Finds invoice numbers in what payers write: other signs, spaces, no leading zeros, lists, creditor references."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

MOST_SEGMENTS = 6
MOST_CHARACTERS = 25
FEWEST_DIGITS = 5
"""Digits alone are taken for a number from here on; fewer only after a word like "invoice"."""
CUT_AT_CHARACTERS = frozenset({27, 35, 54, 70, 105, 108})
CUT_FROM_CHARACTERS = 140
"""SEPA carries 140 characters of remittance text. What stands at a cut end may be half of something longer."""
_SEGMENT = re.compile(r"[A-Z]+|[0-9]+")
_JOINS = re.compile(r"[\s\-/._#:]{0,2}")
_DIGIT_JOINS = re.compile(r"[ \-/]?")
_LIST_JOINS = re.compile(r"\s*(?:[,/+&;]|UND|AND|ET|Y|E|\s)\s*")
_MISREAD = re.compile(r"(?<=[0-9])[OIL]+(?=[0-9]|\b)|(?<![A-Z0-9])O+(?=[0-9])")
_MISREAD_AS = str.maketrans("OIL", "011")
_CREDITOR = re.compile(r"\bRF\s?([0-9]{2})")
_DAY = re.compile(
    r"(?:(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?:(?:19|20)?[0-9]{2}))"
)
_LABEL_WORDS = (
    "INV INVOICE INVOICES BILL RE REC RG RGNR RENR RNR RECHNUNG RECHNUNGEN RECHNR RECHNUNGSNUMMER RECHNUNGSNR"
    " FACTURE FACT FACTURA FRA FATTURA FATT FT FACTUUR FAKTURA NR NO NUM NUMBER NUMMER N NUMERO REF REFERENCE"
    " DOC BELEG BELEGNR"
)
_LABELS = frozenset(_LABEL_WORDS.split())


class Form(IntEnum):
    """How surely a number is meant."""

    NOISY = 1
    """Misread letters, a few bare digits, something like a date, or the end of a text that was cut."""
    DIGITS = 2
    """The digits without the letters that belong to the number."""
    FULL = 3
    CREDITOR_REFERENCE = 4
    """ISO 11649, with valid check digits."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a text that names invoices: more than one key if it cannot be told which."""

    start: int
    end: int
    form: Form
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a text names. `unknown` looks like our numbers, but we have no such invoice here."""

    mentions: tuple[Mention, ...]
    unknown: tuple[str, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Segment:
    text: str
    start: int
    end: int

    @property
    def is_digits(self) -> bool:
        return self.text.isdigit()


def plain(text: str) -> str:
    """Upper case without accents, the same length wherever that is possible."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    return "".join(sign for sign in folded if not unicodedata.combining(sign)).upper()


def compact(number: str) -> str:
    """A number without signs and case: what FindOpenItems compares."""
    return "".join(segment.text for segment in _segments(plain(number)))


def clues(text: str) -> set[str]:
    """Everything in a text that may be a number, compact, for asking invoicing."""
    normal = plain(text)
    found = {"".join(part.text for part in window) for window in _windows(_segments(normal), normal)}
    found |= {body for _, _, body in _creditor_references(normal)}
    misread = _misread(normal)
    if misread != normal:
        found |= {"".join(part.text for part in window) for window in _windows(_segments(misread), misread)}
    return {each for each in found if any(sign.isdigit() for sign in each) and len(each) >= 3}


class NumberIndex:
    """Numbers by key, found in texts. `bodies` are what stands behind RF and check digits in creditor references."""

    def __init__(self, numbers: Mapping[str, str], bodies: Mapping[str, str] | None = None) -> None:
        self._bodies: dict[str, set[str]] = defaultdict(set)
        for key, body in (bodies or {}).items():
            self._bodies[body].add(key)
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._loose: dict[str, set[str]] = defaultdict(set)
        self._digits: dict[str, set[str]] = defaultdict(set)
        self._bare: dict[str, set[str]] = defaultdict(set)
        self._lettered: set[str] = set()
        self._number_of: dict[str, list[_Segment]] = {}
        self._prefixes: set[str] = set()
        for key, number in numbers.items():
            self._add(key, number)
        ordered = sorted(self._exact)
        self._begins_another = {each for each, later in pairwise(ordered) if later.startswith(each)}

    def _add(self, key: str, number: str) -> None:
        segments = _segments(plain(number))
        if not any(segment.is_digits for segment in segments):
            return
        self._number_of[key] = segments
        self._exact["".join(segment.text for segment in segments)].add(key)
        for loose in _loose_keys(segments):
            self._loose[loose].add(key)
        digits = "".join(segment.text for segment in segments if segment.is_digits)
        self._digits[digits].add(key)
        self._bare[digits.lstrip("0")].add(key)
        self._bare[[segment.text for segment in segments if segment.is_digits][-1].lstrip("0")].add(key)
        if not segments[0].is_digits:
            self._lettered.add(key)
            self._prefixes.add(segments[0].text)

    def find(self, text: str) -> Findings:
        """All numbers in a text, each place once; the longest reading wins unless spaces leave it open."""
        normal = plain(text)
        found = [*self._creditor(normal), *self._read(normal)]
        misread = _misread(normal)
        if misread != normal:
            found += [
                Mention(each.start, each.end, Form.NOISY, each.keys)
                for each in self._read(misread)
                if each.form is Form.FULL
            ]
        chosen = self._choose(found, normal)
        chosen += self._continued(chosen, normal)
        is_cut = len(text) >= CUT_FROM_CHARACTERS or len(text) in CUT_AT_CHARACTERS
        if is_cut:
            chosen = [self._doubt_cut(each, normal) for each in chosen]
        return Findings(tuple(chosen), tuple(self._unknown(normal, chosen)), is_cut)

    def looks_like(self, token: str, key: str) -> bool:
        """Whether an unknown token is one slip of the fingers away from a number."""
        segments = self._number_of.get(key)
        return segments is not None and _one_slip(token, "".join(segment.text for segment in segments))

    def _creditor(self, text: str) -> Iterator[Mention]:
        for start, end, body in _creditor_references(text):
            keys = self._bodies.get(body) or self._exact.get(body) or self._loose.get(_stripped(body))
            if keys:
                yield Mention(start, end, Form.CREDITOR_REFERENCE, frozenset(keys))

    def _read(self, text: str) -> Iterator[Mention]:
        segments = _segments(text)
        for window in _windows(segments, text):
            before = _before(segments, window[0], text)
            read = self._lookup(window, labelled=before in _LABELS)
            others = window[0].is_digits and before and before not in _LABELS  # "KD-000123"
            if read is not None and not others:
                yield Mention(window[0].start, window[-1].end, *read)

    def _lookup(self, window: Sequence[_Segment], *, labelled: bool) -> tuple[Form, frozenset[str]] | None:
        joined = "".join(segment.text for segment in window)
        if not all(segment.is_digits for segment in window):
            keys = self._exact.get(joined) or set().union(
                *(self._loose.get(k, ()) for k in _loose_keys(window))
            )
            return (Form.FULL, frozenset(keys)) if keys and any(sign.isdigit() for sign in joined) else None
        if joined in self._digits:
            keys = self._digits[joined]
            if labelled:
                whole = not keys & self._lettered and len(joined) >= FEWEST_DIGITS
                return (Form.FULL if whole else Form.DIGITS, frozenset(keys))
            sure = len(joined) >= FEWEST_DIGITS and not _DAY.fullmatch(joined)
            return (Form.DIGITS if sure else Form.NOISY, frozenset(keys)) if len(joined) >= 3 else None
        bare = joined.lstrip("0")
        if bare in self._bare and labelled and len(bare) >= 2:
            return Form.DIGITS if len(bare) >= 3 else Form.NOISY, frozenset(self._bare[bare])
        return None

    def _choose(self, found: list[Mention], text: str) -> list[Mention]:
        chosen: list[Mention] = []
        for each in sorted(found, key=lambda m: (-m.form, -(m.end - m.start), m.start)):
            across = [other for other in chosen if each.start < other.end and other.start < each.end]
            if not across:
                chosen.append(each)
                continue
            for other in across:
                if each.start == other.start and each.form == other.form and not each.keys & other.keys:
                    gap = text[min(each.end, other.end) :][:1]
                    if gap.isspace():  # "INV 12 3": 12 and something else, or 123
                        index = chosen.index(other)
                        chosen[index] = Mention(other.start, other.end, other.form, other.keys | each.keys)
        return sorted(chosen, key=lambda mention: mention.start)

    def _continued(self, chosen: list[Mention], text: str) -> list[Mention]:
        """ "INV-000123/124, 127": the later ones are told by their last digits only."""
        more: list[Mention] = []
        taken = [(mention.start, mention.end) for mention in chosen]
        for mention in chosen:
            if mention.form is not Form.FULL or len(mention.keys) != 1:
                continue
            (key,), at = mention.keys, mention.end
            while (join := _LIST_JOINS.match(text, at)) and (
                tail := re.compile(r"[0-9]{2,}\b").match(text, join.end())
            ):
                if any(start <= tail.start() < end for start, end in taken):
                    break
                keys = self._with_tail(key, tail.group())
                if not keys:
                    break
                more.append(Mention(tail.start(), tail.end(), Form.DIGITS, keys))
                at = tail.end()
        return more

    def _with_tail(self, key: str, tail: str) -> frozenset[str]:
        last = self._number_of[key][-1]
        if not last.is_digits or len(tail) > len(last.text):
            return frozenset()
        head = "".join(segment.text for segment in self._number_of[key][:-1])
        return frozenset(self._exact.get(head + last.text[: len(last.text) - len(tail)] + tail, ()))

    def _doubt_cut(self, mention: Mention, text: str) -> Mention:
        if mention.end < len(text.rstrip()) or mention.form is Form.CREDITOR_REFERENCE:
            return mention
        read = "".join(segment.text for segment in _segments(text[mention.start : mention.end]))
        if read in self._exact and read not in self._begins_another:
            width = {len("".join(s.text for s in segments)) for segments in self._number_of.values()}
            if len(width) == 1:
                return mention
        return Mention(mention.start, mention.end, Form.NOISY, mention.keys)

    def _unknown(self, text: str, chosen: Sequence[Mention]) -> Iterator[str]:
        for start, end, body in _creditor_references(text):
            if not any(each.start < end and start < each.end for each in chosen):
                yield body
        segments = _segments(text)
        for first, second in pairwise(segments):
            if first.text not in self._prefixes or not second.is_digits or len(second.text) < 3:
                continue
            near = _JOINS.fullmatch(text, first.end, second.start) is not None
            if near and not any(each.start < second.end and first.start < each.end for each in chosen):
                following = [s for s in segments if s.start >= second.end][:1]
                glued = "".join(
                    s.text for s in following if s.is_digits and text[second.end : s.start] in ("-", "/", "")
                )
                yield first.text + second.text + glued


def _segments(text: str) -> list[_Segment]:
    return [_Segment(found.group(), found.start(), found.end()) for found in _SEGMENT.finditer(text)]


def _windows(segments: Sequence[_Segment], text: str) -> Iterator[tuple[_Segment, ...]]:
    """Runs of segments that begin and end where words do."""
    for first, segment in enumerate(segments):
        glued = first > 0 and segments[first - 1].end == segment.start
        if glued and not (segment.is_digits and segments[first - 1].text in _LABELS):
            continue
        last = first
        while True:
            window = tuple(segments[first : last + 1])
            ends = last + 1 == len(segments) or segments[last + 1].start > segments[last].end
            if ends:
                yield window
            last += 1
            if last == len(segments) or last - first >= MOST_SEGMENTS:
                break
            only_digits = all(each.is_digits for each in segments[first : last + 1])
            joins = _DIGIT_JOINS if only_digits else _JOINS
            too_long = segments[last].end - segments[first].start > MOST_CHARACTERS
            if too_long or not joins.fullmatch(text, segments[last - 1].end, segments[last].start):
                break


def _before(segments: Sequence[_Segment], first: _Segment, text: str) -> str:
    """The word right before, with at most signs between, or a blank if it is one like "invoice"; empty if none."""
    before = next((segment for segment in reversed(segments) if segment.end <= first.start), None)
    if before is None or before.is_digits:
        return ""
    between = text[before.end : first.start]
    near = r"[\s.:#\-]{0,3}" if before.text in _LABELS else r"[.:#\-/_]{0,2}"
    return before.text if re.fullmatch(near, between) else ""


def _loose_keys(segments: Sequence[_Segment]) -> set[str]:
    """Without leading zeros: of each group of digits, and of all of them together."""
    groups = "|".join(s.text.lstrip("0") if s.is_digits else s.text for s in segments)
    if segments[0].is_digits or not all(segment.is_digits for segment in segments[1:]):
        return {groups}
    digits = "".join(segment.text for segment in segments[1:])
    return {groups, f"{segments[0].text}|{digits.lstrip('0')}"}


def _stripped(body: str) -> str:
    found = re.fullmatch(r"([A-Z]+)([0-9]+)", body)
    return f"{found.group(1)}|{found.group(2).lstrip('0')}" if found else body


def _misread(text: str) -> str:
    return _MISREAD.sub(lambda found: found.group().translate(_MISREAD_AS), text)


def _creditor_references(text: str) -> Iterator[tuple[int, int, str]]:
    """Valid ones: place and body. Blanks between groups of four are no part of them."""
    for found in _CREDITOR.finditer(text):
        body, end, best = "", found.end(), None
        for group in re.compile(r"\s?([A-Z0-9]+)").finditer(text, found.end()):
            if group.start() != end or len(body) + len(group.group(1)) > 21:
                break
            body, end = body + group.group(1), group.end()
            number = "".join(str(int(sign, 36)) for sign in f"{body}RF{found.group(1)}")
            if int(number) % 97 == 1:
                best = (found.start(), end, body)
        if best is not None:
            yield best


def _one_slip(one: str, other: str) -> bool:
    """One sign wrong, missing or too many, or two neighbours swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rest, others = one[start:], other[start:]
    swapped = (
        len(rest) == len(others) >= 2
        and rest[0] == others[1]
        and rest[1] == others[0]
        and rest[2:] == others[2:]
    )
    return swapped or rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]
