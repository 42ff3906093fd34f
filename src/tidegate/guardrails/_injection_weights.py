"""The weights of `injection_model.tsv`, which `make injections` learns."""

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise, repeat
from typing import Final

from tidegate.guardrails._injection_reading import (
    LEAST_WORDS,
    MOST_WORDS,
    Words,
    count_of,
    ends_of,
)

_FILE: Final = "injection_model.tsv"
# Weights are written as whole numbers of hundredths.
SCALE: Final = 100
_LOWEST: Final = -30.0
_NONE: Final = repeat(0.0)


class Weights:
    """What speaks for one thing and against it, by `_injection_reading.features`; `bias` is added
    to every sum. From 0.5 on, by its learning, it is that."""

    def __init__(self, values: Mapping[str, float], bias: float) -> None:
        self._get = values.get
        self._bias = bias

    def of_sentences(self, every: Iterable[Words]) -> float:
        """The highest score of any, from 0 to 1."""
        read = (it for it in every if len(it) >= LEAST_WORDS)
        return _share(max((self._margin(it, self._within(it)) for it in read), default=_LOWEST))

    def of_pairs(self, every: Iterable[Words]) -> float:
        """The same, where two that follow each other may also be one."""
        most, before, of_before = _LOWEST, Words(), 0.0
        for one in every:
            within = self._within(one)
            if len(one) >= LEAST_WORDS:
                most = max(most, self._margin(one, within))
            if before and len(before) + len(one) <= MOST_WORDS:
                between = self._get(f"{before[-1]} {one[0]}", 0.0)
                most = max(most, self._margin(before + one, of_before + between + within))
            before, of_before = one, within
        return _share(most)

    def _within(self, words: Words) -> float:
        """Of its words, and of each two that stand together."""
        pairs = map(" ".join, pairwise(words))
        return sum(map(self._get, words, _NONE)) + sum(map(self._get, pairs, _NONE))

    def _margin(self, words: Words, within: float) -> float:
        """The sum over the root of how much there is, so that a long one counts as a short one."""
        ends = sum(map(self._get, ends_of(words), _NONE))
        return self._bias + (within + ends) / math.sqrt(count_of(words))


def _share(margin: float) -> float:
    return 1 / (1 + math.exp(-max(min(margin, -_LOWEST), _LOWEST)))


@lru_cache(maxsize=1)
def learnt() -> tuple[Weights, Weights]:
    """Of what users ask, and of what is brought along. The first line has the biases."""
    lines = files(__package__).joinpath(_FILE).read_text("utf-8").splitlines()
    rows = [(name, int(one) / SCALE, int(two) / SCALE) for name, one, two in map(_split, lines)]
    (_, of_asked, of_brought), *features_ = rows
    asked = {name: value for name, value, _ in features_ if value}
    brought = {name: value for name, _, value in features_ if value}
    return Weights(asked, of_asked), Weights(brought, of_brought)


def _split(line: str) -> list[str]:
    return line.split("\t")
