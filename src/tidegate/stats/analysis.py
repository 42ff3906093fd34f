"""What a rollout's blocks say so far: pure, small, and the same for the same blocks.

`take` gives the next state; `verdicts` (in `stats.verdict`) reads it. Blocks in which an arm has
hardly anything wait for the next at the same weight: which requests are compared with which depends
on how many came and never on what became of them. Those of late metrics come with enough of both.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import log
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.block import ArmBlock, Block, Moments, Tally
from tidegate.core.harm import HARM
from tidegate.core.rollout import DEFAULT_HARM, HarmMetric, Rollout
from tidegate.stats import harm_test, ratio_test
from tidegate.stats.block_fold import BODY_QUANTILE, SLOW_QUANTILE
from tidegate.stats.harm_test import LEAST_EARLIER, Share
from tidegate.stats.joined import joined
from tidegate.stats.level import Bounds, Level, advanced, harmed
from tidegate.stats.marks import BODY
from tidegate.stats.safe_test import Margin

# An arm with less than this in a block waits.
LEAST_A_BLOCK: Final = 5
LENGTH: Final = "output_tokens"
_LN_ALARM: Final = log(ratio_test.ALARM)
# One in twenty is slow by what slow means, so nothing has to be learned before a test begins.
_SLOW: Final = Share(LEAST_EARLIER, (1 - SLOW_QUANTILE) * LEAST_EARLIER)
_IN_BODY: Final = Share(LEAST_EARLIER, (1 - BODY_QUANTILE) * LEAST_EARLIER)
# A few answers are assessed in a minute, so the first of them count. Bets on another rate than the
# true one are valid too, and these observations soon weigh little.
_LATE: Final = Share(20, 2)
_NONE: Final = Moments()
_NO_TALLY: Final = Tally()


class Body(Struct, frozen=True, omit_defaults=True, gc=False):
    """Of a latency how many are in the upper body, of requests and of units, and pairs of early
    requests of one unit both of which are."""

    requests: Level = Level()
    units: Level = Level()
    bad_pairs: int = 0


class Known(Struct, frozen=True, omit_defaults=True, gc=False):
    """One metric, of requests and of units; pairs of early requests of one unit both bad."""

    requests: Level = Level()
    units: Level = Level()
    bad_pairs: int = 0
    body: Body | None = None


_NO_BODY: Final = Body()


class Totals(Struct, frozen=True, omit_defaults=True, gc=False):
    """One arm, all of it, compared or not. `first` are its first requests, as many as the hard
    limit is about and those that came with the last of them, `contracted` its answers that could
    have broken a contract, `together` the units that have spoken."""

    assigned: int = 0
    units: int = 0
    cached: int = 0
    bad: int = 0
    costed: int = 0
    cost_nanousd: int = 0
    together: int = 0
    inverse_sizes: float = 0.0
    pairs: int = 0
    early_pairs: int = 0
    first: int = 0
    first_bad: int = 0
    contracted: int = 0
    invalid: int = 0


class Pairs(Struct, frozen=True, omit_defaults=True, gc=False):
    """Of the requests that a late metric is of, those of one unit: all pairs, and early ones."""

    all: int = 0
    early: int = 0


_NO_PAIRS: Final = Pairs()


class Analysis(Struct, omit_defaults=True):
    """`metrics` in the order of the rollout's. `ratio` is ln of the likelihood ratios of the units'
    shares. `waiting` is what came and was not compared yet. `late` are the pairs of late metrics;
    what is found of requests before `since_s` counts no more."""

    metrics: dict[str, Known]
    stable: Totals = Totals()
    canary: Totals = Totals()
    ratio: tuple[float, ...] = (0.0,) * len(ratio_test.ODDS_RATIOS)
    dear_nanousd: float | None = None
    waiting: Block | None = None
    late: dict[str, Pairs] = {}
    since_s: float = 0.0


def guards(rollout: Rollout) -> tuple[HarmMetric, ...]:
    """The metrics that hold it back: its own, or the usual ones."""
    return rollout.harm or DEFAULT_HARM


def bounds_of(guard: HarmMetric, rollout: Rollout) -> Bounds:
    return _bounds(guard.name, guard.margin, rollout.safe_alpha)


@lru_cache(maxsize=1024)
def _bounds(name: str, margin: float, alpha: float) -> Bounds:
    row = HARM[name]
    if row.kind == "amount":
        return Bounds(False, Margin(log(margin), alpha))
    if row.is_late:
        return Bounds(True, Margin(margin, alpha), _LATE, 0)
    prior = _SLOW if row.kind == "latency" else Share(0, 0)
    return Bounds(True, Margin(margin, alpha), prior)


def kept(rollout: Rollout) -> tuple[HarmMetric, ...]:
    """What is compared: its guards, and the answers' length, whose shift is told in any case."""
    found = guards(rollout)
    if any(guard.name == LENGTH for guard in found):
        return found
    return (*found, HarmMetric(LENGTH, HARM[LENGTH].margin))


def begin(rollout: Rollout, since_s: float = 0.0) -> Analysis:
    return Analysis({metric.name: Known() for metric in kept(rollout)}, since_s=since_s)


