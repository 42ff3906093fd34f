"""What moved a route's requests in a stretch of time: changes, revisions, releases and plans, each
with who did it. Read for people who look for what an objective burns by.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from tidegate.core.levers import EVERY
from tidegate.stores import audit
from tidegate.stores.changes import CONTROLLER
from tidegate.stores.schema_changes import changes, revisions
from tidegate.stores.schema_rollouts import rollout_moves, rollout_wishes, rollouts

MOST: Final = 50
# What an error budget holds because of a burn, and no reason of it.
_ITS_OWN: Final = "release_policy"
_OF_RELEASES: Final = f"{CONTROLLER}release"
_people = msgspec.json.Decoder(tuple[str, ...]).decode


class Happened(Struct, frozen=True):
    """One of them: its name, who did it, and what it came to or why."""

    at_s: float
    kind: Literal["change", "revision", "release", "plan"]
    name: str
    who: str
    what: str


def of_route(
    connection: Connection, route: str, targets: Iterable[str], between_s: tuple[float, float]
) -> list[Happened]:
    """The newest first, `MOST` at most. `targets` are those that the route may reach; a plan is
    told whatever it moved."""
    scopes = ["", EVERY, route]  # of everything, of every route and target, of this one
    for target in targets:
        scopes += [target, f"{route}/{target}"]
    found = [
        *_changes(connection, _of(route, scopes), between_s),
        *_revisions(connection, route, between_s),
        *_releases(connection, route, between_s),
        *_plans(connection, between_s),
    ]
    return sorted(found, key=lambda one: -one.at_s)[:MOST]


def _of(route: str, scopes: list[str]) -> ColumnElement[bool]:
    """Changes of these scopes, and of a lane of the route."""
    c = changes.c
    in_lane = c.scope.startswith(f"{route}@", autoescape=True)
    return (c.lever != _ITS_OWN) & or_(c.scope.in_(scopes), in_lane)


def _changes(
    connection: Connection, mine: ColumnElement[bool], between_s: tuple[float, float]
) -> Iterator[Happened]:
    """When each was set, or the last of those who had to approved it, and when it ended."""
    c = changes.c
    trail = audit.of_kind(connection, "change.approve", *between_s)
    approved_s = {row.subject: row.at_s for row in reversed(trail)}
    touched = or_(
        c.from_s.between(*between_s), c.ended_at_s.between(*between_s), c.id.in_(approved_s)
    )
    newest = func.coalesce(c.ended_at_s, c.from_s)
    for row in _newest(connection, select(changes).where(mine, touched), newest):
        name = f"{row.lever} of {row.scope}" if row.scope else row.lever
        began_s = max(row.from_s, approved_s.get(row.id, row.from_s))
        if between_s[0] <= began_s <= between_s[1] and not _waits(row):
            said = f"set to {row.value:g}: {row.reason}"
            yield Happened(began_s, "change", name, row.author, said)
        if row.ended_at_s is not None and between_s[0] <= row.ended_at_s <= between_s[1]:
            said = f"ended, {row.ended_why}"
            yield Happened(row.ended_at_s, "change", name, row.ended_by or row.author, said)


def _waits(row: Any) -> bool:
    needs: int = row.needs
    return len(_people(row.approved_by)) < needs


def _revisions(
    connection: Connection, route: str, between_s: tuple[float, float]
) -> Iterator[Happened]:
    c = revisions.c
    query = select(c.at_s, c.kind, c.rollout, c.author, c.reason)
    mine = query.where(c.route == route, c.at_s.between(*between_s))
    for row in _newest(connection, mine, c.at_s):
        name = f"{row.kind} {row.rollout or route}"
        yield Happened(row.at_s, "revision", name, row.author, row.reason)


def _releases(
    connection: Connection, route: str, between_s: tuple[float, float]
) -> Iterator[Happened]:
    """What people asked of the route's releases, and the states that these came to."""
    moves, wishes = rollout_moves.c, rollout_wishes.c
    came = select(moves.at_s, moves.rollout, moves.state, moves.why, rollouts.c.author).join(
        rollouts, (rollouts.c.id == moves.rollout) & (rollouts.c.route == route)
    )
    for row in _newest(connection, came.where(moves.at_s.between(*between_s)), moves.at_s):
        who, why = (row.author, "") if row.state == "created" else (_OF_RELEASES, f": {row.why}")
        yield Happened(row.at_s, "release", row.rollout, who, f"{row.state}{why}")
    asked = select(wishes.at_s, wishes.rollout, wishes.what, wishes.who, wishes.reason).join(
        rollouts, (rollouts.c.id == wishes.rollout) & (rollouts.c.route == route)
    )
    for row in _newest(connection, asked.where(wishes.at_s.between(*between_s)), wishes.at_s):
        why = f": {row.reason}" if row.reason else ""
        yield Happened(row.at_s, "release", row.rollout, row.who, f"asked to {row.what}{why}")


def _plans(connection: Connection, between_s: tuple[float, float]) -> Iterator[Happened]:
    for row in audit.of_kind(connection, "plan.publish", *between_s, limit=MOST):
        yield Happened(row.at_s, "plan", f"version {row.subject}", row.actor, row.detail)


def _newest(connection: Connection, query: Select[Any], by: ColumnElement[Any]) -> Iterable[Any]:
    return connection.execute(query.order_by(by.desc()).limit(MOST)).all()
