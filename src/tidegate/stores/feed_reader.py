"""What a gateway reads of the feed by itself: the entries that control would tell it.

Beats are not among them: where control is silent, leases run out.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw

from tidegate.core import clock
from tidegate.core.change import Change
from tidegate.core.feed import (
    MOST_TOLD,
    TOLD_S,
    AnswersInvalidated,
    ChangesInForce,
    Entry,
    Forget,
    Invalidation,
    KeyChanged,
    PlanPublished,
    in_force_of,
)
from tidegate.stores.read_only import Reading, ReadOnly

# Who missed more than this forgets all keys: cheaper than naming each.
_MOST_NAMED: Final = 10_000
_FROM = "SELECT seq, key_id, kind, invalidation FROM feed WHERE seq >= ? ORDER BY seq LIMIT ?"
_NEWEST = "SELECT max(seq) FROM feed"
_CHANGES = (
    "SELECT l.epoch, l.renewed_at_s, c.id, c.lever, c.scope, c.value, c.from_s, c.until_s,"
    " c.lease_s, c.needs, c.approved_by"
    " FROM (SELECT coalesce(max(epoch), 0) AS epoch, coalesce(max(renewed_at_s), 0.0)"
    " AS renewed_at_s FROM leadership) l LEFT JOIN changes c ON c.ended_at_s IS NULL"
    " ORDER BY c.from_s, c.id"
)
_LATELY = (
    "SELECT invalidation FROM feed WHERE kind = 'answers' AND at_s >= ? ORDER BY seq DESC LIMIT ?"
)
_PLAN = "SELECT version, plan FROM plans ORDER BY version DESC LIMIT 1"

_invalidation = msgspec.json.Decoder(Invalidation).decode
_names = msgspec.json.Decoder(list[str]).decode


class FeedReader(ReadOnly):
    """Raises StoreUnavailable when the database cannot be read."""

    def after(self, seq: int) -> list[Entry]:
        """Entries above `seq` in order, of plans only the newest. Where some of them are gone, or
        the store has not come to `seq` yet, they are such as stand for everything; so for 0."""
        with self.reading() as connection:
            rows = connection.execute(_FROM, (seq, _MOST_NAMED + 2)).fetchall()
            if seq == 0 or not rows or rows[0][0] != seq or len(rows) > _MOST_NAMED + 1:
                return _afresh(connection)
            return _named(connection, rows[1:])


def _named(connection: Reading, rows: list[tuple[Any, ...]]) -> list[Entry]:
    entries: list[Entry] = []
    for seq, key_id, _, invalidation in rows:
        if key_id is not None:
            entries.append(Entry(seq, KeyChanged(key_id)))
        elif invalidation is not None:
            entries.append(Entry(seq, AnswersInvalidated((_invalidation(invalidation),))))
    kinds = {row[2] for row in rows}
    if "changes" in kinds:
        entries.append(_changes(connection, rows[-1][0]))
    if "plan" in kinds:
        entries += _plan(connection, rows[-1][0])
    return entries


def _afresh(connection: Reading) -> list[Entry]:
    (newest,) = connection.execute(_NEWEST).fetchone()
    if not newest:
        return []
    told = [Entry(newest, Forget()), _changes(connection, newest)]
    lately = connection.execute(_LATELY, (clock.wall_s() - TOLD_S, MOST_TOLD)).fetchall()
    if lately:
        invalidated = tuple(_invalidation(text) for (text,) in reversed(lately))
        told.append(Entry(newest, AnswersInvalidated(invalidated)))
    return told + _plan(connection, newest)


def _plan(connection: Reading, seq: int) -> list[Entry]:
    row = connection.execute(_PLAN).fetchone()
    return [] if row is None else [Entry(seq, PlanPublished(row[0], Raw(bytes(row[1]))))]


def _changes(connection: Reading, seq: int) -> Entry:
    now_s = clock.wall_s()
    rows = connection.execute(_CHANGES).fetchall()
    epoch, renewed_at_s = rows[0][:2]
    told = []
    for _, _, *held, needs, approved_by in rows:
        change_id, lever, scope, value, from_s, until_s, lease_s = held
        if change_id is None or len(_names(approved_by)) < needs:
            continue
        change = Change(change_id, lever, scope, value, "", "", from_s, until_s, lease_s)
        left_s = change.remaining_s(now_s, renewed_at_s)
        if left_s > 0 or lease_s is not None:
            told.append(in_force_of(change, left_s))
    return Entry(seq, ChangesInForce(epoch, tuple(told)))
