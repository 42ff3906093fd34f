"""Whether a question that lies near another may not have its answer: a cheap second look at what
vectors do not see. Pure, and the same whichever of the two is asked.

Vectors say what questions are about. Two that differ in one number, in a `not`, in a name or in
which of two things is better lie as near as two that mean the same. So everything here has to agree
that counts: each number and unit, negation, names, every word that is no small one, their order,
who is spoken of, when, and what kind of answer is wanted.

Made for English. In other languages that are written with spaces numbers, units, negation, signs
and names are seen, and more is taken to differ than does; in those without, whatever is not the
same word for word differs.
"""

from collections import Counter
from typing import Final
from unicodedata import normalize

from tidegate.text.veto_reading import Question, read
from tidegate.text.veto_wording import OPPOSITES

# A threshold holds for the veto that it was learnt with.
VERSION: Final = "1"
# Whoever asks at length asks for more than a second look can see.
MAX_CHARS: Final = 1000


def veto(asked: str, kept: str) -> str | None:
    """Why the answer to `kept` is none to `asked`, in one word; None: nothing speaks against it."""
    if asked == kept:
        return None
    if _is_long(asked) or _is_long(kept):
        return "length"
    one, other = read(asked), read(kept)
    return _figures(one, other) or _words(one, other) or _asked_for(one, other)


def _is_long(text: str) -> bool:
    """As it is read: some single characters are written out as a sentence."""
    return len(text) > MAX_CHARS or len(normalize("NFKC", text)) > MAX_CHARS


def _figures(one: Question, other: Question) -> str | None:
    if one.numbers != other.numbers:
        return "numbers"
    if one.units != other.units:
        return "units"
    return "signs" if one.signs != other.signs else None


def _words(one: Question, other: Question) -> str | None:
    if one.negations != other.negations:
        return "negation"
    ours, theirs = one.every - other.every, other.every - one.every
    for word in ours:
        if not theirs.isdisjoint(OPPOSITES.get(word, ())):
            return "opposites"
    if one.words == other.words:
        return None
    mine, its = Counter(one.words), Counter(other.words)
    if mine == its:
        return "order"
    differing = (mine - its).keys() | (its - mine).keys()
    return "words" if differing.isdisjoint(one.names | other.names) else "names"


def _asked_for(one: Question, other: Question) -> str | None:
    if one.asked != other.asked:
        return "question"
    if one.tense != other.tense:
        return "tense"
    if one.person == other.person:
        return None
    # How I do it and how you do it is how it is done; not so how I do yours.
    is_general = one.asked[0] == "how" and not (all(one.person[:2]) or all(other.person[:2]))
    return None if is_general else "person"
