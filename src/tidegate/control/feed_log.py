"""The feed's entries as the store keeps them, with the plan put in where one was published, and the
changes that are in force where they are others than before."""

from collections.abc import Callable

from sqlalchemy import Engine, func, select

from tidegate.control.publication import Publication
from tidegate.core import clock
from tidegate.core.feed import (
    AnswersInvalidated,
    ChangesInForce,
    Entry,
    KeyChanged,
    PlanPublished,
    in_force_of,
)
from tidegate.stores import audit, changes, database, feed, leadership, plans, schema
from tidegate.stores.audit import Author
from tidegate.stores.feed import FeedRow

KEPT_ENTRIES = 50_000
_PAGE = 1000
# A gateway that missed more than this forgets all its keys: cheaper than naming each.
_MOST_REPLAYED = 10_000


class FeedLog:
    """The source of the feed server. Blocking; called off the loop.

    What gateways wait for is read by `reads`, where there is a way of its own for that.
    """

    def __init__(
        self,
        engine: Engine,
        current_plan: Callable[[], PlanPublished],
        reads: Engine | None = None,
    ) -> None:
        self._engine = engine
        self._reads = reads or engine
        self.current_plan = current_plan

    def newest_seq(self) -> int:
        with database.reading(self._reads) as connection:
            return feed.newest_seq(connection)

    def entries_after(self, seq: int) -> list[Entry] | None:
        """Entries above `seq` in order; None when some are gone, there are too many, or `seq` is
        none of this store's: one that was restored begins again at an older number."""
        rows: list[FeedRow] = []
        with database.reading(self._reads) as connection:
            page = feed.after(connection, seq - 1, _PAGE)
            if (page[0].seq if page else 0) != seq:
                return None
            while page:
                rows += page
                if len(rows) > _MOST_REPLAYED:
                    return None
                page = feed.after(connection, rows[-1].seq, _PAGE) if len(page) == _PAGE else []
        return self._entries(rows[1:])

    def current_changes(self) -> ChangesInForce:
        """What is in force now."""
        with database.reading(self._reads) as connection:
            epoch = leadership.present(connection).epoch
            told = changes.told(connection, clock.wall_s())
        return ChangesInForce(epoch, tuple(in_force_of(*one) for one in told))

    def invalidated_lately(self) -> AnswersInvalidated:
        """What a gateway that begins tells a shared store which may not have heard of it."""
        with database.reading(self._reads) as connection:
            return AnswersInvalidated(feed.invalidated_lately(connection, clock.wall_s()))

    def pulse(self) -> tuple[int, int]:
        """(epoch, beat) of the loop's leadership of now; the beat rises while it lives."""
        with database.reading(self._reads) as connection:
            led = leadership.present(connection)
        return led.epoch, led.beat

    def newest_plan_version(self) -> int:
        """The highest version that was ever given and is still kept; 0 when none is."""
        with database.reading(self._reads) as connection:
            query = select(func.max(schema.feed.c.plan_version))
            announced = connection.execute(query).scalar() or 0
            return max(announced, plans.newest_version(connection))

    def published_version(self) -> int:
        """The version of `shared_plan`; 0 before the first."""
        with database.reading(self._reads) as connection:
            return plans.newest_version(connection)

    def announce_plan(self, version: int, publication: Publication | None = None) -> None:
        """Number a published plan; the first time, keep who published it and what it moved."""
        now_s = clock.wall_s()
        with database.writing(self._engine) as connection:
            is_new = not feed.has_plan(connection, version)
            feed.append_plan(connection, version, now_s)
            if is_new and publication is not None and publication.version == version:
                by = Author(publication.by, now_s)
                audit.append(connection, by, "plan.publish", str(version), publication.moved)

    def claim_plan(self, plan: PlanPublished) -> None:
        """Keep a plan for other machines. PlanSuperseded when another control was quicker."""
        with database.writing(self._engine) as connection:
            plans.add(connection, plan.version, bytes(plan.plan), clock.wall_s())

    def shared_plan(self) -> PlanPublished:
        """The plan that was claimed last. StoreError, LookupError before the first."""
        with database.reading(self._reads) as connection:
            newest = plans.newest(connection)
        if newest is None:
            raise LookupError("no plan has been published")
        return PlanPublished(newest.version, newest.plan)

    def trim(self) -> int:
        """Drop what no gateway will ask for any more. Returns how many entries."""
        with database.writing(self._engine) as connection:
            return feed.trim(connection, KEPT_ENTRIES, clock.wall_s())

    def _entries(self, rows: list[FeedRow]) -> list[Entry]:
        newest_plan = max((row.seq for row in rows if row.kind == "plan"), default=None)
        newest_changes = max((row.seq for row in rows if row.kind == "changes"), default=None)
        entries: list[Entry] = []
        for row in rows:
            if row.key_id is not None:
                entries.append(Entry(row.seq, KeyChanged(row.key_id)))
            elif (one := row.invalidated) is not None:
                entries.append(Entry(row.seq, AnswersInvalidated((one,))))
            elif row.seq == newest_plan:  # older plans were never to be obeyed again
                entries.append(Entry(row.seq, self.current_plan()))
            elif row.seq == newest_changes:
                entries.append(Entry(row.seq, self.current_changes()))
        return entries
