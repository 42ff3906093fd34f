"""What the statistics say of a rollout, in the words that the state machine is moved by."""

from collections.abc import Iterator, Mapping
from typing import Final

from tidegate.controllers._release_words import Finding
from tidegate.core.harm import HARM
from tidegate.core.rollout import NoDataRule, Rollout
from tidegate.core.signal import NoData, Signal, Value
from tidegate.stats import analysis as analysing
from tidegate.stats import hard_limits, token_shift
from tidegate.stats.analysis import Analysis
from tidegate.stats.hard_limits import HardLimit
from tidegate.stats.verdict import Kind, Verdict, kinds, verdicts

begun = analysing.begin
taken = analysing.take

_HARD: Final[dict[HardLimit, str]] = {
    "bad_of_first": "too many of its first requests were bad",
    "invalid_share": "too many of its answers broke their contract",
    "cost_ratio": "a request costs many times what others do",
}


def finding(analysis: Analysis, rollout: Rollout) -> Finding:
    """Everything that blocks so far have shown, but for the figures behind it."""
    judged = kinds(analysis, rollout)
    absences = _absences(judged, rollout)
    undecided = [name for name, kind in judged.items() if kind == "undecided"]
    may_be = {it.name for it in analysing.guards(rollout) if not it.must_be_safe}
    harmed = _harmed(analysis, rollout) if "harm" in judged.values() else {}
    shift = token_shift.shift(analysis)
    return Finding(
        hard=tuple(_HARD[one] for one in hard_limits.broken(analysis, rollout)),
        harmed=tuple(harmed.values()),
        harmed_late=tuple(words for name, words in harmed.items() if HARM[name].is_late),
        shifted="" if shift is None else f"its answers are {shift:.2f} times as long",
        unsafe=tuple(name for name in undecided if name not in may_be),
        unproven=tuple(name for name in judged if name in may_be and judged[name] != "safe"),
        missing=tuple(name for name, means in absences.items() if means == "pause"),
        failed=tuple(name for name, means in absences.items() if means == "fail"),
        ratio_broken=analysing.ratio_broken(analysis),
        units=analysis.canary.units,
        requests=analysis.canary.assigned,
    )


def _absences(judged: Mapping[str, Kind], rollout: Rollout) -> dict[str, NoDataRule]:
    """What it means of each metric that nobody knows it: when of half of those that have to be safe
    or more, a failure, whatever their own say."""
    means = {it.name: it.no_data for it in analysing.guards(rollout) if it.must_be_safe}
    absent = [name for name in means if judged[name] == "no_data"]
    if 2 * len(absent) >= len(means):
        return dict.fromkeys(absent, "fail")
    return {name: means[name] for name in absent}


def _harmed(analysis: Analysis, rollout: Rollout) -> dict[str, str]:
    """By metric."""
    return {
        one.metric: f"{one.metric} is worse: {how_much(one)} over {one.canary_units} of its "
        f"{HARM[one.metric].counted}"
        for one in verdicts(analysis, rollout)
        if one.verdict == "harm"
    }


def how_much(one: Verdict) -> str:
    """A verdict's effect for people: points of a share, or a ratio."""
    if one.effect is None or one.low is None or one.high is None:
        if one.apart is None:
            return "by how much is not known"
        return f"{100 * one.apart:+.0f} points so far"
    if HARM[one.metric].kind == "amount":
        return f"{one.effect:.2f} times ({one.low:.2f} to {one.high:.2f})"
    points = 100 * one.effect, 100 * one.low, 100 * one.high
    return f"{points[0]:+.1f} points ({points[1]:+.1f} to {points[2]:+.1f})"


def margin_words(metric: str, rollout: Rollout) -> str:
    """How much worse is no harm, for people."""
    margins = {one.name: one.margin for one in analysing.guards(rollout)}
    is_amount = HARM[metric].kind == "amount"
    return f"{margins[metric]:g} times" if is_amount else f"{100 * margins[metric]:g} points"


def signals(analysis: Analysis, rollout: Rollout) -> Iterator[Signal]:
    """The effects that a move is decided by, for whoever asks later why."""
    scope = f"{rollout.route}/canary"
    for one in verdicts(analysis, rollout):
        if one.verdict == "no_data" or one.effect is None:
            yield Signal(one.metric, "", scope, 0.0, NoData("no_traffic"))
            continue
        unit = "ratio" if HARM[one.metric].kind == "amount" else "points"
        yield Signal(one.metric, unit, scope, 0.0, Value(one.effect))
