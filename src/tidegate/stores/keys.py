"""Writing keys. Each change puts its feed entry and its audit row in the same transaction.

Only the keyed digest of a key is stored. Reading on a gateway's behalf is `key_reader`.
"""

from collections.abc import Callable

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    func,
    insert,
    select,
    update,
)

from tidegate.core.key import ONLINE_QUALITY, KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.purpose import EVAL
from tidegate.stores import audit, database, feed, key_raises
from tidegate.stores.audit import Author
from tidegate.stores.errors import StoreError
from tidegate.stores.schema import keys

_routes = msgspec.json.Decoder(tuple[str, ...]).decode
_attributes = msgspec.json.Decoder(dict[str, str]).decode
_limits = msgspec.json.Decoder(KeyLimits).decode
_FIXED = ("id", "digest", "pepper_version", "created_at_s", "revoked_at_s")
_LAST_CHARACTER = "\U0010ffff"
_json = msgspec.json.Encoder(order="deterministic").encode


class KeyExists(StoreError):
    """The id is taken: draw a new one."""


class KeyNotFound(StoreError):
    """There is no key of this id."""


class KeyFilter(msgspec.Struct, frozen=True):
    """Which keys to list. Prefixes are literal and tell capitals from small letters."""

    id_prefix: str | None = None
    name_prefix: str | None = None
    team: str | None = None
    include_revoked: bool = True


def create(engine: Engine, record: KeyRecord, author: Author) -> int:
    """Store a new key. Returns its feed number. KeyExists when the id is taken."""
    with database.writing(engine) as connection:
        _insert(connection, record)
        key_raises.follow(connection, record, author, "with the key")
        audit.append(connection, author, "key.create", record.id, _told(record))
        return feed.append_key(connection, record.id, author.at_s)


def get(engine: Engine, key_id: str) -> KeyRecord | None:
    """The key of this id, revoked or not."""
    with database.reading(engine) as connection:
        return _get(connection, key_id)


def beginning(connection: Connection, prefix: str) -> dict[str, KeyRecord]:
    """Every key whose id begins so, revoked or not, by its id; in the caller's transaction."""
    rows = connection.execute(select(keys).where(*_begins(keys.c.id, prefix)))
    return {record.id: record for record in map(_record, rows)}


def place(connection: Connection, records: list[KeyRecord]) -> None:
    """Store these, each in place of the one that its id has, in the caller's transaction. The
    audit and the feed are the caller's."""
    if not records:
        return
    statement = database.upsert(connection, keys)
    fresh = {it.name: statement.excluded[it.name] for it in keys.columns if it.name != "id"}
    statement = statement.on_conflict_do_update(index_elements=[keys.c.id], set_=fresh)
    connection.execute(statement, [_values(record) for record in records])


def find(
    engine: Engine, which: KeyFilter, *, limit: int = 100, after_id: str | None = None
) -> list[KeyRecord]:
    """Keys in the order of their ids, at most `limit`, beyond `after_id` (the last one seen)."""
    query = _matching(which).order_by(keys.c.id).limit(limit)
    if after_id is not None:
        query = query.where(keys.c.id > after_id)
    with database.reading(engine) as connection:
        return [_record(row) for row in connection.execute(query)]


def count(engine: Engine, which: KeyFilter) -> int:
    """How many keys there are of these."""
    with database.reading(engine) as connection:
        of = _matching(which).subquery()
        return connection.execute(select(func.count()).select_from(of)).scalar_one()


def any_limited(connection: Connection) -> bool:
    """Whether a key that is not revoked brings limits of its own. Those of control's own key follow
    the plan, and stand in no plan's way."""
    c = keys.c
    own = (c.name == ONLINE_QUALITY) & (c.purpose == EVAL)
    found = select(c.id).where(c.limits.is_not(None), c.revoked_at_s.is_(None), ~own)
    return connection.execute(found.limit(1)).first() is not None


def revoke(engine: Engine, key_id: str, author: Author) -> int:
    """Revoke a key from now on. Returns the feed number. KeyNotFound when there is none.

    A key that is revoked already keeps its first time and is announced once more.
    """
    with database.writing(engine) as connection:
        record = _get(connection, key_id)
        if record is None:
            raise KeyNotFound(f"there is no key {key_id}")
        if record.revoked_at_s is None:
            change = update(keys).where(keys.c.id == key_id).values(revoked_at_s=author.at_s)
            connection.execute(change)
            audit.append(connection, author, "key.revoke", key_id)
        return feed.append_key(connection, key_id, author.at_s)


