"""Learns `guardrails/injection_model.tsv`: `make injections`. The same texts give the same
weights each time: sums are taken one after the other, and what is drawn is drawn by a seed.

Logistic regression by AdaGrad, twice: requests that attack against ordinary ones, and sentences
that are said to a model against those of documents. Of an injection nobody says which sentence it
is: the whole is learnt first, then the part that scores highest. What a score of 0.5 is, is taken
from the learnt half alone: ordinary texts are scored by weights that have not seen them (three
folds), and so few may pass as `_MOST_WRONG` says, each set of them counting alike.
"""

import math
import random
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

from bench.injection_texts import LEARNT, documents, injections, instructions, planted, requests
from tidegate.guardrails._injection_reading import LEAST_WORDS, MOST_WORDS, features, sentences
from tidegate.guardrails._injection_weights import SCALE

TO: Final = Path("src/tidegate/guardrails/injection_model.tsv")
SEEDS: Final = Path(__file__).with_name("injection_seeds.txt")
_EITHER: Final = re.compile(r"\{([^{}]*)\}")
_VARIANTS: Final = 24
_LEAST_TEXTS: Final = 2
_EPOCHS: Final = 12
_STEP: Final = 0.5
_DECAY: Final = 1e-3
_ROUNDS: Final = 2
_FOLDS: Final = 3
_MOST_PARTS: Final = 12_000
_LEAST_WEIGHT: Final = 40
# Of ordinary texts, so many may score 0.5 or more: of requests, and of documents.
_MOST_WRONG: Final = (0.005, 0.01)

Part = list[str]
Example = tuple[Part, bool, float]
Parts = Callable[[str], list[Part]]


class Learner:
    """One linear model: `weights` of features, and what is added to every sum."""

    def __init__(self, examples: Sequence[Example]) -> None:
        counts = Counter(name for part, _, _ in examples for name in set(features(part)))
        self.weights = {name: 0.0 for name, count in counts.items() if count >= _LEAST_TEXTS}
        self._squares = dict.fromkeys(self.weights, 1e-2)
        self.bias = 0.0
        self._of_bias = 1e-8
        rows = [(self._values(part), label, weight) for part, label, weight in examples]
        drawn = random.Random(1)
        for _ in range(_EPOCHS):
            drawn.shuffle(rows)
            for values, label, weight in rows:
                self._learn(values, label, weight)

    def margin(self, part: Part) -> float:
        return self.bias + sum(self.weights[name] * it for name, it in self._values(part))

    def most(self, text: str, parts: Parts) -> float:
        return max((self.margin(it) for it in parts(text)), default=-math.inf)

    def _values(self, part: Part) -> list[tuple[str, float]]:
        found = features(part)
        one = 1 / math.sqrt(len(found))
        return [(name, count * one) for name, count in Counter(found).items()
                if name in self.weights]  # fmt: skip

    def _learn(self, values: list[tuple[str, float]], label: bool, weight: float) -> None:
        weights, squares = self.weights, self._squares
        margin = self.bias + sum(weights[name] * it for name, it in values)
        wrong = (1 / (1 + math.exp(-max(min(margin, 30.0), -30.0))) - label) * weight
        if abs(wrong) < 1e-3:
            return
        self._of_bias += wrong * wrong
        self.bias -= 0.1 * wrong / math.sqrt(self._of_bias)
        for name, it in values:
            slope = wrong * it + _DECAY * weights[name]
            squares[name] += slope * slope
            weights[name] -= _STEP * slope / math.sqrt(squares[name])


def seeds() -> dict[str, list[str]]:
    """Of each section, every line in so many of its variants."""
    found: dict[str, list[str]] = {}
    section: list[str] = []
    for line in SEEDS.read_text().splitlines():
        if line.startswith("# "):
            section = found.setdefault(line[2:], [])
        elif line and not line.startswith("%"):
            section += _variants(line)
    return found


def _variants(line: str) -> list[str]:
    pieces = _EITHER.split(line)
    drawn = random.Random(line)
    made = [
        "".join(it if at % 2 == 0 else drawn.choice(it.split("|")) for at, it in enumerate(pieces))
        for _ in range(_VARIANTS)
    ]
    return list(dict.fromkeys(it.strip() for it in made))


