"""How far signals are: up to which receipt each recorder's are folded, and the newest change.

A mark moves in the transaction that stores what it speaks of, so that a kill at any moment leaves
both as they were before, or both as they are after.
"""

from sqlalchemy import Connection, select, update

from tidegate.stores import database
from tidegate.stores.schema_signals import signal_marks

_CHANGED = "changed"
_FOLDED = "folded:"


def folded(connection: Connection, node: str) -> int:
    """The number in the ledger of the last receipt of this recorder that is folded; 0 for none."""
    return _read(connection, _FOLDED + node)


def set_folded(connection: Connection, node: str, seq: int) -> None:
    _write(connection, _FOLDED + node, seq)


def lower(connection: Connection, seq: int) -> None:
    """No recorder's mark may be beyond this number, which is the newest receipt's."""
    beyond = signal_marks.c.name.startswith(_FOLDED) & (signal_marks.c.value > seq)
    connection.execute(update(signal_marks).where(beyond).values(value=seq))


def newest_change(connection: Connection) -> int:
    """The newest number of `signals.changed`; 0 for none."""
    return _read(connection, _CHANGED)


def next_change(connection: Connection) -> int:
    """A number of its own for the changes of this transaction, which is the only one at a time."""
    number = _read(connection, _CHANGED) + 1
    _write(connection, _CHANGED, number)
    return number


def _read(connection: Connection, name: str) -> int:
    query = select(signal_marks.c.value).where(signal_marks.c.name == name)
    return connection.execute(query).scalar() or 0


def _write(connection: Connection, name: str, value: int) -> None:
    statement = database.upsert(connection, signal_marks).values(name=name, value=value)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[signal_marks.c.name], set_={"value": statement.excluded.value}
        )
    )
