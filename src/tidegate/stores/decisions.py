"""What controllers decided, what they had seen, and what they remember.

A decision is replayed from what is kept of it: its view, and the memory before it, which is kept
with every few decisions of a subject and follows for those between.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from sqlalchemy import Connection, Engine, Row, delete, func, insert, select

from tidegate.core.controller import Proposal
from tidegate.stores import database
from tidegate.stores.schema_rollouts import decisions, loop_time, memories

KEPT_S: Final = 90 * 86_400.0

_encode = msgspec.json.Encoder().encode
_proposals = msgspec.json.Decoder(tuple[Proposal, ...]).decode
_LOOP = "loop"


class Made(Struct, frozen=True):
    """One decision. `memory` is what was known before, None where it follows from the ones before.
    `after` is what is known now, kept in place of it."""

    controller: str
    subject: str
    view: str
    memory: bytes | None
    proposals: tuple[Proposal, ...]
    after: bytes


class Kept(Struct, frozen=True):
    """A decision as it is kept, with its number and when it was made, by which leadership."""

    seq: int
    controller: str
    subject: str
    at_s: float
    epoch: int
    view: str
    memory: bytes | None
    proposals: tuple[Proposal, ...]


class Remembered(Struct, frozen=True):
    """What is known of a subject, since which decision."""

    memory: Raw
    decision: int


def keep(connection: Connection, made: Sequence[Made], at_s: float, epoch: int) -> list[int]:
    """Add decisions, and remember what came of them, in the transaction that carries them out;
    their numbers."""
    if not made:
        return []
    rows = [
        {
            "controller": one.controller,
            "subject": one.subject,
            "at_s": at_s,
            "epoch": epoch,
            "view": one.view,
            "memory": one.memory,
            "proposals": _encode(one.proposals).decode(),
        }
        for one in made
    ]
    statement = insert(decisions).returning(decisions.c.seq, sort_by_parameter_order=True)
    numbers = [int(seq) for seq in connection.execute(statement, rows).scalars()]
    known = [
        {
            "controller": one.controller,
            "subject": one.subject,
            "memory": one.after,
            "decision": number,
            "at_s": at_s,
        }
        for one, number in zip(made, numbers, strict=True)
    ]
    remembering = database.upsert(connection, memories)
    new = {name: remembering.excluded[name] for name in ("memory", "decision", "at_s")}
    connection.execute(
        remembering.on_conflict_do_update(index_elements=list(memories.primary_key), set_=new),
        known,
    )
    return numbers


def remembered(
    connection: Connection, controller: str, *, subject: str | None = None
) -> dict[str, Remembered]:
    """What is known of each of a controller's subjects, or of one."""
    c = memories.c
    query = select(c.subject, c.memory, c.decision).where(c.controller == controller)
    if subject is not None:
        query = query.where(c.subject == subject)
    return {
        subject: Remembered(Raw(memory), decision)
        for subject, memory, decision in connection.execute(query)
    }


def chain(connection: Connection, seq: int) -> list[Kept]:
    """The decision of this number, after those of its subject back to one whose memory is kept;
    empty where it is not kept, or none of those is."""
    c = decisions.c
    wanted = connection.execute(select(c.controller, c.subject).where(c.seq == seq)).one_or_none()
    if wanted is None:
        return []
    mine = (c.controller == wanted.controller) & (c.subject == wanted.subject) & (c.seq <= seq)
    first = select(func.max(c.seq)).where(mine & c.memory.is_not(None)).scalar_subquery()
    query = select(decisions).where(mine & (c.seq >= first)).order_by(c.seq)
    return [_kept(row) for row in connection.execute(query)]


def recent(
    connection: Connection,
    *,
    subject: str | None = None,
    before_seq: int | None = None,
    limit: int = 100,
) -> list[Kept]:
    """The newest first, of one subject or of all."""
    query = select(decisions).order_by(decisions.c.seq.desc()).limit(limit)
    if subject is not None:
        query = query.where(decisions.c.subject == subject)
    if before_seq is not None:
        query = query.where(decisions.c.seq < before_seq)
    return [_kept(row) for row in connection.execute(query)]


def drop_old(engine: Engine, now_s: float, *, part_rows: int = 2000) -> int:
    """Drop what was decided before `KEPT_S`, a part in each transaction; returns how many."""
    c, gone = decisions.c, 0
    while True:
        with database.writing(engine) as connection:
            part = select(c.seq, c.at_s).order_by(c.seq).limit(part_rows)
            old = [seq for seq, at_s in connection.execute(part) if at_s < now_s - KEPT_S]
            if old:
                connection.execute(delete(decisions).where(c.seq <= old[-1]))
        gone += len(old)
        if len(old) < part_rows:
            return gone


def forget(connection: Connection, controller: str, subjects: Sequence[str]) -> int:
    """Drop what is known of these; of how many something was."""
    c = memories.c
    those = (c.controller == controller) & c.subject.in_(subjects)
    return connection.execute(delete(memories).where(those)).rowcount


def active_s(connection: Connection) -> float:
    """How long loops have worked, all leaders together."""
    query = select(loop_time.c.active_s).where(loop_time.c.name == _LOOP)
    return float(connection.execute(query).scalar() or 0.0)


def work_on(connection: Connection, active_s: float) -> None:
    """They have worked so long now."""
    values = {"active_s": active_s}
    statement = database.upsert(connection, loop_time).values(name=_LOOP, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[loop_time.c.name], set_=values)
    )


def _kept(row: Row[Any]) -> Kept:
    values = dict(row._mapping)
    return Kept(**{**values, "proposals": _proposals(values["proposals"])})
