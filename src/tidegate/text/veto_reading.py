"""A question as a veto looks at it: its figures, its words that count, and what it asks for."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from tidegate.text.veto_figures import Figures
from tidegate.text.veto_wording import (
    BESIDE,
    FIRST_PERSON,
    FUTURE,
    GENERAL,
    KINDS,
    MODALS,
    NEGATIONS,
    PAST,
    PHRASES,
    SAME,
    SECOND_PERSON,
    SMALL,
    WHETHER,
)

_ENDINGS: Final = (
    ("sses", 1, "ss"),
    ("ies", 2, "y"),
    ("ss", 1, "ss"),
    ("us", 1, "us"),
    ("is", 1, "is"),
    ("s", 3, ""),
    ("ing", 3, ""),
)


def stem(word: str) -> str:
    """Without the endings of English that leave a word's meaning as it is. Of other languages an
    ending may be lost too, which makes two words alike that differ in it alone."""
    if not word.isascii() or len(word) < 4:
        return word
    for ending, least, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word[: len(word) - len(ending)] + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


_SAME_STEMS: Final = {stem(word): stem(same) for word, same in SAME.items()}
_PHRASES: Final = tuple((sign, re.compile(pattern), said) for sign, pattern, said in PHRASES)


class Question(NamedTuple):
    """`numbers`, `units` and `signs` as they come. `words` are the stems of those that count, in
    the order of what is said of what; `names` those of them that are written as names; `every` is
    each word as it is. What is `asked`: the kind of answer, which more are, how sure it has to be.
    `person`: who speaks of whom."""

    numbers: list[str]
    units: list[str]
    signs: list[str]
    words: list[str]
    names: frozenset[str]
    every: frozenset[str]
    negations: int
    asked: tuple[str, frozenset[str], str]
    person: tuple[bool, bool]
    tense: tuple[bool, bool]


def read(text: str) -> Question:
    """Linear in the length of the text, and pure."""
    figures = Figures(text)
    spoken = " ".join(figures.words)
    for sign, pattern, said in _PHRASES:
        if sign in spoken:
            spoken = pattern.sub(said, spoken)
    words = spoken.split()
    every = frozenset(spoken.replace("'", " ").split())
    return Question(
        figures.numbers,
        figures.units,
        figures.signs,
        _counting(words, figures.shouted),
        frozenset(_stem(word) for word in figures.named | figures.shouted),
        every,
        0 if NEGATIONS.isdisjoint(words) else sum(word in NEGATIONS for word in words),
        _asked(words),
        (not every.isdisjoint(FIRST_PERSON), not every.isdisjoint(SECOND_PERSON)),
        (not every.isdisjoint(PAST), not every.isdisjoint(FUTURE)),
    )


def _counting(words: list[str], shouted: set[str]) -> list[str]:
    """Stems of the words that are not small, `the X of Y` as `Y's X`, and what stands on both sides
    of an `and` in the order of the alphabet."""
    told: list[str] = []
    moved: list[str] = []  # what an `of` stood behind
    beside = False
    for word in words:
        if word not in shouted and (word in SMALL or word.partition("'")[0] in SMALL):
            if word == "of" and told and not moved:
                moved.append(told.pop())
            elif moved and len(moved) > 1:
                told += [*moved[1:], moved[0]]
                moved = []
            beside = word in BESIDE
            continue
        if not (found := _stem(word)):
            continue
        if moved:
            moved.append(found)
        elif beside and told and found < told[-1]:
            told.insert(-1, found)
        else:
            told.append(found)
        beside = False
    return told + moved[1:] + moved[:1]


@lru_cache(maxsize=8192)  # of words: a few are said again and again
def _stem(word: str) -> str:
    """Of what is left without the part that an apostrophe ties to it."""
    before, apostrophe, after = word.partition("'")
    if word in NEGATIONS:
        return ""
    # `l'eau`, `d'accord`; else `Anna's`, `they'll`.
    bare = after if apostrophe and len(before) == 1 and len(after) > 2 else before
    found = stem(bare)
    return _SAME_STEMS.get(found, found)


def _asked(words: list[str]) -> tuple[str, frozenset[str], str]:
    modal = next((MODALS[it] for it in words if it in MODALS), "")
    first = words[0].partition("'")[0] if words else ""
    if first in WHETHER:
        more = frozenset(KINDS[it] for it in words if it in KINDS)
        return "whether", more - {"what"}, WHETHER[first]
    bare = [word.partition("'")[0] for word in words]
    kinds = [(place, KINDS[it]) for place, it in enumerate(bare) if it in KINDS]
    if not kinds:
        return "tell", frozenset(), modal
    place, kind = kinds[0]
    others = frozenset(it for _, it in kinds[1:]) - {"what"}
    if kind == "how":
        behind = bare[place + 1] if place + 1 < len(bare) else ""
        if behind in GENERAL:
            return "how", others, ""
        kind = f"how {WHETHER.get(behind, '')}"
    return kind, others, modal
