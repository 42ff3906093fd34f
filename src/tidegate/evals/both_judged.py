"""Anchors that people and a judge have both judged: by kind, and by what may move the judge."""

import re
from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import Final, NamedTuple

from msgspec import Struct

from tidegate.evals.anchors import Anchor, Label
from tidegate.stats.agreement import Estimate, bootstrapped, kappa
from tidegate.stats.judge_bias import Judged

# Labels as shares of a pass, or of a win for the first.
PLACES: Final[Mapping[Label, float]] = {
    "second": 0.0,
    "tie": 0.5,
    "first": 1.0,
    False: 0.0,
    True: 1.0,
}
# Items of lists, headings, rows of tables, fences, and what is bold.
_MARKDOWN: Final = re.compile(r"(?m)^[ \t]*(?:[-*+] |\d{1,3}[.)] |#{1,6} |\||```)|\*\*\S")


class Both(NamedTuple):
    """One anchor, what most people say of it, and what the judge says."""

    anchor: Anchor
    people: Label
    judge: Label


class Stratum(Struct, frozen=True):
    """One kind of anchors, such as `topic=refunds`: the share of verdicts that are people's, and
    kappa."""

    name: str
    anchors: int
    agreed: float
    kappa: Estimate


def by_stratum(known: Sequence[Both], seed: int) -> tuple[Stratum, ...]:
    """Of every stratum that the anchors name."""
    kinds: dict[str, list[tuple[Label, Label]]] = {}
    for it in known:
        for name, value in it.anchor.strata.items():
            kinds.setdefault(f"{name}={value}", []).append((it.people, it.judge))
    return tuple(
        Stratum(
            name,
            len(both),
            sum(people == label for people, label in both) / len(both),
            bootstrapped(kappa, both, seed),
        )
        for name, both in sorted(kinds.items())
    )


def moved(known: Sequence[Both], amount: Callable[[str], float]) -> list[Judged]:
    """Each pair of verdicts with what the answer has more of than the one it is held against, as a
    log ratio; none of a tie."""
    found = []
    for it in known:
        if "tie" in (it.people, it.judge):
            continue
        more = log(amount(it.anchor.answer) + 1)
        if it.anchor.against is not None:
            more -= log(amount(it.anchor.against) + 1)
        found.append(Judged(it.people in (True, "first"), it.judge in (True, "first"), more))
    return found


def chars(answer: str) -> float:
    return len(answer)


def marks(answer: str) -> float:
    """How much of Markdown is in it."""
    return len(_MARKDOWN.findall(answer))