def edit(
    engine: Engine,
    key_id: str,
    change: Callable[[KeyRecord], KeyRecord],
    author: Author,
    first: Callable[[Connection], object] | None = None,
) -> int:
    """Store what `change` makes of a live key, after `first` in the same transaction. Returns the
    feed number. KeyNotFound.

    Its id, its secret and whether it is revoked stay as they are.
    """
    with database.writing(engine) as connection:
        if first is not None:
            first(connection)
        old = _get(connection, key_id)
        if old is None or old.revoked_at_s is not None:
            raise KeyNotFound(f"there is no live key {key_id}")
        fresh = change(old)
        fixed = {name: getattr(old, name) for name in _FIXED}
        fresh = msgspec.structs.replace(fresh, **fixed)
        connection.execute(update(keys).where(keys.c.id == key_id).values(_values(fresh)))
        key_raises.follow(connection, fresh, author, "with the key")
        audit.append(connection, author, "key.edit", key_id, _told(fresh))
        return feed.append_key(connection, key_id, author.at_s)


def revoke_all(connection: Connection, team: str, author: Author) -> list[str]:
    """Revoke every live key of a team in the caller's transaction; their ids."""
    live = (keys.c.team == team) & keys.c.revoked_at_s.is_(None)
    found = list(connection.execute(select(keys.c.id).where(live).order_by(keys.c.id)).scalars())
    connection.execute(update(keys).where(live).values(revoked_at_s=author.at_s))
    for key_id in found:
        audit.append(connection, author, "key.revoke", key_id, "its team was deleted")
        feed.append_key(connection, key_id, author.at_s)
    return found


def rotate(
    engine: Engine,
    old_id: str,
    succeed: Callable[[KeyRecord], KeyRecord],
    author: Author,
    *,
    overlap_s: float = 0.0,
) -> int:
    """Store what `succeed` makes of `old_id` beside it, which ends `overlap_s` seconds from now
    (0: at once).

    Returns the newest feed number. KeyNotFound when the old key is missing or revoked.
    """
    with database.writing(engine) as connection:
        old = _get(connection, old_id)
        if old is None or old.revoked_at_s is not None:
            raise KeyNotFound(f"there is no live key {old_id} to rotate")
        fresh = succeed(old)
        _insert(connection, fresh)
        key_raises.follow(connection, fresh, author, f"as of key {old_id} before it")
        ends_at_s = author.at_s + overlap_s
        if overlap_s <= 0:
            change = update(keys).values(revoked_at_s=author.at_s)
        else:
            first = ends_at_s if old.expires_at_s is None else min(ends_at_s, old.expires_at_s)
            change = update(keys).values(expires_at_s=first)
        connection.execute(change.where(keys.c.id == old_id))
        audit.append(connection, author, "key.rotate", old_id, f"successor {fresh.id}")
        feed.append_key(connection, old_id, author.at_s)
        return feed.append_key(connection, fresh.id, author.at_s)


def successor(
    old: KeyRecord, key_id: str, digest: bytes, pepper_version: int, at_s: float
) -> KeyRecord:
    """A new key with the grants of `old`."""
    return msgspec.structs.replace(
        old,
        id=key_id,
        digest=digest,
        pepper_version=pepper_version,
        created_at_s=at_s,
        revoked_at_s=None,
    )


def _insert(connection: Connection, record: KeyRecord) -> None:
    if _get(connection, record.id) is not None:
        raise KeyExists(f"key id {record.id} is taken")
    connection.execute(insert(keys).values(_values(record)))


def _values(record: KeyRecord) -> dict[str, object]:
    values = msgspec.structs.asdict(record)
    values["routes"] = _json(record.routes).decode()
    values["attributes"] = _json(record.attributes).decode()
    values["limits"] = None if record.limits is None else _json(record.limits).decode()
    return values


def _get(connection: Connection, key_id: str) -> KeyRecord | None:
    row = connection.execute(select(keys).where(keys.c.id == key_id)).one_or_none()
    return None if row is None else _record(row)


def _record(row: "Row[tuple[object, ...]]") -> KeyRecord:
    values = dict(row._mapping)
    values["routes"] = _routes(values["routes"])
    values["attributes"] = _attributes(values["attributes"])
    values["limits"] = None if values["limits"] is None else _limits(values["limits"])
    return KeyRecord(**values)


def _matching(which: KeyFilter) -> "Select[tuple[object, ...]]":
    query = select(keys)
    if which.id_prefix:
        query = query.where(*_begins(keys.c.id, which.id_prefix))
    if which.name_prefix:
        query = query.where(*_begins(keys.c.name, which.name_prefix))
    if which.team is not None:
        query = query.where(keys.c.team == which.team)
    if not which.include_revoked:
        query = query.where(keys.c.revoked_at_s.is_(None))
    return query


def _begins(column: "Column[str]", prefix: str) -> list["ColumnElement[bool]"]:
    """A range that an index serves, and the exact comparison: no LIKE, so nothing to escape."""
    conditions = [column >= prefix, func.substr(column, 1, len(prefix)) == prefix]
    stem = prefix.rstrip(_LAST_CHARACTER)
    if stem:
        beyond = ord(stem[-1]) + 1
        conditions.append(column < stem[:-1] + chr(beyond if beyond != 0xD800 else 0xE000))
    return conditions


def _told(record: KeyRecord) -> str:
    return f"{record.name} for {record.team}, routes {', '.join(record.routes)}"
