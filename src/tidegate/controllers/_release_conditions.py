"""What the table of a release asks: each condition gives words for why it holds, or ""."""

from collections.abc import Callable, Mapping
from typing import Final

from tidegate.controllers._release_copies import spent
from tidegate.controllers._release_gates import not_graded, obstacles, step_of
from tidegate.controllers._release_words import Sight
from tidegate.core.harm import HARM

Condition = Callable[[Sight], str]

# A failure that hits both arms alike has the candidate's share of traffic: it is its own when it
# has most of the bad, and this many times its share.
_OWN_SHARE = 0.5
_OWN_TIMES = 1.5
_ALL = 0.999
# So long at a step without a metric's data is to be without it.
NO_DATA_S: Final = 120.0
_SKIPPED = "a person took its analysis on themselves"


def _words(*found: str) -> str:
    return "; ".join(one for one in found if one)


def _hard_limit(sight: Sight) -> str:
    standing = sight.standing
    at = standing.back_to if standing.state == "paused" else standing.state
    if at == "shadow":
        return _shadow_failed(sight)
    return _words(*sight.finding.hard)


def _shadow_failed(sight: Sight) -> str:
    seen, hard = sight.shadow, sight.rollout.hard
    bad, first = hard.bad_of_first
    if seen.failed >= bad and seen.failed * first >= bad * seen.requests:
        return f"{seen.failed} of {seen.requests} shadow requests failed"
    if seen.requests >= hard.invalid_least and (seen.invalid >= hard.invalid_share * seen.requests):
        return f"{seen.invalid} of {seen.requests} shadow answers broke their contract"
    return ""


def _burning(sight: Sight) -> str:
    after = sight.standing.state in ("promoted", "soak")
    for one in sight.bounds.burning:
        if one.objective in sight.standing.burned:
            continue
        if after:
            return f"objective {one.objective} burns its budget fast"
        if is_own(one.canary_bad, one.canary_traffic):
            share = f"{one.canary_bad:.0%} of it here"
            return f"objective {one.objective} burns its budget fast, {share}"
    return ""


def is_own(bad: float | None, traffic: float | None) -> bool:
    """Whether so large a share of the bad requests, with such a share of all, is a candidate's own
    doing."""
    if bad is None or traffic is None or bad <= _OWN_SHARE:
        return False
    return bad >= _OWN_TIMES * traffic or traffic >= _ALL


def _cleared(sight: Sight) -> str:
    return "" if obstacles(sight, "start") else "every gate is open"


def _cleared_to_shadow(sight: Sight) -> str:
    return _cleared(sight) if sight.rollout.shadow is not None else ""


def _shadow_seen(sight: Sight) -> str:
    if not _shadow_over(sight) or obstacles(sight, "shadow"):
        return ""
    return f"{sight.shadow.requests} shadow requests showed nothing that stops it"


def _shadow_skipped(sight: Sight) -> str:
    """What one takes on oneself are its answers, never what holds every release."""
    return "" if not sight.standing.skipped or obstacles(sight, "shadow") else _SKIPPED


def _shadow_late(sight: Sight) -> str:
    shadow = sight.rollout.shadow
    if shadow is None or _shadow_over(sight) or _spent_s(sight) < shadow.max_s:
        return ""
    return f"only {sight.shadow.requests} of {shadow.min_requests} shadow requests came"


def _shadow_spent(sight: Sight) -> str:
    shadow = sight.rollout.shadow
    if shadow is None or _shadow_over(sight) or not spent(shadow, sight.shadow):
        return ""
    return (
        f"its copies have cost all that they may: {sight.shadow.requests} of "
        f"{shadow.min_requests} came"
    )


def _shadow_over(sight: Sight) -> bool:
    shadow = sight.rollout.shadow
    return shadow is None or sight.shadow.requests >= shadow.min_requests


def _enough(sight: Sight) -> str:
    step = step_of(sight)
    if _spent_s(sight) < step.min_s or _short_of_units(sight):
        return ""
    return f"{_served(sight)} requests of {sight.finding.units} units were seen"


def _short_of_units(sight: Sight) -> bool:
    least = step_of(sight).min_units
    return sight.finding.units < least or _served(sight) < least


def _served(sight: Sight) -> int:
    """Requests of the candidate since its step began."""
    return max(0, sight.finding.requests - sight.standing.requests_before)


def _spent_s(sight: Sight) -> float:
    return sight.active_s - sight.standing.clock_s


def _few_units(sight: Sight) -> str:
    step = step_of(sight)
    if _spent_s(sight) < step.max_s or not _short_of_units(sight):
        return ""
    return (
        f"too few to judge: {_served(sight)} requests of {sight.finding.units} units came, "
        f"{step.min_units} are asked for"
    )


def _judged_safe(sight: Sight) -> bool:
    return sight.standing.skipped or step_of(sight).smoke or _shown_safe(sight)


