"""What people are told of objectives, and what stands on a change as its evidence.

Each of these is told once and then resolved: an objective's page, its ticket, a route's state, an
exemption, and that nothing comes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from tidegate.controllers._error_budget_burns import Judged
from tidegate.controllers._error_budget_words import UNKNOWN, Known, Memory, View
from tidegate.core.controller import Tell
from tidegate.core.objective import bound_text
from tidegate.core.signal import NoData, Signal, Value
from tidegate.core.units import format_duration
from tidegate.stats.burn import Burning, Severity, tiers

_SEVERITIES: tuple[Severity, ...] = ("page", "ticket")


def all_of(view: View, before: Memory, after: Memory, judged: tuple[Judged, ...]) -> Iterator[Tell]:
    """What has begun or ended of burns, of absence and of exemptions."""
    for one in judged:
        sli = one.seen.objective.sli
        was = before.objectives.get(sli, UNKNOWN)
        if not one.known.lit and not was.lit:
            continue
        as_before, as_now = (told(known, one.tiers) for known in (was, one.known))
        if as_before != as_now:
            for severity, resolved in ((as_before, True), (as_now, False)):
                if severity is not None:
                    yield _of_burn(view, one, severity, resolved=resolved)
    there = {str(one.seen.objective.sli) for one in judged}
    for gone, known in before.objectives.items():
        if gone not in there:
            yield from _of_gone(view, gone, known)
    if before.absent != after.absent:
        yield _of_absence(view, resolved=not after.absent)
    if after.exempt_until_s != before.exempt_until_s:
        yield from _of_exemption(view, after.exempt_until_s)


def told(known: Known, every: tuple[Burning, ...]) -> Severity | None:
    """What an objective is told as: a page says what a ticket would."""
    severities = {one.tier.severity for one in every if one.tier.name in known.lit}
    return next((one for one in _SEVERITIES if one in severities), None)


def of_state(view: View, before: Memory, after: Memory, why: str) -> Iterator[Tell]:
    """That the route's state is another one."""
    if before.state == after.state:
        return
    for state, resolved in ((before.state, True), (after.state, False)):
        if state != "normal":
            yield Tell(
                topic="release",
                key=f"slo/{view.route}/{state}",
                severity="info" if state == "caution" else "ticket",
                title=f"releases of {view.route}: {state}",
                text=f"The state of its error budget is now {after.state}: {why}.",
                resolved=resolved,
                route=view.route,
            )


def title(view: View, one: Judged, severity: Severity) -> str:
    """An objective's burn, for people."""
    what = f"{one.seen.objective.sli} of {view.route}"
    fastest = next(iter(one.lit(severity)), None)
    if fastest is None or fastest.factor is None or fastest.long is None:
        return f"{what} misses its objective"
    return f"{what} burns its error budget {fastest.long:.1f} times too fast"


def reason(one: Judged, severity: Severity) -> str:
    """Why a state is held; the same as long as it is."""
    tiers_lit = ", ".join(it.tier.name for it in one.lit(severity))
    return f"{one.seen.objective.sli} burns its error budget too fast ({tiers_lit})"


def left(one: Judged) -> str:
    """What is left of an objective's budget, for people."""
    known = "nothing is known" if one.left is None else f"{max(one.left, 0.0):.0%} is left"
    return f"of the error budget of {one.seen.objective.sli} {known}"


def evidence(view: View, judged: tuple[Judged, ...]) -> tuple[Signal, ...]:
    """What is left of each budget, and how fast each burned in the fastest tier's long window; to
    so many figures as people look at, so that it is news only where they would see it."""
    found = []
    for one in judged:
        sli, fastest = one.seen.objective.sli, one.fastest
        for name, unit, window_s, value in (
            (f"error_budget_left/{sli}", "share", view.budget.period_s, one.left),
            (f"burn_rate/{sli}", "times", fastest.tier.long_s, fastest.long),
        ):
            reading = NoData("no_traffic") if value is None else Value(round(value, 2))
            found.append(Signal(name, unit, view.route, window_s, reading))
    return tuple(found)


def _of_burn(view: View, one: Judged, severity: Severity, *, resolved: bool) -> Tell:
    objective = one.seen.objective
    parts = [_sentence(tier) for tier in one.lit(severity)]
    bound = bound_text(objective.within_s, objective.per_output_token_s)
    within = f" within {bound}" if bound else ""
    parts.append(
        f"{objective.target * 100:.6g} % of requests are to be good{within}; {left(one)}, of "
        f"{format_duration(view.budget.period_s)}"
    )
    canary = one.seen.canary
    if canary is not None and canary.bad:
        parts.append(f"{canary.bad} of the last bad requests were the release candidate's")
    parts.append(f"`tidegate slo explain {view.route}` says what is behind it")
    return Tell(
        topic="burn",
        key=f"burn/{view.route}/{objective.sli}/{severity}",
        severity=severity,
        title=title(view, one, severity) if not resolved else _over(view, objective.sli),
        text=". ".join(parts) + ".",
        resolved=resolved,
        route=view.route,
    )


def _sentence(one: Burning) -> str:
    window = format_duration(one.tier.long_s)
    if one.factor is None or one.long is None:
        return f"{one.bad} requests were bad where hardly any may be"
    told = (
        f"{one.bad} requests of the last {window} were bad, {one.long:.1f} times what the budget "
    )
    if one.long <= one.factor:
        return f"{told}allows, and hardly any other came in the last of it"
    return f"{told}allows; from {one.factor:.3g} on it is told"


def _over(view: View, sli: str) -> str:
    return f"{sli} of {view.route} keeps to its error budget again"


def _of_gone(view: View, sli: str, known: Known) -> Iterator[Tell]:
    """An objective that was taken out of the plan leaves nothing behind."""
    severities = {one.severity for one in tiers(view.budget.period_s) if one.name in known.lit}
    for severity in sorted(severities):
        key = f"burn/{view.route}/{sli}/{severity}"
        text = "The plan has this objective no more."
        yield Tell("burn", key, severity, _over(view, sli), text, resolved=True, route=view.route)


def _of_absence(view: View, *, resolved: bool) -> Tell:
    what = "no requests come, where some should"
    if resolved:
        what = "requests come again" if view.comes else "no requests are expected now"
    return Tell(
        topic="absence",
        key=f"absence/{view.route}",
        severity="ticket",
        title=f"{view.route}: {what}",
        text=f"By {_witnesses(view)} there should have been at least ten. Whether its objectives "
        "are kept is not known while nothing comes.",
        resolved=resolved,
        route=view.route,
    )


def _witnesses(view: View) -> str:
    if view.week_ago_per_s is None:
        return "the last hours and the last day"
    return "this hour a week ago, and the last hours or the last day,"


def _of_exemption(view: View, until_s: float | None) -> Iterator[Tell]:
    for one in view.budget.exemptions:
        if one.until_s == until_s:
            until = datetime.fromtimestamp(one.until_s, UTC).isoformat(timespec="minutes")
            yield Tell(
                topic="release",
                key=f"slo/{view.route}/exemption/{until}",
                severity="info",
                title=f"releases of {view.route} are exempt from its error budget",
                text=f"At most {one.at_most} until {until}, by {one.by}: {one.why}.",
                route=view.route,
                until_s=one.until_s,
            )
