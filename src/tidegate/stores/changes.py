"""Changes as they are kept: which levers are held, by whom, why and until when.

Rows are ended and never edited; each call writes its audit row and numbers the feed's entry in the
caller's transaction. A dial has one holder. What a controller writes is fenced by its epoch.
"""

from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from tidegate.core.change import Change
from tidegate.core.levers import LEVERS, wrong
from tidegate.core.signal import Signal
from tidegate.stores import audit, feed, leadership
from tidegate.stores.audit import Author
from tidegate.stores.errors import StoreError
from tidegate.stores.leadership import Leadership
from tidegate.stores.schema_changes import changes

State = Literal["waiting", "in force", "lapsed", "ended"]
# over: its time came. lapsed: its leadership renewed it no more. let go: by who held it.
Why = Literal["let go", "over", "lapsed", "superseded", "ended", "void"]

CONTROLLER: Final = "controller:"
_IS_OPEN = changes.c.ended_at_s.is_(None)

_json = msgspec.json.Encoder(order="deterministic").encode
_names = msgspec.json.Decoder(tuple[str, ...]).decode
_signals = msgspec.json.Decoder(tuple[Signal, ...]).decode


class ChangeRefused(StoreError):
    """It is not a change that could be in force. The message says what is wrong."""


class LeverTaken(ChangeRefused):
    """A dial has one holder, and that is another."""


class ChangeNotFound(StoreError):
    """No change of this id is open."""


class Kept(Struct, frozen=True):
    """A change with what became of it. `needs` is how many people have to approve it."""

    change: Change
    needs: int = 0
    ended_at_s: float | None = None
    ended_by: str | None = None
    ended_why: Why | None = None

    def remaining_s(self, now_s: float, led: Leadership) -> float:
        """How long it is still in force, unless it is renewed. 0 is no more, and not yet."""
        change = self.change
        if self.ended_at_s is not None or len(change.approved_by) < self.needs:
            return 0.0
        return change.remaining_s(now_s, led.renewed_at_s)

    def is_over(self, now_s: float) -> bool:
        """Whether its time has come, by the clock, and nobody has ended it yet."""
        until_s = self.change.until_s
        return self.ended_at_s is None and until_s is not None and until_s <= now_s

    def state(self, now_s: float, led: Leadership) -> State:
        if self.ended_at_s is not None:
            return "ended"
        if len(self.change.approved_by) < self.needs:
            return "waiting"
        return "in force" if self.remaining_s(now_s, led) > 0 else "lapsed"


def is_controller(author: str) -> bool:
    return author.startswith(CONTROLLER)


def hold(connection: Connection, change: Change, needs: int = 0) -> Change:
    """Hold a lever from now on, once `needs` people have approved; the change as it is kept.

    ChangeRefused, LeverTaken, Fenced. A dial's own holder sets it anew by this.
    """
    refuse_wrong(change)
    if is_controller(change.author):
        leadership.check(connection, change.epoch)
    else:
        epoch = leadership.present(connection).epoch
        change = msgspec.structs.replace(change, epoch=epoch)
    waits = len(change.approved_by) < needs
    if not waits:
        _make_room(connection, change)
    values = asdict(change)
    values["approved_by"] = _json(change.approved_by).decode()
    values["evidence"] = _json(change.evidence).decode()
    connection.execute(insert(changes).values(**values, needs=needs))
    said = "change.propose" if waits else "change.set"
    note(connection, Author(change.author, change.from_s), said, change, change.reason)
    if not waits:
        feed.append_changes(connection, change.from_s)
    return change


def approve(connection: Connection, change_id: str, author: Author) -> Kept:
    """One more says yes; with the last it is in force. ChangeNotFound, ChangeRefused."""
    kept = find(connection, change_id)
    change = kept.change
    if kept.ended_at_s is not None or len(change.approved_by) >= kept.needs:
        raise ChangeRefused(f"change {change_id} waits for nobody's approval")
    refuse_same(author, change)
    if change.until_s is not None and change.until_s <= author.at_s:
        raise ChangeRefused(f"change {change_id} would be over: its time came while it waited")
    change = msgspec.structs.replace(change, approved_by=(*change.approved_by, author.actor))
    in_force = len(change.approved_by) >= kept.needs
    if in_force:
        _make_room(connection, change, author.at_s)
    values = {"approved_by": _json(change.approved_by).decode()}
    connection.execute(update(changes).where(changes.c.id == change_id).values(values))
    note(connection, author, "change.approve", change)
    if in_force:
        feed.append_changes(connection, author.at_s)
    return msgspec.structs.replace(kept, change=change)


def let_go(connection: Connection, change_id: str, author: Author, why: Why = "ended") -> Change:
    """End it before its time. ChangeNotFound when it is not open. A controller's epoch is looked
    at by whoever calls this."""
    kept = find(connection, change_id)
    if kept.ended_at_s is not None:
        raise ChangeNotFound(f"change {change_id} has ended before")
    _end(connection, (kept,), author, why)
    feed.append_changes(connection, author.at_s)
    return kept.change


