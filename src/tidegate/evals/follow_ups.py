"""Follow-ups: of each captured turn it is told, once, whether its user had to ask again.

A turn is looked at when its time is over and never before, also where a complaint is there already:
complaints that counted at once, and silence only after ten minutes, would make whichever version
has the younger turns look worse. What is found is of the version that served the answer; after a
kept answer it is of that, and of no version.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from tidegate.control.online import Given
from tidegate.core import clock
from tidegate.core.assessment import Assessment, assessment_of
from tidegate.core.capture import Captured
from tidegate.core.conversation_place import conversation_place, named_session
from tidegate.core.declared import Declared
from tidegate.core.judged_hit import JudgedHit, judged_hit
from tidegate.core.receipt import Receipt
from tidegate.stores import (
    assessments,
    captures,
    database,
    feedback,
    judged_hits,
    receipts,
    turns,
)
from tidegate.stores.turns import Waiting
from tidegate.text.follow_up import WINDOW_S, Later, Turn, followed_up

EVERY_S: Final = 60.0
# What was said last may still be on its way here.
GRACE_S: Final = 60.0
# Journals of a machine may be away for so long; whose receipt has not come by then is let go.
WAIT_S: Final = 86_400.0
# The wall clock was set where it moved by so much against the time since the boot.
STEP_S: Final = 30.0
_AT_ONCE: Final = 50
_PAGES: Final = 40
_MOST_LATER: Final = 8
_MOST_RECEIPTS: Final = 50
# A next turn is longer than the last one and its answer by so much at least.
_SPARE_BYTES: Final = 4096

_log = logging.getLogger(__name__)


class _Looked(Struct):
    """A page of turns: those that wait no more, and what was found of them."""

    ids: list[str] = []
    found: list[Assessment | JudgedHit] = []
    last: str = ""
    is_last: bool = False


class FollowUps(Collector):
    """`evals.online.Job`. What has been looked at is known to the database, so that a restart, or
    another control that leads meanwhile, tells nothing twice."""

    def __init__(
        self,
        given: Given,
        *,
        wall_s: Callable[[], float] = clock.wall_s,
        since_boot_s: Callable[[], float] = clock.since_boot_s,
    ) -> None:
        self._given = given
        self._wall_s = wall_s
        self._since_boot_s = since_boot_s
        self._ahead_s: float | None = None
        self._not_before_s = 0.0
        self._after = ""
        self.counts: Counter[str] = Counter()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def step(self) -> float:
        """Look at what is due, in pages; seconds until the next."""
        if self._must_wait():
            return EVERY_S
        for _ in range(_PAGES):
            if await asyncio.to_thread(self._page, self._wall_s()):
                return EVERY_S
        return 1.0

    def render(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """prometheus_client's Collector."""
        family = CounterMetricFamily(
            "tidegate_follow_ups",
            "Captured turns that were looked at for whether their users had to ask again.",
            labels=("found",),
        )
        for found, count in sorted(self.counts.copy().items()):
            family.add_metric((found,), count)
        yield family

    def _must_wait(self) -> bool:
        """After the wall clock was set nobody knows how old turns are, until all of them are old
        enough."""
        now_s = self._since_boot_s()
        ahead_s = self._wall_s() - now_s
        if self._ahead_s is not None and abs(ahead_s - self._ahead_s) > STEP_S:
            self._not_before_s = now_s + WINDOW_S + GRACE_S
            _log.warning(
                "the clock was set: turns are not looked at for %.0f s", WINDOW_S + GRACE_S
            )
        self._ahead_s = ahead_s
        return now_s < self._not_before_s

    def _page(self, now_s: float) -> bool:
        """Blocking. Whether nothing more is due."""
        with database.reading(self._given.engine) as connection:
            looked = self._look(connection, now_s)
        if looked.ids:
            with database.writing(self._given.engine) as connection:
                # Neither what another control has told meanwhile, nor what was deleted.
                ours = turns.leave(connection, looked.ids)
                ours &= captures.still_there(connection, looked.ids)
                found = [it for it in looked.found if it.receipt_id in ours]
                live = [it for it in found if isinstance(it, Assessment)]
                assessments.store(connection, live)
                hits = [it for it in found if isinstance(it, JudgedHit)]
                judged_hits.store(connection, hits)
            self._count(found)
        self._after = "" if looked.is_last else looked.last
        return looked.is_last

    def _look(self, connection: Connection, now_s: float) -> _Looked:
        before_s = now_s - WINDOW_S - GRACE_S
        waiting = turns.due(connection, before_s, after=self._after, most=_AT_ONCE)
        ids = [it.receipt_id for it in waiting]
        known = receipts.by_ids(connection, ids)
        bad_at_s = feedback.complaints(connection, ids)
        most_bytes = followed(self._given.declared())
        looked = _Looked(is_last=len(waiting) < _AT_ONCE, last=ids[-1] if ids else "")
        for one in waiting:
            receipt = known.get(one.receipt_id)
            if receipt is None:
                if one.at_s < now_s - WAIT_S:
                    looked.ids.append(one.receipt_id)
                continue
            ended_at_s = receipt.started_at_s + (receipt.total_s or 0.0)
            ready_s = max(ended_at_s + WINDOW_S, one.stored_at_s) + GRACE_S
            if ready_s > now_s:
                continue
            looked.ids.append(one.receipt_id)
            longest = most_bytes.get(one.route)
            asked = captures.by_id(connection, one.receipt_id, now_s)
            if longest is None or asked is None or not receipt.is_production:
                continue
            bad_s = bad_at_s.get(one.receipt_id)
            turn = Turn(
                asked,
                ended_at_s,
                is_known=named_session(receipt) is not None or receipt.end_user is not None,
                complained=bad_s is not None and bad_s <= ended_at_s + WINDOW_S,
            )
            found = _followed_up(connection, turn, receipt, one, longest)
            looked.found += [] if found is None else [replace(found, at_s=now_s)]
        return looked

    def _count(self, found: list[Assessment | JudgedHit]) -> None:
        words = {True: "complaint", False: "none", None: "unknown"}
        self.counts.update(words[it.is_bad] for it in found)