def take(analysis: Analysis, rollout: Rollout, block: Block) -> Analysis:
    """With one block more. Blocks come once each and in order.

    While the weight moved, or nobody knows it, nothing is compared: what changes for everybody at
    that moment would be a difference between the arms.
    """
    if block.late:
        return _with_late(analysis, rollout, block)
    waiting = analysis.waiting
    taken = Analysis(
        analysis.metrics,
        _added(analysis.stable, block.stable, rollout),
        _added(analysis.canary, block.canary, rollout),
        _ratio(analysis, block),
        analysis.dear_nanousd if block.dear_nanousd is None else block.dear_nanousd,
        late=analysis.late,
        since_s=analysis.since_s,
    )
    if block.weight is None:
        taken.waiting = waiting
        return taken
    if waiting is not None:
        if waiting.weight != block.weight:
            taken.metrics = _compared(taken.metrics, rollout, waiting)
        else:
            block = joined(waiting, block)
    if min(block.stable.assigned, block.canary.assigned) < LEAST_A_BLOCK:
        taken.waiting = block
    else:
        taken.metrics = _compared(taken.metrics, rollout, block)
    return taken


def _with_late(analysis: Analysis, rollout: Rollout, block: Block) -> Analysis:
    """With what was found of requests that were compared, or not, by all that was known at once."""
    name = block.late
    known = analysis.metrics.get(name)
    if known is None or block.weight is None or block.began_s < analysis.since_s:
        return analysis
    guard = next(it for it in guards(rollout) if it.name == name)
    bounds = bounds_of(guard, rollout)
    stable, canary = block.stable, block.canary
    of_units = stable.by_unit.get(name, _NONE), canary.by_unit.get(name, _NONE)
    found = Known(
        advanced(known.requests, _requests(stable, name), _requests(canary, name), bounds),
        advanced(known.units, *of_units, bounds),
        known.bad_pairs + stable.bad_pairs.get(name, 0) + canary.bad_pairs.get(name, 0),
    )
    before = analysis.late.get(name, _NO_PAIRS)
    pairs = Pairs(
        before.all + stable.pairs + canary.pairs,
        before.early + stable.early_pairs + canary.early_pairs,
    )
    return replace(
        analysis, metrics={**analysis.metrics, name: found}, late={**analysis.late, name: pairs}
    )


def ratio_broken(analysis: Analysis) -> bool:
    """Whether others reach the canary than its weight says: the comparison is void."""
    if max(analysis.ratio) < _LN_ALARM:  # nor is their mean
        return False
    return harm_test.ln_mean(analysis.ratio) >= _LN_ALARM


def _ratio(analysis: Analysis, block: Block) -> tuple[float, ...]:
    if block.weight is None:
        return analysis.ratio
    units = block.stable.fresh + block.canary.fresh
    grown = ratio_test.grown(analysis.ratio, block.weight, units, block.canary.fresh)
    return tuple(grown)


def _added(totals: Totals, block: ArmBlock, rollout: Rollout) -> Totals:
    first, first_bad = totals.first, totals.first_bad
    if first < rollout.hard.bad_of_first[1]:
        first, first_bad = first + block.assigned, first_bad + block.bad
    contract = block.tallies.get("invalid", _NO_TALLY)
    return Totals(
        totals.assigned + block.assigned,
        totals.units + block.units,
        totals.cached + block.cached,
        totals.bad + block.bad,
        totals.costed + block.costed,
        totals.cost_nanousd + block.cost_nanousd,
        totals.together + _units_of(block),
        totals.inverse_sizes + block.inverse_sizes,
        totals.pairs + block.pairs,
        totals.early_pairs + block.early_pairs,
        first,
        first_bad,
        totals.contracted + contract.judged,
        totals.invalid + contract.bad,
    )


def _units_of(block: ArmBlock) -> int:
    return max((moments.count for moments in block.by_unit.values()), default=0)


def _compared(metrics: Mapping[str, Known], rollout: Rollout, block: Block) -> dict[str, Known]:
    found = {}
    stable, canary = block.stable, block.canary
    of_stable, of_canary = stable.by_unit, canary.by_unit
    pairs = stable.bad_pairs or canary.bad_pairs
    for guard in kept(rollout):
        name = guard.name
        known = metrics[name]
        if HARM[name].is_late:
            found[name] = known
            continue
        bounds = bounds_of(guard, rollout)
        units, bad_pairs = known.units, known.bad_pairs
        if name in of_stable or name in of_canary:
            both = of_stable.get(name, _NONE), of_canary.get(name, _NONE)
            units = advanced(units, *both, bounds)
        if pairs:
            bad_pairs += stable.bad_pairs.get(name, 0) + canary.bad_pairs.get(name, 0)
        requests = advanced(
            known.requests, _requests(stable, name), _requests(canary, name), bounds
        )
        body = _body(known.body or _NO_BODY, block, BODY[name]) if name in BODY else None
        found[name] = Known(requests, units, bad_pairs, body)
    return found


def _body(body: Body, block: Block, name: str) -> Body:
    stable, canary = block.stable, block.canary
    of_units = stable.by_unit.get(name, _NONE), canary.by_unit.get(name, _NONE)
    return Body(
        harmed(body.requests, _requests(stable, name), _requests(canary, name), _IN_BODY),
        harmed(body.units, *of_units, _IN_BODY),
        body.bad_pairs + stable.bad_pairs.get(name, 0) + canary.bad_pairs.get(name, 0),
    )


def _requests(arm: ArmBlock, name: str) -> Moments:
    tally = arm.tallies.get(name)
    if tally is not None:
        return Moments(tally.judged, tally.bad, tally.bad)
    return arm.moments.get(name, _NONE)