def sweep(connection: Connection, now_s: float, *, leases: bool = False) -> list[Change]:
    """End what is over by the clock, each once, and where a leadership begins also the `leases`
    that the one before it did not renew in time. Gateways have let go of them by themselves."""
    led, c = leadership.present(connection), changes.c
    may_be = (c.until_s <= now_s) | (c.lease_s <= now_s - led.renewed_at_s)
    gone = [
        kept
        for kept in _open(connection, may_be)
        if kept.is_over(now_s) or (leases and kept.state(now_s, led) == "lapsed")
    ]
    for kept in gone:
        why: Why = "over" if kept.change.until_s is not None else "lapsed"
        _end(connection, (kept,), Author(kept.change.author, now_s), why)
    if gone:
        feed.append_changes(connection, now_s)
    return [kept.change for kept in gone]


def in_force(connection: Connection, now_s: float) -> list[Change]:
    """What holds a lever now, the oldest first."""
    led = leadership.present(connection)
    return [kept.change for kept in _open(connection) if kept.remaining_s(now_s, led) > 0]


def told(connection: Connection, now_s: float) -> list[tuple[Change, float]]:
    """What gateways are told of, and how long each holds unless it is renewed: also leases that
    nobody renews now, at 0, for their leader may come back."""
    led = leadership.present(connection)
    approved = [one for one in _open(connection) if one.state(now_s, led) != "waiting"]
    known = [(kept.change, kept.remaining_s(now_s, led)) for kept in approved]
    return [(change, left_s) for change, left_s in known if left_s > 0 or change.lease_s]


def find(connection: Connection, change_id: str) -> Kept:
    """ChangeNotFound."""
    row = connection.execute(select(changes).where(changes.c.id == change_id)).one_or_none()
    if row is None:
        raise ChangeNotFound(f"there is no change {change_id}")
    return _kept(row)


def recent(connection: Connection, *, ended: bool = False, limit: int = 100) -> list[Kept]:
    """The newest first: those that are open, or with those that have `ended`."""
    query = select(changes).order_by(changes.c.from_s.desc(), changes.c.id.desc()).limit(limit)
    return [_kept(row) for row in connection.execute(query if ended else query.where(_IS_OPEN))]


def trim(connection: Connection, before_s: float) -> int:
    """Drop what ended before; the audit trail goes on telling of it. Returns how many."""
    return connection.execute(delete(changes).where(changes.c.ended_at_s < before_s)).rowcount


def refuse_wrong(change: Change) -> None:
    """ChangeRefused where it could never be in force."""
    what = wrong(change.lever, change.scope, change.value)
    if what is not None:
        raise ChangeRefused(what)
    if (change.until_s is None) == (change.lease_s is None):
        raise ChangeRefused("a change lasts until a time, or as long as it is renewed")
    lasts_s = change.lease_s if change.until_s is None else change.until_s - change.from_s
    if lasts_s is None or not 0 < lasts_s < float("inf"):
        raise ChangeRefused("a change ends after it has begun")


def refuse_same(author: Author, change: Change) -> None:
    """ChangeRefused for who has set it or approved it before."""
    if author.actor in (change.author, *change.approved_by):
        raise ChangeRefused(f"{author.actor} has spoken: somebody else has to approve it")


def _make_room(connection: Connection, change: Change, now_s: float | None = None) -> None:
    """A dial's own holder gives it up for the new value. LeverTaken where it is another's."""
    if LEVERS[change.lever].kind == "clamp":
        return
    at_s = change.from_s if now_s is None else now_s
    led = leadership.present(connection)
    same = (changes.c.lever == change.lever) & (changes.c.scope == change.scope)
    for kept in (_kept(row) for row in connection.execute(select(changes).where(_IS_OPEN & same))):
        holder, state = kept.change, kept.state(at_s, led)
        if state == "waiting":
            continue
        if state == "in force" and holder.author != change.author:
            raise LeverTaken(
                f"{change.lever} of {change.scope} is held by {holder.author} "
                f"(change {holder.id}: {holder.reason}); a dial has one holder"
            )
        why: Why = "superseded" if state == "in force" else "lapsed"
        _end(connection, (kept,), Author(change.author, at_s), why)


def _end(connection: Connection, gone: Iterable[Kept], author: Author, why: Why) -> None:
    values = {"ended_at_s": author.at_s, "ended_by": author.actor, "ended_why": why}
    for kept in gone:
        mine = (changes.c.id == kept.change.id) & _IS_OPEN
        connection.execute(update(changes).where(mine).values(values))
        note(connection, author, "change.end", kept.change, why)


def note(
    connection: Connection, author: Author, what: str, change: Change, detail: str = ""
) -> None:
    """Write of a change in the audit trail."""
    said = f"{change.lever} {change.scope} = {change.value:g}"
    audit.append(connection, author, what, change.id, f"{said}: {detail}" if detail else said)


def _open(connection: Connection, *which: ColumnElement[bool]) -> list[Kept]:
    query = select(changes).where(_IS_OPEN, *which).order_by(changes.c.from_s, changes.c.id)
    return [_kept(row) for row in connection.execute(query)]


def _kept(row: Row[Any]) -> Kept:
    values = dict(row._mapping)
    became = {name: values.pop(name) for name in Kept.__struct_fields__ if name != "change"}
    values["approved_by"] = _names(values["approved_by"])
    values["evidence"] = _signals(values["evidence"])
    return Kept(Change(**values), **became)
