"""The weights of `injection_model.tsv`, which `make injection-weights` learns."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final

from tidegate.guardrails._injection_reading import features

_FILE: Final = "injection_model.tsv"
# Weights are written as whole numbers of hundredths.
SCALE: Final = 100


class Weights:
    """What speaks for one thing and against it; `bias` is added to every sum. From 0.5 on, by its
    learning, it is that."""

    def __init__(self, values: Mapping[str, float], bias: float) -> None:
        self._get = values.get
        self._bias = bias

    def score(self, words: Sequence[str]) -> float:
        """From 0 to 1. The sum of what is in them over the root of how much that is, so that a
        long sentence counts as a short one does."""
        found = features(words)
        none = (0.0,) * len(found)
        margin = self._bias + sum(map(self._get, found, none)) / math.sqrt(len(found))
        return 1 / (1 + math.exp(-max(min(margin, 30.0), -30.0)))


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
