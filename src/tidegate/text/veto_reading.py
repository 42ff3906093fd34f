"""A question as a veto looks at it: its numbers, its words that count, and what it asks for."""

import re
import unicodedata
from decimal import Decimal
from typing import Final, NamedTuple

from tidegate.text.veto_wording import (
    FIRST_PERSON,
    FUTURE,
    MODALS,
    NEGATED,
    NEGATED_PLAINLY,
    NEGATIONS,
    ONES,
    ORDINALS,
    PAST,
    SAME,
    SCALES,
    SECOND_PERSON,
    SMALL,
    SUFFIXES,
    TENS,
    UNITS,
)

_TOKEN: Final = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)*)(?P<suffix>[^\W\d_]*)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*(?:[+#]+(?!\w))?)"
    r"|(?P<sign>[^\w\s])"
)
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+")
_APOSTROPHES: Final = str.maketrans("\u2018\u2019\u02bc\uff07`", "'''''")
# What is written between words and says nothing.
_PUNCTUATION: Final = frozenset(".,;:!?'\"()[]{}_\u2013\u2014\u2026\u201c\u201d\u00ab\u00bb-/&\\*")
# Between numbers these are sums.
_SUMS: Final = frozenset("-/*\u2212")
_ORDINAL_ENDS: Final = frozenset(("st", "nd", "rd", "th"))
_KINDS: Final = {
    "what": "what",
    "which": "what",
    "who": "who",
    "whom": "who",
    "whose": "who",
    "when": "when",
    "where": "where",
    "why": "why",
    "how": "how",
}
# What begins a question that is answered by yes or no, and which of these are alike.
_WHETHER: Final = {
    **dict.fromkeys(("is", "are", "am", "was", "were"), "is"),
    **dict.fromkeys(("do", "does", "did"), "does"),
    **dict.fromkeys(("has", "have", "had"), "has"),
    **MODALS,
}
# Ways to ask how, and why, that say `what`.
_HOW: Final = re.compile(
    r"\bwhat (?:is|are|would be) (?:the |a |an |some )?(?:of )?(?:the )?"
    r"(?:best |good |better )?(?:possible )?(?:ways?|methods?|procedure|process|steps?) (?:to|of|for)\b"
    r"|\bwhat (?:should|can|could|do|must|would) (?:i|you|we|one|someone|a person) do to\b"
)
_WHY: Final = re.compile(
    r"\bwhat (?:is|are|was|were|'s) the (?:main )?reasons? (?:for|of|that|why|behind)\b"
)


class Question(NamedTuple):
    """`numbers`, `units`, `signs` and `words` in their order; `words` are those that count, by
    their stems. `names` are those of them that are written as names. `others` are the question
    words after the first, which makes the `kind`."""

    numbers: tuple[str, ...]
    units: tuple[str, ...]
    signs: tuple[str, ...]
    words: tuple[str, ...]
    names: frozenset[str]
    plain: frozenset[str]
    is_negative: bool
    kind: str
    others: frozenset[str]
    modal: str
    person: str
    is_past: bool
    is_future: bool


def read(text: str) -> Question:
    """Linear in the length of the text, and pure."""
    folded = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    reader = _Reader(folded)
    return reader.question()


class _Reader:
    """One text on the way to a Question."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._numbers: list[str] = []
        self._units: list[str] = []
        self._signs: list[str] = []
        self._plain: list[str] = []  # every word, in small letters
        self._shouted: set[str] = set()
        self._named: set[str] = set()
        self._held: Decimal | None = None  # a number in words that may go on
        self._after_number = False
        self._sums: list[str] = []
        self._read()

    def _read(self) -> None:
        begins = True
        shouts = self._text.upper() == self._text
        for token in _TOKEN.finditer(self._text):
            number, word, sign = token["number"], token["word"], token["sign"]
            if number:
                self._number(number, token["suffix"].casefold())
            elif word:
                self._word(word, begins=begins, shouts=shouts)
            else:
                self._sign(sign)
            begins = sign is not None and (sign in ".!?:" or (begins and sign in _PUNCTUATION))
        self._settle()

    def _number(self, digits: str, suffix: str) -> None:
        self._settle()
        if self._after_number:
            self._signs += self._sums
        self._sums = []
        if _THOUSANDS.fullmatch(digits):
            digits = digits.replace(",", "")
        if suffix in SUFFIXES and digits.count(".") < 2 and "," not in digits:
            digits = _written(Decimal(digits) * SUFFIXES[suffix])
        elif suffix and suffix not in _ORDINAL_ENDS:
            self._units.append(UNITS.get(suffix, suffix))
        self._numbers.append("".join(str(unicodedata.decimal(c, c)) for c in digits))
        self._after_number = True

    def _word(self, word: str, *, begins: bool, shouts: bool) -> None:
        low = word.casefold()
        self._sums = []
        if self._counts(low):
            return
        self._settle()
        self._after_number = False
        unit = UNITS.get(low)
        if unit is not None:
            self._units.append(unit)
        self._plain.append(low)
        if not shouts and word != "I" and word[0].isupper():
            if len(word) > 1 and word.isupper():
                self._shouted.add(low)
            if not begins:
                self._named.add(low)

    def _counts(self, low: str) -> bool:
        """Whether the word is part of a number."""
        if low in SCALES and self._scale(SCALES[low]):
            return True
        value = ONES.get(low, TENS.get(low))
        if value is not None:
            goes_on = self._held is not None and low in ONES and self._held % 100 >= 20
            if goes_on and self._held is not None and self._held % 10 == 0:
                self._held += value
            else:
                self._settle()
                self._held = Decimal(value)
            return True
        if low in ORDINALS:
            self._settle()
            self._numbers.append(str(ORDINALS[low]))
            return True
        return False

    def _scale(self, scale: int) -> bool:
        if self._held is not None:
            self._held *= scale
            return True
        if self._after_number and self._numbers:
            digits = self._numbers[-1]
            if digits.isascii() and digits.count(".") < 2 and "," not in digits:
                self._numbers[-1] = _written(Decimal(digits) * scale)
                return True
        return False

    def _settle(self) -> None:
        if self._held is not None:
            self._numbers.append(_written(self._held))
            self._held = None
            self._after_number = True

    def _sign(self, sign: str) -> None:
        if sign in UNITS:
            self._units.append(UNITS[sign])
        elif sign in _SUMS:
            self._sums.append(sign)
        elif sign not in _PUNCTUATION:
            self._signs.append(sign)

    def question(self) -> Question:
        plain = self._plain
        spoken = " ".join(plain)
        kind, others, modal = _asked(plain, spoken)
        words = tuple(
            stem(SAME.get(it, it))
            for it in map(_base, plain)
            if it and (it in self._shouted or it not in SMALL)
        )
        every = frozenset(part for it in plain for part in it.split("'"))
        names = self._named | self._shouted
        return Question(
            tuple(self._numbers),
            tuple(self._units),
            tuple(self._signs),
            words,
            frozenset(stem(SAME.get(it, it)) for it in map(_base, names)),
            every,
            any(map(_is_negative, plain)),
            kind,
            others,
            modal,
            _person(every),
            not every.isdisjoint(PAST),
            not every.isdisjoint(FUTURE),
        )


def _written(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _base(word: str) -> str:
    """Without what an apostrophe ties to it."""
    before, apostrophe, after = word.partition("'")
    if not apostrophe:
        return "" if word in NEGATED_PLAINLY else word
    if after == "t" and before in NEGATED:
        return ""
    return before if len(after) <= 2 or len(before) > 2 else after


def _is_negative(word: str) -> bool:
    if word in NEGATIONS or word in NEGATED_PLAINLY:
        return True
    before, apostrophe, after = word.partition("'")
    return bool(apostrophe) and after == "t" and before in NEGATED


def _asked(plain: list[str], spoken: str) -> tuple[str, frozenset[str], str]:
    """What kind of answer is wanted, which more are, and how it may be."""
    kinds = [_KINDS[it] for it in (word.partition("'")[0] for word in plain) if it in _KINDS]
    modal = next((MODALS[it] for it in plain if it in MODALS), "")
    if _HOW.search(spoken):
        return "how", frozenset(kinds) - {"what", "how"}, ""
    if _WHY.search(spoken):
        return "why", frozenset(kinds) - {"what", "why"}, modal
    if plain and plain[0].partition("'")[0] in _WHETHER:
        first = plain[0].partition("'")[0]
        return "whether", frozenset(kinds) - {"what"}, _WHETHER[first]
    if not kinds:
        return "tell", frozenset(), modal
    return kinds[0], frozenset(kinds[1:]) - {"what"}, "" if kinds[0] == "how" else modal


def _person(every: frozenset[str]) -> str:
    first = not every.isdisjoint(FIRST_PERSON)
    second = not every.isdisjoint(SECOND_PERSON)
    return "both" if first and second else "first" if first else "second" if second else ""


def stem(word: str) -> str:
    """Without the endings of English that leave a word's meaning as it is. Of other languages an
    ending may be lost too, which makes two words alike that differ in it alone."""
    if not word.isascii() or len(word) < 4:
        return word
    for ending, least, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word[: -len(ending)] + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


_ENDINGS: Final = (
    ("sses", 1, "ss"),
    ("ies", 2, "y"),
    ("ied", 2, "y"),
    ("ss", 1, "ss"),
    ("us", 1, "us"),
    ("is", 1, "is"),
    ("s", 3, ""),
    ("ing", 3, ""),
    ("ed", 3, ""),
)
