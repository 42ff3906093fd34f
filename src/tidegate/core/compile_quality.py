"""`quality` of routes: what could not be graded as it is written fails the plan. Pure."""

from collections.abc import Mapping

import msgspec

from tidegate.core.assemble import Path, Say
from tidegate.core.checks import Graders, checks_of
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.words import nearest, quoted


def check_quality(routes: Mapping[str, DeclaredRoute], graders: Graders, say: Say) -> None:
    """Says what is wrong with each route's."""
    for name, route in routes.items():
        if route.quality is not None:
            _check(route.quality, routes, graders, ("routes", name, "quality"), say)


def _check(
    quality: DeclaredQuality,
    routes: Mapping[str, DeclaredRoute],
    graders: Graders,
    path: Path,
    say: Say,
) -> None:
    judge = quality.judge
    if judge is not None and judge not in routes:
        what = f"there is no route {quoted(judge)}{nearest(judge, routes)}"
        say((*path, "judge"), what)
    if quality.most_usd_per_day <= 0:
        say((*path, "most_usd_per_day"), "it must be above 0")
    if quality.judge_parameters is not None and not _is_mapping(quality.judge_parameters):
        say((*path, "judge_parameters"), "expected a mapping, such as `{temperature: 0}`")
    if quality.hits is not None and judge is None:
        what = "kept answers are judged by a model; name the route that is asked in `judge`"
        say((*path, "hits"), what)
    if quality.checks is None:
        return
    at = (*path, "checks")
    checks = checks_of(quality.checks, graders, lambda to, what: say((*at, *to), what))
    asking = [check for check in checks if graders.asks(check)]
    if asking and judge is None:
        what = f"{asking[0].grader} needs a judge; name the route that is asked in `judge`"
        say(at, what)
    if checks and not any(check.weight for check in checks):
        say(at, "no check has a weight, so that nothing decides whether an answer is good")


def _is_mapping(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False
