"""Judged traffic as what a threshold is learnt of: pairs that calibrated judges have compared."""

from typing import Final, NamedTuple

import click

from tidegate.cli._client import Control
from tidegate.control.shapes_pairs import PairsPage
from tidegate.core.words import quoted
from tidegate.stats.precision import Scored

_HOW: Final = (
    "`quality.hits` with `anchors` has kept answers judged by a calibrated judge, in mode `shadow` "
    "too; see docs/online-quality.md"
)


class JudgedPairs(NamedTuple):
    """`pairs` are a plain sample of what the tier found near, given or not, and passed by the veto:
    by them a precision is known, and no recall. `said` tells what was left out."""

    pairs: list[Scored]
    said: str


def judged_pairs(asked: Control, route: str, since_s: float, compared_by: str) -> JudgedPairs:
    """Of a route, for questions of so many seconds back, by what compares them now
    (`core.judged_hit.compared_by`). ClickException where there are none, with what to do."""
    every = asked.get("/api/cache/pairs", PairsPage, route=route, since_s=since_s).pairs
    ours = [it for it in every if it.compared_by == compared_by]
    taken = [it for it in ours if it.veto is None]
    pairs = [Scored(it.score, it.is_same) for it in taken if it.decides]
    if not pairs:
        raise click.ClickException(_none(route, len(every), len(ours), len(taken)))
    vetoed = [it for it in ours if it.veto is not None and it.decides]
    same = sum(it.is_same for it in vetoed)
    parts = [f"of {len(vetoed)} judged ones that the veto holds back {same} are the same"]
    if len(ours) < len(every):
        parts.append(f"{len(every) - len(ours)} were compared by another encoder or veto")
    if len(pairs) < len(taken):
        parts.append(f"{len(taken) - len(pairs)} by a judge that was not calibrated")
    return JudgedPairs(pairs, "; ".join(parts))


def _none(route: str, every: int, ours: int, taken: int) -> str:
    if taken:
        why = f"the judge of its {taken} was not calibrated, so that they only inform"
    elif ours:
        why = f"the veto holds back all {ours} of them"
    elif every:
        why = f"its {every} were compared by another encoder or veto than its tier has now"
    else:
        why = "nobody has judged any"
    return f"no judged pairs of the route {quoted(route)} count: {why}. {_HOW}"
