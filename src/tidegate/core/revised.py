"""What is declared, moved by its revisions: what a plan is compiled of. Pure.

Of each member of a route the newest revision speaks, and a revision speaks whole: where the file
says of one of its members something that was neither there as it was made nor is what it moved it
to, somebody has edited the file since, and the file speaks again. What the file has come to say by
itself is no longer moved.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Raw, Struct, field
from msgspec.structs import replace

from tidegate.core.arm import LANES, Lane
from tidegate.core.assemble import Path, Say
from tidegate.core.change import Revision
from tidegate.core.declared import Declared
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.rollout import Rollout
from tidegate.core.route_members import value_of, with_members
from tidegate.core.words import quoted

# Of releases that were promoted and taken back the newest are known: those that a request which
# waits may still be meant for.
_TAKEN_BACK = 4


class UnderWay(Struct, frozen=True):
    """A release that its route has beside its own: what its requests would obey, as declared."""

    rollout: Rollout
    salt: str
    declared: DeclaredRoute
    lane: Lane | None = None


class Superseded(Struct, frozen=True):
    """A revision that says nothing any more, and why."""

    revision: Revision
    path: Path
    why: str


class Revised(Struct, frozen=True):
    """`declared` has every route as it is to be. By route: `under_way`, `replaced` (what
    promotions replaced and is kept warm), `promoted` (whose these were), `taken_back` (whose
    promotions were undone) and `moved`, which revision moved which member away from what the file
    says."""

    declared: Declared
    under_way: dict[str, tuple[UnderWay, ...]] = {}
    replaced: dict[str, tuple[DeclaredRoute, ...]] = {}
    promoted: dict[str, tuple[str, ...]] = {}
    taken_back: dict[str, tuple[str, ...]] = {}
    moved: dict[str, dict[str, Revision]] = {}
    superseded: tuple[Superseded, ...] = ()


class _Moved(Struct, frozen=True):
    """One member as a revision wants it, and what the file may say for that to hold."""

    value: Any
    accepted: tuple[Any, ...]
    revision: Revision


class _OneRoute(Struct):
    """One route on the way through its revisions. `found` is, by rollout, what its promotion
    found of the members that it moved. `warm` are the rollouts whose promotions may be undone, and
    `lanes` those under way that have one."""

    name: str
    file: DeclaredRoute
    moved: dict[str, _Moved] = field(default_factory=dict)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    promoted: dict[str, Revision] = field(default_factory=dict)
    starts: dict[str, Revision] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    warm: tuple[str, ...] = ()
    taken_back: tuple[str, ...] = ()


def revised(
    declared: Declared, revisions: Iterable[Revision], rollouts: Mapping[str, Rollout], say: Say
) -> Revised:
    """What is declared with its revisions, which come in the order of `seq`; `rollouts` are by id.

    What cannot be read is said, and then left out.
    """
    routes: dict[str, _OneRoute] = {}
    superseded: list[Superseded] = []
    for revision in revisions:
        if revision.route not in declared.routes:
            why = "the plan has no such route any more"
            superseded.append(Superseded(revision, ("routes", revision.route), why))
            continue
        try:
            one = routes.get(revision.route)
            if one is None:
                one = routes[revision.route] = _OneRoute(
                    revision.route, declared.routes[revision.route]
                )
            _take(one, revision, rollouts)
        except ValueError as error:
            say(("routes", revision.route), f"revision {revision.id}: {error}")
    if not routes:
        return Revised(declared, superseded=tuple(superseded))
    out = Revised(replace(declared, routes=dict(declared.routes)))
    for one in routes.values():
        superseded += _settle(one, out)
        superseded += _begin(one, rollouts, out, say)
    return replace(out, superseded=tuple(superseded))


def _take(one: _OneRoute, revision: Revision, rollouts: Mapping[str, Rollout]) -> None:
    rollout = revision.rollout or ""
    known = rollouts.get(rollout)
    match revision.kind:
        case "start":
            _start(one, revision, orthogonal=known is not None and known.orthogonal)
        case "withdraw":
            _end(one, rollout)
        case "retire":
            one.warm = tuple(it for it in one.warm if it != rollout)
        case "set":
            _move(one, revision, revision.members)
        case "promote":
            members = revision.members or (known.members if known is not None else {})
            one.found[rollout] = dict(_found(one, revision, members))
            one.promoted[rollout] = revision
            _move(one, revision, members)
            _end(one, rollout)
            one.warm = (*(it for it in one.warm if it != rollout), rollout)
        case "restore":
            _restore(one, revision, rollout)
            _end(one, rollout)
            one.warm = tuple(it for it in one.warm if it != rollout)
            one.taken_back = (*one.taken_back, rollout)[-_TAKEN_BACK:]


def _start(one: _OneRoute, revision: Revision, *, orthogonal: bool) -> None:
    """The first lane that is free is its own until it ends, whoever comes and goes in the other: so
    nobody changes lanes, and both go by the salt of who was there first."""
    rollout = revision.rollout or ""
    one.starts[rollout] = revision
    others = [lane for name, lane in one.lanes.items() if name != rollout]
    if orthogonal and len(others) < LANES:
        taken = {lane.number for lane in others}
        salt = others[0].salt if others else revision.salt or revision.id
        one.lanes[rollout] = Lane(salt, min(set(range(LANES)) - taken))


def _end(one: _OneRoute, rollout: str) -> None:
    one.starts.pop(rollout, None)
    one.lanes.pop(rollout, None)


def _move(one: _OneRoute, revision: Revision, members: Mapping[str, Raw]) -> None:
    for name, member in members.items():
        value, based = value_of(name, member), revision.base.get(name)
        accepted = () if based is None else (value_of(name, based), value)
        one.moved[name] = _Moved(value, accepted, revision)


def _found(
    one: _OneRoute, promotion: Revision, members: Iterable[str]
) -> Iterator[tuple[str, Any]]:
    """What its route was before a promotion: what an earlier revision said where the file then
    let it, or what the file said."""
    for name in members:
        moved, base = one.moved.get(name), promotion.base.get(name)
        said = None if base is None else value_of(name, base)
        if moved is not None and (base is None or said in moved.accepted):
            yield name, moved.value
        elif base is not None:
            yield name, said


def _restore(one: _OneRoute, revision: Revision, rollout: str) -> None:
    """Back to what the promotion found, also where the file says by now what it promoted."""
    if revision.members:
        _move(one, revision, revision.members)
        return
    promoted = one.promoted.get(rollout)
    for name, value in one.found.get(rollout, {}).items():
        moved = one.moved[name]
        if moved.revision is promoted:
            one.moved[name] = _Moved(value, (*moved.accepted, value), revision)


def _settle(one: _OneRoute, out: Revised) -> list[Superseded]:
    """The route as its revisions want it, of those that still speak."""
    name, file = one.name, one.file
    gone: dict[str, Superseded] = {}
    for member, moved in one.moved.items():
        if moved.accepted and getattr(file, member) not in moved.accepted:
            path = ("routes", name, member)
            why = f"the plan file says something else of `{member}` since"
            gone[moved.revision.id] = Superseded(moved.revision, path, why)
    values = {m: it.value for m, it in one.moved.items() if it.revision.id not in gone}
    out.declared.routes[name] = replace(file, **values)
    away = {m: one.moved[m].revision for m in values if getattr(file, m) != values[m]}
    if away:
        out.moved[name] = away
    if one.taken_back:
        out.taken_back[name] = one.taken_back
    warm = tuple(it for it in one.warm if one.promoted[it].id not in gone)
    if warm:
        route = out.declared.routes[name]
        out.promoted[name] = warm
        out.replaced[name] = tuple(replace(route, **one.found[it]) for it in warm)
    return list(gone.values())


def _begin(
    one: _OneRoute, rollouts: Mapping[str, Rollout], out: Revised, say: Say
) -> list[Superseded]:
    """The releases that are under way: one, or two that each have a lane."""
    name, gone = one.name, []
    for rollout_id, start in one.starts.items():
        rollout = rollouts.get(rollout_id)
        if rollout is None:
            what = f"the release {quoted(rollout_id)} is under way, and nobody knows it any more"
            gone.append(Superseded(start, ("routes", name), what))
            continue
        try:
            edited = [m for m, raw in start.base.items() if _is_edited(one, m, value_of(m, raw))]
            candidate = with_members(out.declared.routes[name], rollout.members)
        except ValueError as error:
            say(("releases", rollout_id, "change"), str(error))
            continue
        if edited:
            path = ("routes", name, edited[0])
            why = f"the plan file says something else of `{edited[0]}` since"
            gone.append(Superseded(start, path, why))
        elif why_not := _why_not_beside(rollout, out.under_way.get(name, ())):
            say(("releases", rollout_id), why_not)
        elif rollout.orthogonal and rollout_id not in one.lanes:
            others = " and ".join(map(quoted, one.lanes))
            say(("releases", rollout_id), f"{others} have the lanes of this route; end one first")
        else:
            salt, lane = start.salt or start.id, one.lanes.get(rollout_id)
            coming = UnderWay(rollout, salt, candidate, lane)
            out.under_way[name] = (*out.under_way.get(name, ()), coming)
    return gone


def _is_edited(one: _OneRoute, member: str, base: Any) -> bool:
    """Whether the file says something new of it: not what it said, nor what it was moved to."""
    now, moved = getattr(one.file, member), one.moved.get(member)
    return now != base and (moved is None or now != moved.value)


def _why_not_beside(rollout: Rollout, under_way: tuple[UnderWay, ...]) -> str | None:
    """What keeps a release from being under way beside these; None: nothing does."""
    if not under_way:
        return None
    other = under_way[0].rollout
    busy = f"{quoted(other.id)} is under way on this route"
    if len(under_way) >= LANES:
        others = " and ".join(quoted(it.rollout.id) for it in under_way)
        return f"{others} are under way on this route; end one first"
    if not (rollout.orthogonal and other.orthogonal):
        return f"{busy}; end that one first, or declare both `orthogonal` before they are created"
    both = sorted(rollout.members.keys() & other.members.keys())
    if both:
        return f"{busy} and changes {quoted(both[0])} too; end that one first"
    if rollout.units != other.units:
        return f"{busy} and assigns by other `units`; write the same, or end that one first"
    return None
