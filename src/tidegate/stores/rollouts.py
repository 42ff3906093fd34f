"""Releases as they are kept: made once, asked for by people, moved on by the loop alone.

Every function works in its caller's transaction. Nothing of a release is edited but what its
newest decision came to.
"""

from collections.abc import MutableMapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, insert, select, update

from tidegate.core.rollout import Rollout
from tidegate.core.rollout_state import Asked, State
from tidegate.stores import audit
from tidegate.stores.audit import Author
from tidegate.stores.errors import StoreError
from tidegate.stores.schema_rollouts import rollout_moves, rollout_wishes, rollouts

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Rollout).decode


class RolloutNotFound(StoreError):
    """There is no release of this id."""


class RolloutKept(StoreError):
    """A release of this id is there and says something else: one is never changed."""


class Kept(Struct, frozen=True):
    """A release and what became of it. `problem` is why the plan did not take what was last asked
    of it, since `problem_at_s`."""

    rollout: Rollout
    author: str
    created_at_s: float
    state: State
    step: int
    why: str
    since_s: float
    ended_at_s: float | None = None
    problem: str | None = None
    problem_at_s: float | None = None


_TOLD = Kept.__struct_fields__[1:]


class Moved(Struct, frozen=True):
    """One line of a release's time line. `decision` is the number of what decided it."""

    at_s: float
    state: State
    step: int
    why: str
    decision: int


def create(connection: Connection, rollout: Rollout, author: Author) -> bool:
    """Keep a new release; False when the same is there. RolloutKept."""
    c = rollouts.c
    known = connection.execute(select(c.digest).where(c.id == rollout.id)).scalar()
    if known is not None:
        if known != rollout.digest:
            raise RolloutKept(
                f"release {rollout.id} was created with another content, and a release is never "
                f"changed: give this one another name"
            )
        return False
    values = {
        "id": rollout.id,
        "route": rollout.route,
        "digest": rollout.digest,
        "rollout": _encode(rollout).decode(),
        "author": author.actor,
        "created_at_s": author.at_s,
        "state": "created",
        "step": 0,
        "why": "",
        "since_s": author.at_s,
    }
    connection.execute(insert(rollouts).values(values))
    line = Moved(author.at_s, "created", 0, f"by {author.actor}", 0)
    _append(connection, rollout.id, line)
    audit.append(connection, author, "release.create", rollout.id, rollout.why)
    return True


def ask(connection: Connection, asked: Asked) -> int:
    """Keep what somebody asks, under the next number, which is returned. RolloutNotFound."""
    find(connection, asked.rollout)
    values = msgspec.structs.asdict(asked)
    del values["seq"]
    key = connection.execute(insert(rollout_wishes).values(values)).inserted_primary_key
    assert key is not None  # noqa: S101  (a single-row insert always has one)
    author = Author(asked.who, asked.at_s)
    detail = f"{asked.gate}: {asked.reason}" if asked.gate else asked.reason
    audit.append(connection, author, f"release.{asked.what}", asked.rollout, detail)
    return int(key[0])


def asked_after(connection: Connection, seqs: dict[str, int]) -> dict[str, list[Asked]]:
    """What was asked of each of these releases, none of which has ended, after the number beside
    it, in order."""
    if not seqs:
        return {}
    c = rollout_wishes.c
    under_way = select(rollouts.c.id).where(rollouts.c.ended_at_s.is_(None))
    new = (c.seq > min(seqs.values())) & c.rollout.in_(under_way)
    query = select(rollout_wishes).where(new).order_by(c.seq)
    found: dict[str, list[Asked]] = {}
    for row in connection.execute(query):
        one = Asked(**row._mapping)
        if one.seq > seqs.get(one.rollout, one.seq):
            found.setdefault(one.rollout, []).append(one)
    return found


def wishes(connection: Connection, rollout: str) -> list[Asked]:
    """All that was asked of it, in order."""
    c = rollout_wishes.c
    query = select(rollout_wishes).where(c.rollout == rollout).order_by(c.seq)
    return [Asked(**row._mapping) for row in connection.execute(query)]


def move(connection: Connection, rollout: str, line: Moved, *, ended: bool) -> None:
    """What a decision came to. RolloutNotFound."""
    values = {"state": line.state, "step": line.step, "why": line.why, "since_s": line.at_s}
    ending = {"ended_at_s": line.at_s} if ended else {}
    done = {"problem": None, "problem_at_s": None}
    mine = rollouts.c.id == rollout
    changed = connection.execute(update(rollouts).where(mine).values(**values, **ending, **done))
    if not changed.rowcount:
        raise RolloutNotFound(f"there is no release {rollout}")
    _append(connection, rollout, line)


def note_problem(connection: Connection, rollout: str, problem: str, at_s: float) -> None:
    """The plan did not take what the loop asked of it."""
    values = {"problem": problem, "problem_at_s": at_s}
    connection.execute(update(rollouts).where(rollouts.c.id == rollout).values(values))


def find(connection: Connection, rollout: str) -> Kept:
    """RolloutNotFound."""
    row = connection.execute(select(rollouts).where(rollouts.c.id == rollout)).one_or_none()
    if row is None:
        raise RolloutNotFound(f"there is no release {rollout}")
    return _kept(row)


def every(connection: Connection) -> list[Kept]:
    """All of them, the oldest first."""
    query = select(rollouts).order_by(rollouts.c.created_at_s, rollouts.c.id)
    return [_kept(row) for row in connection.execute(query)]


def under_way(connection: Connection, read: MutableMapping[str, Rollout]) -> list[Kept]:
    """Those that have not ended, the oldest first. What releases say is looked up in `read`, which
    is left with those that were found: they never change."""
    c = rollouts.c
    query = (
        select(c.id, *(c[name] for name in _TOLD))
        .where(c.ended_at_s.is_(None))
        .order_by(c.created_at_s, c.id)
    )
    rows = connection.execute(query).all()
    there = {row[0] for row in rows}
    for name in [name for name in read if name not in there]:
        del read[name]
    for name in there - read.keys():
        read[name] = find(connection, name).rollout
    return [Kept(read[name], *told) for name, *told in rows]


def ended_before(connection: Connection, before_s: float, *, after: str = "") -> list[str]:
    """Those that had ended by then, whose names come after this one: 500 of them at most."""
    c = rollouts.c
    query = select(c.id).where(c.ended_at_s < before_s, c.id > after).order_by(c.id).limit(500)
    return list(connection.execute(query).scalars())


def time_line(connection: Connection, rollout: str) -> list[Moved]:
    """Every state that it came to, in order."""
    c = rollout_moves.c
    query = (
        select(c.at_s, c.state, c.step, c.why, c.decision)
        .where(c.rollout == rollout)
        .order_by(c.seq)
    )
    return [Moved(*row) for row in connection.execute(query)]


def _append(connection: Connection, rollout: str, line: Moved) -> None:
    values = {"rollout": rollout, **msgspec.structs.asdict(line)}
    connection.execute(insert(rollout_moves).values(values))


def _kept(row: Row[Any]) -> Kept:
    values = dict(row._mapping)
    rollout = _decode(values["rollout"])
    return Kept(rollout, *(values[name] for name in _TOLD))
