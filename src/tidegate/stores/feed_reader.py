"""What a gateway reads of the feed by itself: the entries that control would tell it."""

from typing import Any, Final

from msgspec import Raw

from tidegate.core.feed import Entry, Forget, KeyChanged, PlanPublished
from tidegate.stores.read_only import Reading, ReadOnly

# Who missed more than this forgets all keys: cheaper than naming each.
_MOST_NAMED: Final = 10_000
_FROM = "SELECT seq, key_id FROM feed WHERE seq >= ? ORDER BY seq LIMIT ?"
_NEWEST = "SELECT max(seq) FROM feed"
_PLAN = "SELECT version, plan FROM plans ORDER BY version DESC LIMIT 1"


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
    entries = [Entry(seq, KeyChanged(key_id)) for seq, key_id in rows if key_id is not None]
    if len(entries) < len(rows):
        entries += _plan(connection, rows[-1][0])
    return entries


def _afresh(connection: Reading) -> list[Entry]:
    (newest,) = connection.execute(_NEWEST).fetchone()
    if not newest:
        return []
    return [Entry(newest, Forget()), *_plan(connection, newest)]


def _plan(connection: Reading, seq: int) -> list[Entry]:
    row = connection.execute(_PLAN).fetchone()
    return [] if row is None else [Entry(seq, PlanPublished(row[0], Raw(bytes(row[1]))))]
