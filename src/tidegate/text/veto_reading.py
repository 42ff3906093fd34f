"""A question as a veto looks at it: its figures, its words that count, and what it asks for."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from tidegate.text.veto_figures import Figures
from tidegate.text.veto_wording import (
    BESIDE,
    CITING,
    FIRST_PERSON,
    FUTURE,
    GENERAL,
    GREETINGS,
    KINDS,
    MODALS,
    NEGATIONS,
    PAST,
    PHRASES,
    SAME,
    SECOND_PERSON,
    SMALL,
    TIED,
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
_PERSONS: Final = FIRST_PERSON | SECOND_PERSON
_PHRASES: Final = tuple((sign, re.compile(pattern), said) for sign, pattern, said in PHRASES)


class Question(NamedTuple):
    """`numbers`, `units` and `signs` as they come. `words` are the stems of those that count, in
    the order of what is said of what; `names` those of them that are written as names; `every` is
    each word as it is. `negations` are the stems that are said not to be, in the order of the
    alphabet. What is `asked`: the kind of answer, which more are, how sure it has to be. `person`:
    whether the speaker is in it, who is spoken to, and whether he comes first."""

    numbers: list[str]
    units: list[str]
    signs: list[str]
    words: list[str]
    names: frozenset[str]
    every: frozenset[str]
    negations: list[str]
    asked: tuple[str, frozenset[str], str]
    person: tuple[bool, bool, bool]
    tense: tuple[bool, bool]


def read(text: str) -> Question:
    """Linear in the length of the text, and pure."""
    figures = Figures(text)
    spoken = " ".join(figures.words)
    for sign, pattern, said in _PHRASES:
        if sign in spoken:
            spoken = pattern.sub(said, spoken)
    words = spoken.split()
    if words and words[0] in GREETINGS:
        del words[0]
    parts = spoken.replace("'", " ").split()
    every = frozenset(parts)
    cites = figures.cites or not CITING.isdisjoint(every)
    return Question(
        figures.numbers,
        figures.units,
        figures.signs,
        [_stem(it) for it in words] if cites else _counting(words, figures.shouted),
        frozenset(_stem(word) for word in figures.named | figures.shouted),
        every,
        [] if NEGATIONS.isdisjoint(words) else _negated(words),
        _asked(words),
        _person(parts, every),
        (not every.isdisjoint(PAST), not every.isdisjoint(FUTURE)),
    )


def _counting(words: list[str], shouted: set[str]) -> list[str]:
    """Stems of the words that are not small, `the X of Y` as `Y's X`, and what stands on both sides
    of an `and` in the order of the alphabet."""
    told: list[str] = []
    moved: list[str] = []  # what an `of` stood behind
    beside = False
    for word in words:
        if word not in shouted and (word in SMALL or _bare(word) in SMALL):
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


def _negated(words: list[str]) -> list[str]:
    """What each `not` stands before: the next word that is no small one."""
    found, behind = [], ""
    for word in reversed(words):
        if word in NEGATIONS:
            found.append(behind)
        elif word not in SMALL and _bare(word) not in SMALL:
            behind = _stem(word)
    return sorted(found)


def _person(parts: list[str], every: frozenset[str]) -> tuple[bool, bool, bool]:
    first, second = not every.isdisjoint(FIRST_PERSON), not every.isdisjoint(SECOND_PERSON)
    if not (first and second):
        return first, second, False
    return first, second, next(it in SECOND_PERSON for it in parts if it in _PERSONS)


def _bare(word: str) -> str:
    """Without what an apostrophe ties to it: `Anna's`, `they'll`; of `l'eau` what is behind."""
    before, _, behind = word.partition("'")
    if not behind or behind in TIED:
        return before
    return behind if len(before) == 1 and len(behind) > 2 else word


@lru_cache(maxsize=8192)  # of words: a few are said again and again
def _stem(word: str) -> str:
    """Of what is left of it; of what says no, nothing is."""
    if word in NEGATIONS:
        return ""
    found = stem(_bare(word))
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
