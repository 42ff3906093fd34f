"""Whether somebody asks again what they have just asked, in words that are nearly the same.

Letters are compared, so that endings, typing errors and languages without spaces need no rules of
their own. Whoever asks again in quite other words is not known by it: measured by `python -m
bench.follow_ups`, told in docs/follow-ups.md.
"""

import re
import unicodedata
from collections import Counter
from typing import Final

# The lowest at which at most 10 % of pairs of different questions that look alike are taken for the
# same one, on the half of them that it was chosen by.
THRESHOLD: Final = 0.81
# What is looked at of each text.
MOST_CHARS: Final = 2000
_WORD: Final = re.compile(r"\w+")
_NUMBER: Final = re.compile(r"\d+")
# From here on a sign is as much as a syllable or a word.
_SYLLABLES: Final = "\u2e80"
_LETTERS, _SIGNS = 4, 2
# "Go on", "yes" and "more" are said again and again, and ask for nothing again.
_LEAST_LETTERS: Final = 12
_LEAST_SIGNS: Final = 5
_MOST_TIMES: Final = 4


def is_restated(before: str, after: str, threshold: float = THRESHOLD) -> bool:
    """Whether `after` asks for the same as `before`. Who asks with other numbers asks for something
    else."""
    one, other = _folded(before), _folded(after)
    if not (_asks_something(one) and _asks_something(other)):
        return False
    numbers = set(_NUMBER.findall(one)), set(_NUMBER.findall(other))
    if all(numbers) and numbers[0] != numbers[1]:
        return False
    shorter, longer = sorted((len(one), len(other)))
    # Much longer texts have too many letters of their own: those need not be counted.
    return longer <= _MOST_TIMES * shorter and _alike(one, other) >= threshold


def likeness(one: str, other: str) -> float:
    """From 0 to 1: the share of short runs of letters that two texts have in common (Dice 1945)."""
    return _alike(_folded(one), _folded(other))


def _alike(one: str, other: str) -> float:
    ours, theirs = _runs(one), _runs(other)
    every = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / every if every else 0.0


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text[:MOST_CHARS]).casefold()


def _runs(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word in _WORD.findall(text):
        signs = word[0] >= _SYLLABLES
        padded, length = (word, _SIGNS) if signs else (f" {word} ", _LETTERS)
        found.update(padded[at : at + length] for at in range(max(len(padded) - length + 1, 1)))
    return found


def _asks_something(text: str) -> bool:
    letters = "".join(_WORD.findall(text))
    signs = sum(letter >= _SYLLABLES for letter in letters)
    return signs >= _LEAST_SIGNS or len(letters) >= _LEAST_LETTERS
