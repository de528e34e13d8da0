"""Names as banks print them against names as invoices have them."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache

from rapidfuzz import fuzz, utils

SAME_NAME_SCORE = 94.0
"""Of 100: a letter or two in a whole name. Below it, different companies are that much alike."""
ALIKE_SCORE = 86.0
CUT_NAME_CHARACTERS = 18
"""Banks cut names (at 27, 35 or 70 characters). A beginning this long is as good as the name."""
BEGINNING_CHARACTERS = 3
MOST_ALIKE = 500
"""A word of more customers than this tells little about who pays."""
_SHORTEST_NAME_CHARACTERS = 3
_SHORTEST_CERTAIN_CHARACTERS = 6
_LEGAL_FORM_WORDS = (
    "ab ag aps as asa bhd bv bvba cie co corp corporation company cv doo ek ev eg eood eurl gbr gcv gesmbh gmbh"
    " haftungsbeschraenkt inc incorporated kg kft kgaa llc llp limited ltd ltda lp mbh na nv nyrt ohg ood oy oyj"
    " plc pte pty pvt sa sab sarl sas sasu sca sci scs sdn se sl slu snc spa spj spzoo srl sro stiftung ug vof zoo"
    " zrt the und and et y e i l"
)
_LEGAL_FORMS = frozenset(_LEGAL_FORM_WORDS.split())
_DOTTED = re.compile(r"\b(?:[a-z]\s?\.\s?){2,}(?=\W|$|[a-z]\b)")
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "đ": "d", "å": "a"}
)


class Likeness(IntEnum):
    """How much a payer's name says about who it is."""

    NONE = 0
    ALIKE = 1
    """Words in common: a branch, a parent company, an abbreviation; or just a similar name."""
    SAME = 2


@lru_cache(maxsize=65_536)
def words_of(name: str) -> tuple[str, ...]:
    """The words that tell a name from others, in order: no legal forms, signs or accents.

    Umlauts are written out (Müller is mueller). A name that has only legal forms keeps them.
    """
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LETTERS)
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))
    plain = _DOTTED.sub(lambda found: re.sub(r"[\s.]", "", found.group()) + " ", plain)  # s.p.a. -> spa
    words = utils.default_process(plain).split()
    telling = tuple(word for word in words if word not in _LEGAL_FORMS)
    return telling or tuple(words)


def likeness(payer: str, customer: str) -> Likeness:
    """How alike two names are, their legal forms left out."""
    ours, theirs = words_of(customer), words_of(payer)
    if not ours or not theirs:
        return Likeness.NONE
    mine, other = " ".join(ours), " ".join(theirs)
    if sorted(ours) == sorted(theirs) and len(mine) >= _SHORTEST_NAME_CHARACTERS:
        return Likeness.SAME
    if min(len(mine), len(other)) >= _SHORTEST_CERTAIN_CHARACTERS:
        cut = len(other) >= CUT_NAME_CHARACTERS and mine.startswith(other)
        if cut or fuzz.token_sort_ratio(mine, other) >= SAME_NAME_SCORE:
            return Likeness.SAME
    if fuzz.token_set_ratio(mine, other) >= ALIKE_SCORE or _abbreviates(theirs, ours):
        return Likeness.ALIKE
    return Likeness.NONE


def _abbreviates(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether each word begins the word at its place: "nordw log" for "nordwind logistik"."""
    if len(short) > len(long) or len(short) < 2 or sum(map(len, short)) < _SHORTEST_CERTAIN_CHARACTERS:
        return False
    return all(long[index].startswith(word) for index, word in enumerate(short))


class NameIndex:
    """Customers by name, searched for payers: only those that have a word's beginning in common are compared."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._found: dict[str, Mapping[str, Likeness]] = {}
        self._by_beginning: dict[str, list[str]] = defaultdict(list)
        for customer_id, name in names.items():
            for beginning in {word[:BEGINNING_CHARACTERS] for word in words_of(name)}:
                self._by_beginning[beginning].append(customer_id)

    def like(self, payer: str) -> Mapping[str, Likeness]:
        """Customers that the payer may be. SAME is left only where one customer alone bears that name."""
        key = " ".join(words_of(payer))
        if key not in self._found:
            rated = {each: likeness(payer, self._names[each]) for each in self._candidates(key)}
            alike = {each: found for each, found in rated.items() if found is not Likeness.NONE}
            self._found[key] = _only_certain(alike)
        return self._found[key]

    def _candidates(self, key: str) -> set[str]:
        """Words that half the world has (trade, services) count only if a name has no others."""
        groups = [self._by_beginning.get(word[:BEGINNING_CHARACTERS], []) for word in key.split()]
        groups = sorted((group for group in groups if group), key=len)
        telling = [group for group in groups if len(group) <= MOST_ALIKE] or groups[:1]
        return {customer_id for group in telling for customer_id in group}


def _only_certain(rated: Mapping[str, Likeness]) -> Mapping[str, Likeness]:
    if sum(found is Likeness.SAME for found in rated.values()) <= 1:
        return rated
    return dict.fromkeys(rated, Likeness.ALIKE)
