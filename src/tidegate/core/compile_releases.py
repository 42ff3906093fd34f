"""What a release adds to its route: the candidate under way, and what a promotion keeps warm."""

from collections.abc import Iterator

from msgspec.structs import replace

from tidegate.core.declared import Declared
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_targets import DeclaredTarget, adapters_of
from tidegate.core.plan import Candidate, Route, Target
from tidegate.core.revised import Revised, UnderWay
from tidegate.core.words import quoted


def candidate_of(under_way: UnderWay, stable: Route, found: Route) -> Candidate:
    """`found` is what the release's requests obey. Its name is another than the route's own also
    where it differs in something that names no release."""
    rollout, release = under_way.rollout, found.release
    if release.name == stable.release.name:
        name = f"{release.name}+{rollout.id.removeprefix(rollout.route + '/')}"
        found = replace(found, release=replace(release, name=name))
    return Candidate(
        rollout=rollout.id,
        salt=under_way.salt,
        route=replace(found, came_by=(*stable.came_by, rollout.id)),
        units=rollout.units,
        always=rollout.always,
        never=rollout.never,
        lane=under_way.lane,
        shadow_nanousd=0 if rollout.shadow is None else rollout.shadow.budget_nanousd,
    )


def still_there(declared: Declared, route: DeclaredRoute) -> Iterator[str | DeclaredTarget]:
    """Those targets of an earlier declaration that the plan still has."""
    for _, wanted in route.wanted():
        if isinstance(wanted, DeclaredTarget):
            known = wanted.provider in declared.providers
        else:
            provider, slash, _ = wanted.partition("/")
            named = wanted in declared.targets or wanted in adapters_of(declared.targets)
            known = named or (bool(slash) and provider in declared.providers)
        if known:
            yield wanted


def with_warm(route: Route, earlier: list[Target]) -> Route:
    """The route, keeping warm what it reached earlier and reaches no more."""
    now = {target.name for target in route.targets}
    warm = {target.name: target for target in earlier if target.name not in now}
    return replace(route, kept_warm=tuple(warm.values()))


def moved_at_run_time(revised: Revised, path: tuple[str, ...]) -> str:
    """What is to be added to a complaint about a value that is not the file's own; else nothing."""
    if path[:1] != ("routes",) or len(path) < 3:
        return ""
    revision = revised.moved.get(path[1], {}).get(path[2])
    if revision is None:
        return ""
    what = quoted(revision.rollout) if revision.rollout else revision.id
    return f"; it was moved there at run time ({revision.kind} {what})"
