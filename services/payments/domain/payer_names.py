"""Names as banks print them against names as invoices have them."""

import re
import unicodedata
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache

from rapidfuzz import fuzz, process, utils

SAME_NAME_SCORE = 94.0
"""Of 100: a letter or two in a whole name. Below it, different companies are that much alike."""
ALIKE_SCORE = 86.0
CUT_NAME_CHARACTERS = 18
"""Banks cut names (at 27, 35 or 70 characters). A beginning this long is as good as the name."""
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
    """Customers by name, searched for payers."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._plain = {customer_id: " ".join(words_of(name)) for customer_id, name in names.items()}
        self._found: dict[str, dict[str, Likeness]] = {}

    def like(self, payer: str) -> Mapping[str, Likeness]:
        """Customers that the payer may be. SAME is left only where one customer alone bears that name."""
        key = " ".join(words_of(payer))
        if key not in self._found:
            self._found[key] = self._search(payer, key) if key else {}
        return self._found[key]

    def _search(self, payer: str, key: str) -> dict[str, Likeness]:
        close = process.extract(key, self._plain, scorer=fuzz.token_set_ratio, score_cutoff=70.0, limit=None)
        rated = {customer_id: likeness(payer, self._names[customer_id]) for _, _, customer_id in close}
        first = key.split()[0][:2]
        for customer_id, plain in self._plain.items():
            if customer_id not in rated and plain.startswith(first):
                rated[customer_id] = likeness(payer, self._names[customer_id])
        return _only_certain({each: found for each, found in rated.items() if found is not Likeness.NONE})


def _only_certain(rated: dict[str, Likeness]) -> dict[str, Likeness]:
    if sum(found is Likeness.SAME for found in rated.values()) <= 1:
        return rated
    return dict.fromkeys(rated, Likeness.ALIKE)
