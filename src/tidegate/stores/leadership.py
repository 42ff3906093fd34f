"""Which leadership of the loop is the present one: whatever a loop writes says its own, and is
refused when another has begun since.

The lock that makes one control lead (`stores.leader`) may be lost without its holder knowing. The
epoch here is looked at in the transaction of each write, so an act that comes late changes nothing.
"""

from msgspec import Struct
from sqlalchemy import Connection, select, update

from tidegate.stores import database
from tidegate.stores.errors import StoreError
from tidegate.stores.schema_changes import leadership

_LOOP = "loop"


class Fenced(StoreError):
    """Another leadership has begun: what was decided in this one is void."""


class Leadership(Struct, frozen=True):
    """`epoch` 0: nobody has led yet. `beat` rises with each renewal. Wall-clock seconds."""

    epoch: int = 0
    beat: int = 0
    node: str = ""
    taken_at_s: float = 0.0
    renewed_at_s: float = 0.0


def present(connection: Connection) -> Leadership:
    """Who leads now, and how long since it said so."""
    c = leadership.c
    query = select(c.epoch, c.beat, c.node, c.taken_at_s, c.renewed_at_s).where(c.name == _LOOP)
    row = connection.execute(query).one_or_none()
    return Leadership() if row is None else Leadership(*row)


def take(connection: Connection, node: str, now_s: float) -> int:
    """Begin a leadership; its epoch. Every one before it is fenced from this transaction on."""
    before = present(connection)
    values = {
        "node": node,
        "epoch": before.epoch + 1,
        "beat": before.beat,
        "taken_at_s": now_s,
        "renewed_at_s": before.renewed_at_s,
    }
    statement = database.upsert(connection, leadership).values(name=_LOOP, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=[leadership.c.name], set_=values)
    )
    return before.epoch + 1


def check(connection: Connection, epoch: int) -> None:
    """Fenced when this is not the present leadership."""
    now = present(connection)
    if now.epoch != epoch:
        raise Fenced(
            f"leadership {epoch} of the loop is over: {now.node or 'nobody'} began {now.epoch}"
        )


def beat(connection: Connection, epoch: int, now_s: float) -> int:
    """Renew every lease of this leadership, in the transaction of its act. Fenced."""
    check(connection, epoch)
    number = present(connection).beat + 1
    connection.execute(
        update(leadership).where(leadership.c.name == _LOOP).values(beat=number, renewed_at_s=now_s)
    )
    return number
