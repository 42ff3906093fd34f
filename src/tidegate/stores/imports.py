"""Taking in what comes from another gateway, in the caller's transaction: all of it or nothing.

Of each thing it is kept what it was there and what it became here. So the same import again
changes nothing, one that comes later changes what has changed there, and what has changed here as
well is a conflict that somebody has to decide.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from tidegate.stores import database
from tidegate.stores.schema_imports import imported

T = TypeVar("T", bound=Struct)
R = TypeVar("R")
_json = msgspec.json.Encoder(order="deterministic").encode


class Counts(Struct):
    """How many of one kind are new, changed, as they were, and left as they are here."""

    new: int = 0
    changed: int = 0
    same: int = 0
    kept: int = 0


class Kind(Struct, Generic[T, R]):
    """How one kind is stored: what it is called there, what is here of it, and to have several
    so."""

    name: str
    id_of: Callable[[T], str]
    find: Callable[[T], R | None]
    make: Callable[[T, R | None], R]
    put: Callable[[list[R]], object]
    tell: Callable[[R], object]


class Taking:
    """One import from `source` at a time of the wall clock. With `keep_ours` what stands in its way
    is left as it is here."""

    def __init__(
        self, connection: Connection, source: str, at_s: float, *, keep_ours: bool
    ) -> None:
        self._connection = connection
        self._source = source
        self._at_s = at_s
        self._keep_ours = keep_ours
        self.counts: dict[str, Counts] = {}
        self.conflicts: list[str] = []

    def take(self, kind: Kind[T, R], several: Iterable[T]) -> None:
        """Each of these, where nothing stands in its way."""
        counts = self.counts[kind.name] = Counts()
        before = self._before(kind.name)
        rows, fresh_ones = [], []
        for one in several:
            name, theirs = kind.id_of(one), _json(one).decode()
            known, here = before.get(name), kind.find(one)
            if known is not None and known[0] == theirs:
                counts.same += 1
                continue
            problem = _problem(kind, known, here)
            if problem is not None:
                counts.kept += 1
                if not self._keep_ours:
                    self.conflicts.append(f"{kind.name} {name}: {problem}")
                ours = "null" if here is None else _json(kind.tell(here)).decode()
                rows.append({"id": name, "theirs": theirs, "ours": ours})
                continue
            fresh = kind.make(one, here)
            fresh_ones.append(fresh)
            counts.new += here is None
            counts.changed += here is not None
            rows.append({"id": name, "theirs": theirs, "ours": _json(kind.tell(fresh)).decode()})
        kind.put(fresh_ones)
        self._note(kind.name, rows)

    def names(self, kind: str) -> set[str]:
        """What was taken in of this kind by now, also before."""
        return set(self._before(kind))

    def _before(self, kind: str) -> dict[str, tuple[str, str]]:
        c = imported.c
        mine = (c.source == self._source) & (c.kind == kind)
        rows = self._connection.execute(select(c.id, c.theirs, c.ours).where(mine))
        return {row.id: (row.theirs, row.ours) for row in rows}

    def _note(self, kind: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        statement = database.upsert(self._connection, imported)
        key = [imported.c.source, imported.c.kind, imported.c.id]
        kept = {name: statement.excluded[name] for name in ("theirs", "ours", "at_s")}
        statement = statement.on_conflict_do_update(index_elements=key, set_=kept)
        whose = {"source": self._source, "kind": kind, "at_s": self._at_s}
        self._connection.execute(statement, [{**whose, **row} for row in rows])


def _problem(kind: Kind[T, R], known: tuple[str, str] | None, here: R | None) -> str | None:
    """Why what has changed there cannot simply be had here."""
    if known is None:
        return None if here is None else "there is one here already that was not imported"
    if here is None:
        return "it was imported before and has been ended here"
    if _json(kind.tell(here)).decode() != known[1]:
        return "it has changed here as well as there since it was imported"
    return None
