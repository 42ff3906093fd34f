"""A release as people see it: where it stands, what is known, and what more would take."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct
from sqlalchemy import Connection

from tidegate.control.shapes_releases import (
    AskedView,
    LineView,
    MetricView,
    ReleaseExplained,
    ReleaseView,
)
from tidegate.controllers.release import (
    Memory,
    Unreadable,
    how_much,
    margin_words,
    read_memory,
)
from tidegate.core.block import Block
from tidegate.core.harm import HARM
from tidegate.core.rollout import Rollout
from tidegate.core.rollout_state import ENDED
from tidegate.stats import analysis as analysing
from tidegate.stats.analysis import Analysis, Totals
from tidegate.stats.verdict import Verdict, verdicts
from tidegate.stores import blocks, decisions, rollouts
from tidegate.stores.rollouts import Kept

# The present traffic is that of so much time before the newest block.
_PRESENT_S = 900.0
# With none bad of n, the 95 % upper bound of their share is this / n.
_RULE_OF_THREE = 3.0


class Standing(Struct, frozen=True):
    """A release with what its controller remembers, and its latest blocks. `problem` is why
    nothing is remembered."""

    kept: Kept
    memory: Memory
    latest: tuple[Block, ...]
    problem: str | None = None

    @property
    def per_s(self) -> float | None:
        """Requests of the candidate in a second, at present."""
        spans = sum(one.ended_s - one.began_s for one in self.latest if not one.late)
        return sum(one.canary.assigned for one in self.latest) / spans if spans > 0 else None

    def late_per_s(self, metric: str) -> float | None:
        """How many of them a late metric is found of in a second, lately."""
        several = [one for one in self.latest if one.late == metric]
        if not several:
            return None
        span_s = max(it.ended_s for it in several) - min(it.began_s for it in several)
        judged = sum(it.canary.tallies[metric].judged for it in several)
        return judged / span_s if span_s > 0 else None


def find(connection: Connection, name: str) -> Standing:
    """RolloutNotFound."""
    known = decisions.remembered(connection, "release", subject=name)
    return _standing(connection, rollouts.find(connection, name), known)


def every(connection: Connection, *, ended: bool) -> list[Standing]:
    known = decisions.remembered(connection, "release")
    found = [it for it in rollouts.every(connection) if ended or it.ended_at_s is None]
    return [_standing(connection, kept, known) for kept in found]


def _standing(
    connection: Connection, kept: Kept, known: dict[str, decisions.Remembered]
) -> Standing:
    name = kept.rollout.id
    problem = None
    try:
        memory = read_memory(known[name].memory if name in known else Raw())
    except Unreadable as error:
        memory, problem = Memory(), f"{error}; nobody gets it: roll it back"
    if kept.state in ENDED:
        gone = None if name in known else "what was counted of it is not kept any more"
        return Standing(kept, memory, (), gone)
    latest = blocks.after(connection, name, max(memory.block_seq - 100, 0), most=200)
    newest_s = max((block.ended_s for _, block in latest if not block.late), default=0.0)
    since_s = newest_s - _PRESENT_S
    present = tuple(block for _, block in latest if block.late or block.ended_s > since_s)
    return Standing(kept, memory, present, problem)


def view(found: Standing) -> ReleaseView:
    kept, standing, analysis = found.kept, found.memory.standing, found.memory.analysis
    rollout = kept.rollout
    return ReleaseView(
        id=rollout.id,
        route=rollout.route,
        owner=rollout.owner,
        why=rollout.why,
        state=kept.state,
        step=kept.step,
        steps=len(rollout.steps),
        weight=_weight(found),
        reason=kept.why,
        since_s=kept.since_s,
        created_at_s=kept.created_at_s,
        ended_at_s=kept.ended_at_s,
        waits_for=list(standing.waits_for),
        problem=found.problem or kept.problem,
        requests=analysis.canary.assigned if analysis is not None else 0,
        units=analysis.canary.units if analysis is not None else 0,
        requests_per_s=found.per_s,
    )


def explained(
    connection: Connection, found: Standing, notes: Sequence[str] = ()
) -> ReleaseExplained:
    """`notes` are what more a reader should know."""
    rollout = found.kept.rollout
    analysis = found.memory.analysis or analysing.begin(rollout)
    judged = verdicts(analysis, rollout)
    return ReleaseExplained(
        release=view(found),
        metrics=[_metric(one, found) for one in judged],
        time_line=[
            LineView(line.at_s, line.state, line.step, line.why)
            for line in rollouts.time_line(connection, rollout.id)
        ],
        asked=[
            AskedView(one.at_s, one.who, one.what, one.reason, one.gate)
            for one in rollouts.wishes(connection, rollout.id)
        ],
        members={name: bytes(raw).decode() for name, raw in rollout.members.items()},
        runtime=_runtime(rollout),
        cached_shares=(_cached(analysis.stable), _cached(analysis.canary)),
        ratio_broken=analysing.ratio_broken(analysis),
        notes=[
            *_notes(judged, analysis, rollout),
            *_beside(connection, found.kept),
            *_waived(found),
            *notes,
        ],
    )


def _weight(found: Standing) -> float:
    standing = found.memory.standing
    at = standing.back_to if standing.state == "paused" else standing.state
    if found.kept.state in ENDED:
        at = found.kept.state
    if at not in ("step", "analysing", "promoted"):
        return 1.0 if at in ("soak", "done") else 0.0
    steps = found.kept.rollout.steps
    return steps[min(standing.step, len(steps) - 1)].weight


def _metric(one: Verdict, found: Standing) -> MetricView:
    row, analysis = HARM[one.metric], found.memory.analysis
    per_s = found.late_per_s(one.metric) if row.is_late else found.per_s
    if one.by_unit and per_s and analysis is not None and analysis.canary.assigned:
        per_s = per_s * analysis.canary.units / analysis.canary.assigned
    needed_s = one.needed_units / per_s if one.needed_units is not None and per_s else None
    smallest = one.smallest_effect
    return MetricView(
        name=one.metric,
        verdict=one.verdict,
        effect=how_much(one),
        canary=one.canary_units,
        stable=one.stable_units,
        by_unit=one.by_unit,
        counted=row.counted,
        must_be_safe=_must_be_safe(one.metric, found.kept.rollout),
        margin=margin_words(one.metric, found.kept.rollout),
        needed=one.needed_units,
        needed_s=needed_s,
        smallest=None if smallest is None else _amount(one.metric, smallest),
    )


def _must_be_safe(metric: str, rollout: Rollout) -> bool:
    return next(it.must_be_safe for it in analysing.guards(rollout) if it.name == metric)


def _amount(metric: str, effect: float) -> str:
    kind = HARM[metric].kind
    return f"{effect:.2f} times" if kind == "amount" else f"{100 * effect:.1f} points"


def _runtime(rollout: Rollout) -> dict[str, str]:
    told = msgspec.to_builtins(rollout.runtime)
    flags = told.pop("scheduler", {})
    return {**told, **{f"scheduler.{name}": value for name, value in flags.items()}}


def _cached(totals: Totals) -> float | None:
    return totals.cached / totals.assigned if totals.assigned else None


def _notes(judged: tuple[Verdict, ...], analysis: Analysis, rollout: Rollout) -> list[str]:
    """What a reader of the table should know beside it."""
    found = []
    canary = analysis.canary
    if canary.assigned and not canary.bad:
        most = 100 * min(_RULE_OF_THREE / canary.assigned, 1.0)
        found.append(
            f"none of {canary.assigned} requests was bad: at 95 %, no more than {most:.2g} % are"
        )
    unproven = [it.name for it in analysing.guards(rollout) if not it.must_be_safe]
    if unproven:
        found.append(f"need not be shown to be safe: {', '.join(unproven)}")
    for one in judged:
        if one.smallest_effect is not None and one.verdict != "harm":
            least = _amount(one.metric, one.smallest_effect)
            found.append(f"{one.metric}: this canary cannot see an effect below {least}")
    if rollout.units[:1] == ("request",):
        found.append("units are requests: nobody keeps to one version")
    return found


def _waived(found: Standing) -> list[str]:
    is_waived = found.memory.standing.waived
    return ["somebody has taken it on themselves that it is not certified"] if is_waived else []


def _beside(connection: Connection, kept: Kept) -> list[str]:
    """Of an orthogonal one, what it shares its route with."""
    rollout = kept.rollout
    if not rollout.orthogonal or kept.state in ENDED:
        return []
    found = ["it has one half of the units to itself, and its weight is of those"]
    for other in rollouts.every(connection):
        at_work = other.state not in ("created", "gated", *ENDED)
        if at_work and other.rollout.route == rollout.route and other.rollout.id != rollout.id:
            found.append(f"{other.rollout.id} is {other.state} on the same route")
    return found