def _shown_safe(sight: Sight) -> bool:
    found = sight.finding
    return not (found.unsafe or found.missing or found.failed or found.ratio_broken)


def _is_last(sight: Sight) -> bool:
    return sight.standing.step >= len(sight.rollout.steps) - 1


def _all_safe(sight: Sight) -> bool:
    """At the last step also where it is one of smoke: a promotion needs every guard."""
    if not _is_last(sight):
        return _judged_safe(sight)
    return sight.standing.skipped or _shown_safe(sight)


def _promotable(sight: Sight) -> str:
    if not _is_last(sight) or not _all_safe(sight) or obstacles(sight, "promotion"):
        return ""
    return _safe_words(sight)


def _raisable(sight: Sight) -> str:
    if _is_last(sight) or not _judged_safe(sight) or obstacles(sight, "step"):
        return ""
    return _safe_words(sight)


def _safe_words(sight: Sight) -> str:
    if sight.standing.skipped:
        return _SKIPPED
    if step_of(sight).smoke and not _is_last(sight):
        return "no hard limit was reached"
    unproven = ", ".join(sight.finding.unproven)
    if unproven:
        return f"every guard that has to be is shown to be safe, and nothing is of {unproven}"
    return "every guard is shown to be safe"


def _no_data(sight: Sight, of: tuple[str, ...]) -> str:
    waited = tuple(name for name in of if _waited_for_data(sight, name))
    return "" if _all_safe(sight) or not waited else f"no data of {_words(*waited)}"


def _waited_for_data(sight: Sight, name: str) -> bool:
    """Blocks come late, and none counts while the weight moves: what has no data yet may have. What
    is found of answers afterwards has all of the step's time to come."""
    step = step_of(sight)
    if HARM[name].is_late:
        return _spent_s(sight) >= step.max_s
    return _spent_s(sight) >= min(step.max_s, max(step.min_s, NO_DATA_S))


def _undecided(sight: Sight) -> str:
    if _all_safe(sight) or _spent_s(sight) < step_of(sight).max_s:
        return ""
    return f"undecided at the end of its time: {_words(*sight.finding.unsafe)}"


def _ratio_broken(sight: Sight) -> str:
    if not sight.finding.ratio_broken or sight.standing.skipped:
        return ""
    return "the candidate's share of units is not its weight: what was counted is void"


def _not_graded(sight: Sight) -> str:
    return "" if sight.standing.skipped else not_graded(sight)


def _graded_again(sight: Sight) -> str:
    """Only what paused it by itself lets it go on by itself."""
    if sight.standing.by != "not_graded" or not_graded(sight):
        return ""
    return "its answers are graded again"


def _abandoned(sight: Sight) -> str:
    standing, shadow = sight.standing, sight.rollout.shadow
    of_shadow = standing.back_to == "shadow" and shadow is not None
    most_s = shadow.max_s if of_shadow and shadow is not None else step_of(sight).max_s
    if standing.asked_for or _spent_s(sight) < most_s:
        return ""
    return f"nobody decided within {most_s:g} s what became of it when {standing.why}"


def _taken_over(sight: Sight) -> str:
    return "" if sight.standing.asked_for else sight.wishes.pause


def _soaked(sight: Sight) -> str:
    if _spent_s(sight) < sight.rollout.soak_s:
        return ""
    return f"it served everybody for {sight.rollout.soak_s:g} s"


def _obeyed(sight: Sight) -> str:
    return "its members are the route's" if sight.bounds.obeyed else ""


CONDITIONS: Final[Mapping[str, Condition]] = {
    "rollback_asked": lambda sight: sight.wishes.rollback,
    "hard_limit": _hard_limit,
    "harmed": lambda sight: _words(*sight.finding.harmed),
    "harmed_late": lambda sight: _words(*sight.finding.harmed_late),
    "burning": _burning,
    "start_asked": lambda sight: sight.wishes.start,
    "cleared_to_shadow": _cleared_to_shadow,
    "cleared": _cleared,
    "pause_asked": lambda sight: sight.wishes.pause,
    "resume_asked": lambda sight: sight.wishes.resume,
    "skip_asked": lambda sight: sight.wishes.skip,
    "skipped": lambda sight: _SKIPPED if sight.standing.skipped else "",
    "taken_over": _taken_over,
    "shadow_seen": _shadow_seen,
    "shadow_skipped": _shadow_skipped,
    "shadow_spent": _shadow_spent,
    "shadow_late": _shadow_late,
    "enough": _enough,
    "few_units": _few_units,
    "ratio_broken": _ratio_broken,
    "not_graded": _not_graded,
    "graded_again": _graded_again,
    "data_failed": lambda sight: _no_data(sight, sight.finding.failed),
    "data_missing": lambda sight: _no_data(sight, sight.finding.missing),
    "undecided": _undecided,
    "promotable": _promotable,
    "raisable": _raisable,
    "abandoned": _abandoned,
    "obeyed": _obeyed,
    "soaked": _soaked,
}
