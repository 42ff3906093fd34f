"""Changes that are to begin later, at a time of the wall clock.

Nobody is told of one before it begins. Then it becomes a change of the same id, in one transaction
with the end of its row here, so that it begins once, whatever is killed and however many see that
its time has come; and what it may hold is judged then.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from tidegate.core.change import Change
from tidegate.stores import changes
from tidegate.stores.audit import Author
from tidegate.stores.changes import ChangeNotFound, ChangeRefused
from tidegate.stores.schema_schedule import scheduled_changes as table

MOST_OPEN: Final = 1000
BEGUN: Final = "begun"
_IS_OPEN = table.c.closed_at_s.is_(None)
_OF_CHANGE = ("id", "lever", "scope", "value", "reason", "author", "from_s", "until_s")

_json = msgspec.json.Encoder(order="deterministic").encode
_names = msgspec.json.Decoder(tuple[str, ...]).decode


class Scheduled(Struct, frozen=True):
    """A change that is to hold from `from_s` until `until_s`, once `needs` people have approved it.
    `closed_why` says what became of it. `anyway`: also where it leaves a route with nothing that
    serves it."""

    change: Change
    needs: int = 0
    anyway: bool = False
    closed_at_s: float | None = None
    closed_by: str | None = None
    closed_why: str | None = None

    @property
    def until_s(self) -> float:
        return self.change.until_s or 0.0

    @property
    def waits(self) -> bool:
        """Whether somebody still has to approve it."""
        return len(self.change.approved_by) < self.needs


def add(connection: Connection, one: Scheduled, at_s: float) -> None:
    """Have it begin when its time comes. ChangeRefused."""
    changes.refuse_wrong(one.change)
    count = select(func.count()).select_from(table).where(_IS_OPEN)
    if connection.execute(count).scalar_one() >= MOST_OPEN:
        raise ChangeRefused(f"{MOST_OPEN} changes are scheduled already; end some of them")
    values = {name: getattr(one.change, name) for name in _OF_CHANGE}
    values["approved_by"] = _json(one.change.approved_by).decode()
    connection.execute(insert(table).values(**values, needs=one.needs, anyway=int(one.anyway)))
    _note(connection, Author(one.change.author, at_s), "change.schedule", one, one.change.reason)


def to_come(connection: Connection) -> list[Scheduled]:
    """What is to begin, the next first."""
    return _select(connection, _IS_OPEN, table.c.from_s)


def never_begun(connection: Connection, limit: int) -> list[Scheduled]:
    """What was ended, or could not begin; the newest first."""
    why = ~_IS_OPEN & (table.c.closed_why != BEGUN)
    return _select(connection, why, table.c.from_s.desc(), most=limit)


def find(connection: Connection, change_id: str) -> Scheduled:
    """ChangeNotFound."""
    found = _select(connection, table.c.id == change_id, table.c.id)
    if not found:
        raise ChangeNotFound(f"there is no change {change_id}")
    return found[0]


def is_open(connection: Connection, change_id: str) -> bool:
    query = select(table.c.id).where(_IS_OPEN, table.c.id == change_id)
    return connection.execute(query).first() is not None


def approve(connection: Connection, change_id: str, author: Author) -> Scheduled:
    """One more says yes. ChangeNotFound, ChangeRefused."""
    one = find(connection, change_id)
    if one.closed_at_s is not None or not one.waits:
        raise ChangeRefused(f"change {change_id} waits for nobody's approval")
    changes.refuse_same(author, one.change)
    approved = replace(one.change, approved_by=(*one.change.approved_by, author.actor))
    values = {"approved_by": _json(approved.approved_by).decode()}
    connection.execute(update(table).where(table.c.id == change_id).values(values))
    _note(connection, author, "change.approve", one)
    return replace(one, change=approved)


def close(connection: Connection, one: Scheduled, author: Author, why: str = "ended") -> bool:
    """It does not begin any more; False where somebody else has closed it, or it has begun."""
    if not _close(connection, one, author, why):
        return False
    _note(connection, author, "change.end", one, why)
    return True


def due(connection: Connection, now_s: float) -> list[Scheduled]:
    """What should begin now, the first first: approved, and also what should be over by now."""
    at_its_time = _select(connection, _IS_OPEN & (table.c.from_s <= now_s), table.c.from_s)
    return [one for one in at_its_time if not one.waits or one.until_s <= now_s]


def begin(connection: Connection, one: Scheduled, now_s: float) -> Change | None:
    """The change as it holds from now on; None where somebody else has begun or closed it.
    ChangeRefused, LeverTaken: then nothing of this transaction may stay."""
    if not _close(connection, one, Author(one.change.author, now_s), BEGUN):
        return None
    return changes.hold(connection, replace(one.change, from_s=now_s), one.needs)


def trim(connection: Connection, before_s: float) -> int:
    """Drop what was closed before; returns how many."""
    return connection.execute(delete(table).where(table.c.closed_at_s < before_s)).rowcount


def _close(connection: Connection, one: Scheduled, author: Author, why: str) -> bool:
    mine = (table.c.id == one.change.id) & _IS_OPEN
    values = {"closed_at_s": author.at_s, "closed_by": author.actor, "closed_why": why}
    return connection.execute(update(table).where(mine).values(values)).rowcount == 1


def _select(
    connection: Connection,
    which: ColumnElement[bool],
    order: ColumnElement[Any],
    *,
    most: int | None = None,
) -> list[Scheduled]:
    query = select(table).where(which).order_by(order, table.c.id).limit(most)
    return [_scheduled(row) for row in connection.execute(query)]


def _scheduled(row: Row[Any]) -> Scheduled:
    values = dict(row._mapping)
    of_change = {name: values.pop(name) for name in _OF_CHANGE}
    approved_by = _names(values.pop("approved_by"))
    values["anyway"] = bool(values["anyway"])
    return Scheduled(Change(**of_change, approved_by=approved_by), **values)


def _note(
    connection: Connection, author: Author, what: str, one: Scheduled, detail: str = ""
) -> None:
    changes.note(connection, author, what, one.change, detail)