def _whole(text: str) -> Part:
    return [word for one in sentences(text) for word in one][:MOST_WORDS]


def _first(texts: Iterable[str]) -> list[Part]:
    """The first sentence of each."""
    found = [sentences(text) for text in texts]
    return [it[0] for it in found if it and len(it[0]) >= LEAST_WORDS]


def asked_parts(text: str) -> list[Part]:
    """Each sentence, and each two."""
    every = sentences(text)
    pairs = [a + b for a, b in pairwise(every) if len(a) + len(b) <= MOST_WORDS]
    return [it for it in every if len(it) >= LEAST_WORDS] + pairs


def brought_parts(text: str) -> list[Part]:
    return [it for it in sentences(text) if len(it) >= LEAST_WORDS]


def _drawn(parts: list[Part], weight: float) -> list[Example]:
    random.Random(7).shuffle(parts)
    return [(it, False, weight) for it in parts[:_MOST_PARTS]]


def asked_learner(ordinary: Sequence[str], attacks: Sequence[str]) -> Learner:
    own = seeds()
    none = _drawn([it for text in ordinary for it in asked_parts(text)], 0.5)
    none += [
        (it, False, 1.0)
        for name in ("ordinary", "document") for text in own[name] for it in asked_parts(text)
    ]  # fmt: skip
    sure: list[Example] = [(_whole(text), True, 1.0) for text in own["direct"]]
    made = Learner([*sure, *((_whole(it), True, 1.0) for it in attacks), *none])
    for _ in range(_ROUNDS):
        best = [
            max(asked_parts(it) or [_whole(it)], key=made.margin) for it in attacks if _whole(it)
        ]
        made = Learner([*sure, *((it, True, 2.0) for it in best), *none])
    return made


def brought_learner(ordinary: Sequence[str], said: Sequence[str]) -> Learner:
    own = seeds()
    some: list[Example] = [(it, True, 1.0) for it in _first(said)]
    some += [(it, True, 2.0) for it in _first(planted(LEARNT))]
    some += [(it, True, 0.5) for it in _first(own["planted"])]
    none = _drawn([it for text in ordinary for it in brought_parts(text)], 0.5)
    none += [(it, False, 1.0) for text in own["document"] for it in brought_parts(text)]
    return Learner([*some, *none])


def learnt(
    make: Callable[[Sequence[str], Sequence[str]], Learner],
    groups: dict[str, list[str]],
    others: Sequence[str],
    parts: Parts,
    most_wrong: float,
) -> tuple[float, dict[str, float]]:
    """The bias and the weights, with a sum of nought where a score is to be 0.5."""
    ordinary = [(1 / len(texts) / len(groups), it) for texts in groups.values() for it in texts]
    margins: list[tuple[float, float]] = []
    for fold in range(_FOLDS):
        seen = [it for at, (_, it) in enumerate(ordinary) if at % _FOLDS != fold]
        made = make(seen, others)
        margins += [(made.most(it, parts), share) for share, it in ordinary[fold::_FOLDS]]
    margins.sort(reverse=True)
    wrong = list(accumulate(share for _, share in margins))
    least = margins[bisect_right(wrong, most_wrong)][0]
    made = make([it for _, it in ordinary], others)
    print(f"{len(made.weights):,} weights; 0.5 is a margin of {least:.2f}")
    return made.bias - least, made.weights


def written(*models: tuple[float, dict[str, float]]) -> str:
    biases = [str(round(bias * SCALE)) for bias, _ in models]
    lines = ["\t".join(["bias", *biases])]
    for name in sorted({name for _, weights in models for name in weights}):
        pair = [round(weights.get(name, 0.0) * SCALE) for _, weights in models]
        pair = [it if abs(it) >= _LEAST_WEIGHT else 0 for it in pair]
        if any(pair):
            lines.append("\t".join([name, *map(str, pair)]))
    return "\n".join(lines) + "\n"


def main() -> None:
    attacks, said = injections(LEARNT), instructions(LEARNT)
    asked = learnt(asked_learner, requests(LEARNT), attacks, asked_parts, _MOST_WRONG[0])
    brought = learnt(brought_learner, documents(LEARNT), said, brought_parts, _MOST_WRONG[1])
    TO.write_text(written(asked, brought))
    print(f"{TO}: {len(TO.read_text().splitlines()):,} lines, {TO.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
