"""How alike two texts are: edits between them, and runs of words that they share. Pure."""

import math
from collections import Counter
from collections.abc import Sequence

# Edits are counted in time of the product of the lengths, 64 or more at a time.
MAX_EDIT_CHARS = 50_000
_LEAST = 1e-7


class TooLong(Exception):
    """Both texts are too long for their edits to be counted."""


def edits(one: str, other: str) -> int:
    """The Levenshtein distance in characters, by Myers' bits (J. ACM 46, 1999) in Hyyro's form.

    TooLong when what differs is longer than MAX_EDIT_CHARS in both.
    """
    one, other = _differing(one, other)
    if len(one) < len(other):
        one, other = other, one
    if not other:
        return len(one)
    if len(other) > MAX_EDIT_CHARS or len(one) * len(other) > MAX_EDIT_CHARS**2:
        raise TooLong
    places: dict[str, int] = {}
    for at, char in enumerate(other):
        places[char] = places.get(char, 0) | 1 << at
    mask, last = (1 << len(other)) - 1, 1 << len(other) - 1
    plus, minus, distance = mask, 0, len(other)
    for char in one:
        match = places.get(char, 0)
        diagonal = (((match & plus) + plus) ^ plus) | match | minus
        right, left = minus | ~(diagonal | plus) & mask, plus & diagonal
        distance += bool(right & last) - bool(left & last)
        right, left = (right << 1 | 1) & mask, (left << 1) & mask
        plus, minus = left | ~(diagonal | right) & mask, right & diagonal
    return distance


def _differing(one: str, other: str) -> tuple[str, str]:
    """Both without the beginning and the end that they share."""
    shortest = min(len(one), len(other))
    start = next((i for i in range(shortest) if one[i] != other[i]), shortest)
    one, other = one[start:], other[start:]
    shortest = min(len(one), len(other))
    end = next((i for i in range(shortest) if one[-1 - i] != other[-1 - i]), shortest)
    return one[: len(one) - end], other[: len(other) - end]


def runs(words: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    """How often each run of so many words occurs."""
    return Counter(zip(*(words[i:] for i in range(length)), strict=False))


def rouge(said: Sequence[str], wanted: Sequence[str], length: int) -> tuple[float, float]:
    """ROUGE-N (Lin 2004): what part of the wanted runs is said, and of those said is wanted."""
    ours, theirs = runs(said, length), runs(wanted, length)
    shared = (ours & theirs).total()
    return _part(shared, theirs.total()), _part(shared, ours.total())


def bleu(said: Sequence[str], wanted: Sequence[Sequence[str]]) -> float:
    """BLEU-4 (Papineni et al. 2002) of one text against one or more, with a little in place of a
    precision of zero, as promptfoo has it."""
    if not said or not wanted:
        return 0.0
    total = 0.0
    for length in range(1, 5):
        ours = runs(said, length)
        most: Counter[tuple[str, ...]] = Counter()
        for reference in wanted:
            most |= runs(reference, length)
        precision = _part((ours & most).total(), ours.total())
        total += math.log(max(precision, _LEAST)) / 4
    nearest = min((abs(len(ref) - len(said)), len(ref)) for ref in wanted)[1]
    brevity = 1.0 if len(said) >= nearest else math.exp(1 - nearest / len(said))
    return brevity * math.exp(total)


def harmonic(recall: float, precision: float) -> float:
    """The F1 of both."""
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


def _part(some: int, whole: int) -> float:
    return some / whole if whole else 0.0
