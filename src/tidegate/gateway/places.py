"""The places at one target: so many requests at once, the others in line. Time is an argument.

A place is taken at once, without waiting, where there is room and nobody waits. It is given back
once, whatever became of its request; a request that leaves the line leaves nothing behind.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tidegate.core.outcome import Refusal
from tidegate.core.plan import Queueing
from tidegate.gateway.concurrency import AdaptiveLimit
from tidegate.gateway.queueing import Drain, KeepAlive, Line, Tenant, Waiter, weights

MAX_RETRY_AFTER_S = 60.0
MIN_RETRY_AFTER_S = 1.0
# One place in so many is kept for the first class, for so long after one of it has come.
KEPT_PART = 16
BEYOND_PART = 8
# A target that is far from its limit is watched by one request in so many: (part of the limit that
# is in use, up to which it holds; one in so many), once so many have been watched.
CALM: Final = ((0.5, 16), (0.8, 4))
FIRST_WATCHED: Final = 64
KEPT_S = 10.0


class Wish(Struct):
    """Who asks for a place. `deadline_s` is how long its caller will wait from now on."""

    rank: int
    tenant: Tenant
    streamed: bool = True
    work: float = 1.0
    deadline_s: float | None = None
    keep_alive: KeepAlive | None = None


class Place(Struct, eq=False):
    """One request's place at a target. `beside` counts the requests there, this one included.

    `stands_for` is how many requests it is watched for; 0 is not watched.
    """

    places: "Places"
    since_s: float
    beside: int
    unanswered: bool
    queue_s: float = 0.0
    stands_for: int = 1
    in_time: bool = False
    told: bool = False
    released: bool = False

    def first_token(self, kind: int, sent_s: float, now_s: float) -> None:
        """Tells the first token of a request that was sent at `sent_s`; only the first counts."""
        if not self.told:
            self.told = True
            places = self.places
            if self.unanswered:
                self.unanswered = False
                places.unanswered -= 1
            if self.stands_for:
                took_s = now_s - sent_s
                self.in_time = places.limit.first_token(kind, took_s, sent_s, self.beside, now_s)
            if places.line.count:
                places.serve(now_s)

    def release(self, now_s: float) -> None:
        """Gives the place back. RuntimeError when it was given back before."""
        places = self.places
        if self is places.unwatched:
            places.in_flight -= 1
            if places.line.count:
                places.serve(now_s)
            return
        if self.released:
            raise RuntimeError("a place is given back once")
        self.released = True
        places.leave(self, now_s)


class Places:
    """One target's limit and line. What was learnt outlives a plan.

    `unwatched` is the place of every request at once of which nothing is noted.
    """

    def __init__(self, queueing: Queueing, most: int) -> None:
        self.in_flight = self.unanswered = 0
        self.shed: Counter[str] = Counter()
        self.limit = AdaptiveLimit(*_bounds(queueing, most))
        self.line = Line(queueing.max_waiting, weights(dict(queueing.tenant_weights)))
        self._max_wait_s = queueing.max_wait_s
        self._drain = Drain()
        self._first_class_s = -math.inf
        self._calm = 0
        self.unwatched = Place(self, 0.0, 0, False, 0.0, 0)

    def obey(self, queueing: Queueing, most: int) -> None:
        """A new plan's settings; `most` requests have a connection each."""
        self.limit.bound(*_bounds(queueing, most))
        self.line.most = queueing.max_waiting
        self.line.weight_of = weights(dict(queueing.tenant_weights))
        self._max_wait_s = queueing.max_wait_s

    def take(self, rank: int, streamed: bool, now_s: float) -> Place | None:
        """A place at once, where there is one and nobody waits who goes before."""
        if rank == 0:
            self._first_class_s = now_s
        if (self.line.count and self.line.first_rank() <= rank) or not self._room(rank, now_s):
            return None
        beside = self.in_flight = self.in_flight + 1
        self.unanswered += streamed
        used = beside / self.limit.limit
        for part, watched in CALM:
            if used <= part:
                self._calm += 1
                if self._calm <= FIRST_WATCHED:
                    break
                stands_for = 0 if self._calm % watched else watched
                if not stands_for and not streamed:
                    return self.unwatched  # nothing is noted on it: one serves for all
                return Place(self, now_s, beside, streamed, 0.0, stands_for)
        return Place(self, now_s, beside, streamed)

    async def wait(self, wish: Wish, now_s: float) -> Place:
        """A place, when its turn has come. Refusal at once, or later, when it will not come."""
        waiter = self._join(wish, now_s)
        try:
            taken_s = await waiter.turn
        except BaseException:
            self._abandon(waiter, now_s)
            raise
        return Place(self, taken_s, self.in_flight, wish.streamed, taken_s - now_s)

    def serve(self, now_s: float) -> None:
        """Gives what room there is to those whose turn it is."""
        line = self.line
        while line.count and self._room(line.first_rank(), now_s):
            waiter = line.pop()
            if waiter.turn.done():
                continue  # cancelled, and its coroutine has not run yet
            if waiter.until_s < now_s:
                self._expire(waiter)
                continue
            self.in_flight += 1
            self.unanswered += waiter.streamed
            waiter.turn.set_result(now_s)

    def leave(self, place: Place, now_s: float) -> None:
        """Takes a place back; only its `release` calls this."""
        waiting = self.line.count > 0
        if place.stands_for or waiting:
            held_s = now_s - place.since_s
            self._drain.ended(held_s, waiting, now_s)
            self.limit.ended(held_s, place.in_time, place.stands_for or 1)
        self._free(place.unanswered, now_s)

    def _room(self, rank: int, now_s: float) -> bool:
        """Whether one more of this class may go to the target.

        The first class may use the whole limit. While there are any of it the others leave it some
        places, and they go no faster than the target answers: more of them at once would only
        wait there, in front of whoever comes next.
        """
        limit = self.limit.limit
        if rank == 0:
            return self.in_flight < limit + limit // BEYOND_PART
        if self.unanswered >= self.limit.most_unanswered:
            return False
        if now_s - self._first_class_s < KEPT_S:
            limit -= limit // KEPT_PART
        return self.in_flight < limit

    def sweep(self, now_s: float, keep_alive_s: float) -> None:
        """Refuses those who have waited too long; the others' clients hear that they still wait."""
        if not self.line.count:
            return
        for waiter in self.line.waiters():
            if waiter.until_s < now_s:
                self.line.remove(waiter)
                self._expire(waiter)
            elif waiter.keep_alive is not None:
                waiter.keep_alive(now_s, keep_alive_s)
        self.serve(now_s)  # a plan, or the time, may have made room

    def shed_from(self, rank: int, no: Callable[[], Refusal]) -> None:
        """Refuses all of this class and lower ones that wait."""
        for waiter in self.line.waiters(rank) if self.line.count else ():
            self.line.remove(waiter)
            self._refuse(waiter, no(), "pressure")

    def _join(self, wish: Wish, now_s: float) -> Waiter:
        line = self.line
        if not line.count:
            self._drain.begin(self.limit.limit, now_s)
        wait_s = self._drain.wait_s(line.ahead(wish.rank, wish.tenant), now_s)
        patience_s, deadline_s = self._max_wait_s, wish.deadline_s
        by_caller = deadline_s is not None and deadline_s < patience_s
        if deadline_s is not None and by_caller:
            patience_s = deadline_s
            if patience_s <= 0 or (wait_s is not None and wait_s > patience_s):
                self.shed["deadline"] += 1
                raise _too_short(patience_s, wait_s)
        elif wait_s is not None and wait_s > patience_s:
            self.shed["wait"] += 1
            raise _overloaded("too many requests wait for this model", wait_s - patience_s)
        if line.count >= line.most:
            given_up = line.give_up(wish.rank, wish.tenant)
            if given_up is None:
                self.shed["full"] += 1
                raise _overloaded("the line for this model is full", wait_s)
            message = "the request had to make room for another that goes before it"
            self._refuse(given_up, _overloaded(message, wait_s), "evicted")
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiter = Waiter(wish.rank, wish.tenant, wish.work, now_s + patience_s, by_caller, turn)
        waiter.streamed, waiter.keep_alive = wish.streamed, wish.keep_alive
        line.push(waiter)
        return waiter

    def _abandon(self, waiter: Waiter, now_s: float) -> None:
        """The wait has ended without a place for anybody: refused, or cancelled."""
        self.line.remove(waiter)
        turn = waiter.turn
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            # Cancelled just as its turn had come.
            self._free(waiter.streamed, max(now_s, turn.result()))

    def _free(self, unanswered: bool, now_s: float) -> None:
        self.in_flight -= 1
        self.unanswered -= unanswered
        if self.line.count:
            self.serve(now_s)

    def _expire(self, waiter: Waiter) -> None:
        if waiter.by_caller:
            message = "no place at this model came free before the caller's deadline"
            self._refuse(waiter, Refusal("deadline_too_short", message), "deadline")
        else:
            message = "no place at this model came free in the time that a request may wait"
            self._refuse(waiter, _overloaded(message, None), "wait")

    def _refuse(self, waiter: Waiter, no: Refusal, why: str) -> None:
        self.shed[why] += 1
        if not waiter.turn.done():
            waiter.turn.set_exception(no)


def _bounds(queueing: Queueing, most: int) -> tuple[int, int]:
    if queueing.max_in_flight is not None:
        fixed = min(queueing.max_in_flight, most)
        return fixed, fixed
    most = min(queueing.adaptive_max or most, most)
    return min(queueing.adaptive_min, most), most


def _overloaded(message: str, wait_s: float | None) -> Refusal:
    retry_after_s = min(max(wait_s or 0.0, MIN_RETRY_AFTER_S), MAX_RETRY_AFTER_S)
    return Refusal("overloaded", message, retry_after_s=retry_after_s)


def _too_short(deadline_s: float, wait_s: float | None) -> Refusal:
    if wait_s is None:
        return Refusal("deadline_too_short", "the caller's deadline has passed")
    return Refusal(
        "deadline_too_short",
        f"a place at this model is free in about {math.ceil(wait_s)} s, and the caller waits "
        f"{max(deadline_s, 0.0):.3g} s",
        retry_after_s=min(wait_s, MAX_RETRY_AFTER_S),
    )
