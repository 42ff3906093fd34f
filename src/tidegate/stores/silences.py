"""Silences: which notices nobody is told of until a time, and by whose word.

Whether one is in force is read off the clock and never stored; none is ever deleted or changed.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from tidegate.core import clock
from tidegate.core.notice import Notice, Severity, Topic
from tidegate.stores import audit
from tidegate.stores.audit import Author
from tidegate.stores.schema_notices import silences

MAX_IN_FORCE = 200
_STAR = "*"

_s = silences.c


class Matchers(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a notice must be for a silence to hold it back: all that is said here. `key` is a
    notice's key, in which `*` stands for anything."""

    topic: Topic | None = None
    severity: Severity | None = None
    route: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    key: Annotated[str, Meta(min_length=1, max_length=500)] | None = None

    def match(self, notice: Notice) -> bool:
        return (
            self.topic in (None, notice.topic)
            and self.severity in (None, notice.severity)
            and self.route in (None, notice.route)
            and (self.key is None or _fits(notice.key, self.key))
        )


class Silence(Struct, frozen=True):
    """What is held back from `at_s` to `until_s`, or to `ended_at_s` if that came first."""

    id: str
    matchers: Matchers
    reason: str
    author: str
    at_s: float
    until_s: float
    ended_at_s: float | None = None


class TooManySilences(Exception):
    """There are as many in force as there may be. The message says how many."""


def add(
    connection: Connection, matchers: Matchers, until_s: float, reason: str, author: Author
) -> Silence:
    """Hold back from now on what matches. TooManySilences."""
    if _count(connection, author.at_s) >= MAX_IN_FORCE:
        raise TooManySilences(f"{MAX_IN_FORCE} silences are in force; end some first")
    silence = Silence(clock.IdSource().new(), matchers, reason, author.actor, author.at_s, until_s)
    row = msgspec.structs.asdict(silence)
    row["matchers"] = msgspec.json.encode(matchers).decode()
    connection.execute(insert(silences).values(row))
    audit.append(connection, author, "notice.silence", silence.id, row["matchers"])
    return silence


def end(connection: Connection, silence_id: str, author: Author) -> bool:
    """End a silence before its time; False when none of this id is in force."""
    ended = update(silences).where(_s.id == silence_id, _in_force(author.at_s))
    if not connection.execute(ended.values(ended_at_s=author.at_s)).rowcount:
        return False
    audit.append(connection, author, "notice.unsilence", silence_id)
    return True


def in_force(connection: Connection, now_s: float) -> list[Silence]:
    """The oldest first."""
    query = select(silences).where(_in_force(now_s)).order_by(_s.id)
    return [
        Silence(**{**row, "matchers": msgspec.json.decode(row["matchers"], type=Matchers)})
        for row in connection.execute(query).mappings()
    ]


def _count(connection: Connection, now_s: float) -> int:
    query = select(func.count()).select_from(silences).where(_in_force(now_s))
    return connection.execute(query).scalar_one()


def _in_force(now_s: float) -> ColumnElement[bool]:
    return (_s.until_s > now_s) & _s.ended_at_s.is_(None)


def _fits(text: str, pattern: str) -> bool:
    """Whether the text is the pattern with something for each star. Linear in the text."""
    first, *rest = pattern.split(_STAR)
    if not rest:
        return text == pattern
    *middle, last = rest
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end_at = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end_at)
        if found < 0:
            return False
        at = found + len(part)
    return True