def followed(declared: Declared) -> Mapping[str, int]:
    """Routes whose turns are looked at, and the longest question that each captures, in bytes."""
    return {
        name: it.capture.max_bytes
        for name, it in declared.routes.items()
        if it.capture is not None and it.quality is not None and it.quality.follow_up
    }


def _followed_up(
    connection: Connection, turn: Turn, receipt: Receipt, one: Waiting, longest_bytes: int
) -> Assessment | JudgedHit | None:
    until_s = turn.ended_at_s + WINDOW_S
    after = captures.next_ones(
        connection, one.conversation, one.receipt_id, until_s, most=_MOST_LATER
    )
    theirs = receipts.by_ids(connection, [it.receipt_id for it in after])
    later = [Later(it, _is_retry(theirs.get(it.receipt_id))) for it in after]
    missed = (
        len(after) == _MOST_LATER
        or _is_longest(turn.asked, longest_bytes)
        or _went_on(connection, receipt, until_s, {it.receipt_id for it in after})
    )
    found = followed_up(replace(turn, may_be_missed=missed), later)
    if found is None:
        return None
    if receipt.is_kept_answer:
        return replace(judged_hit(receipt, "follow_up", found.is_bad, 0.0), why=found.why)
    made = assessment_of(receipt, "follow_up", found.is_bad, 0.0)
    return replace(made, why=found.why, conversation=one.conversation)


def _is_retry(receipt: Receipt | None) -> bool:
    return receipt is not None and bool(receipt.retry_count)


def _is_longest(asked: Captured, longest_bytes: int) -> bool:
    """Whether a next turn, which repeats this one, may be too long to be captured."""
    said = len(asked.messages.encode()) + len(asked.answer.encode())
    return said + _SPARE_BYTES > longest_bytes


def _went_on(
    connection: Connection, receipt: Receipt, until_s: float, captured: Collection[str]
) -> bool:
    """Whether the conversation went on by what is not captured, or may have."""
    place = conversation_place(receipt)
    after = receipts.next_of_caller(connection, receipt, until_s, most=_MOST_RECEIPTS)
    return len(after) == _MOST_RECEIPTS or any(
        it.id not in captured and conversation_place(it) == place and it.is_production
        for it in after
    )
