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
from tidegate.gateway.concurrency import AdaptiveLimit, Sample
from tidegate.gateway.no_place import overloaded, too_short
from tidegate.gateway.queueing import Drain, KeepAlive, Line, Tenant, Waiter, weights

# While the first class comes, and for so long after it, the others leave it so many places: one
# in 16, or 4 where that is not more than one in 8. It may go beyond the limit by one in 8.
FIRST_CLASS_S: Final = 10.0
KEPT_PART: Final = 16
KEPT: Final = 4
BEYOND_PART: Final = 8
# Without the first class a target has ample room up to this part of its limit, otherwise while it
# is calm. There one in so many requests is watched, once so many have been.
AMPLE: Final = 0.8
CALM_WATCHED: Final = 16
AMPLE_WATCHED: Final = 8
FIRST_WATCHED: Final = 64


class Wish(Struct):
    """Who asks for a place. `deadline_s` is how long its caller will wait from now on."""

    rank: int
    tenant: Tenant
    streamed: bool = True
    work: float = 1.0
    deadline_s: float | None = None
    keep_alive: KeepAlive | None = None


class Place(Struct, eq=False):
    """One request's place at a target. `beside` counts the requests there, this one included;
    `stands_for` is how many requests it is watched for."""

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
            sample = Sample(kind, now_s - sent_s, sent_s, self.beside, self.stands_for)
            self.in_time = places.limit.first_token(sample, now_s)
            if places.line.count:
                places.serve(now_s)

    def release(self, now_s: float) -> None:
        """Gives the place back. RuntimeError when it was given back before."""
        if self.released:
            raise RuntimeError("a place is given back once")
        self.released = self.told = True
        self.places.leave(self, now_s)


class Places:
    """One target's limit and line. What was learnt outlives a plan.

    While there is ample room everybody has a place at once, and of most requests nothing is
    noted: they share the place `unwatched`.
    """

    def __init__(self, queueing: Queueing, most: int) -> None:
        self.in_flight = self.unanswered = 0
        self.shed: Counter[str] = Counter()
        self.limit = AdaptiveLimit(*_bounds(queueing, most))
        self.line = Line(queueing.max_waiting, weights(dict(queueing.tenant_weights)))
        self.unwatched = Place(self, 0.0, 0, False, told=True)
        self._max_wait_s = queueing.max_wait_s
        self._drain = Drain()
        self._first_class_s = -math.inf
        self._first_class_came = False
        self._ample = self.limit.calm
        self._watched = self._unseen = 0

    def obey(self, queueing: Queueing, most: int) -> None:
        """A new plan's settings; `most` requests have a connection each."""
        self.limit.bound(*_bounds(queueing, most))
        self.line.most = queueing.max_waiting
        self.line.weight_of = weights(dict(queueing.tenant_weights))
        self._max_wait_s = queueing.max_wait_s

    def take_unwatched(self, first_class: bool) -> Place | None:
        """A place where there is ample room, given back with `leave_unwatched`. Most requests
        take this one, so it makes nothing and reads no clock."""
        if not self._unseen or self.in_flight >= self._ample or self.line.count:
            return None
        self._unseen -= 1
        self.in_flight += 1
        if first_class and not self._first_class_came:
            self._first_class_came = True
            self._ample = min(self._ample, self.limit.calm)
        return self.unwatched

    def leave_unwatched(self) -> bool:
        """Gives it back. Whether somebody waits, and is to be served."""
        self.in_flight -= 1
        return self.line.count > 0

    def take(self, rank: int, streamed: bool, now_s: float) -> Place | None:
        """A place at once, where there is one and nobody waits who goes before."""
        self._look(rank == 0, now_s)
        if (self.line.count and self.line.first_rank() <= rank) or not self._room(rank, now_s):
            return None
        stands_for = 1
        if self.in_flight < self._ample:
            self._watched += 1
            if self._watched > FIRST_WATCHED:
                stands_for = CALM_WATCHED if self.in_flight < self.limit.calm else AMPLE_WATCHED
                self._unseen = stands_for - 1
        self.in_flight += 1
        self.unanswered += streamed
        return Place(self, now_s, self.in_flight, streamed, 0.0, stands_for)

    async def wait(self, wish: Wish, now_s: float) -> Place:
        """A place, when its turn has come. Refusal at once, or later, when it will not come."""
        waiter = self._join(wish, now_s)
        try:
            taken_s = await waiter.turn
        except BaseException:
            self._abandon(waiter)
            raise
        return Place(self, taken_s, self.in_flight, wish.streamed, taken_s - now_s)

    def serve(self, now_s: float) -> None:
        """Gives what room there is to those whose turn it is."""
        self._look(False, now_s)
        line = self.line
        while line.count and self._room(line.first_rank(), now_s):
            waiter = line.pop()
            if waiter.turn.done():
                continue  # cancelled, and its coroutine has not run yet
            if waiter.by_caller and waiter.until_s < now_s:
                self._expire(waiter)
                continue
            self.in_flight += 1
            self.unanswered += waiter.streamed
            waiter.turn.set_result(now_s)

    def leave(self, place: Place, now_s: float) -> None:
        """Takes a place back; only its `release` calls this."""
        held_s = now_s - place.since_s
        self._drain.held(held_s)
        self.limit.ended(held_s, place.in_time)
        self._free(place.unanswered, now_s)

    def left(self, now_s: float) -> None:
        """A place has come free while somebody waits."""
        self._drain.ended(now_s)
        self.serve(now_s)

    def _room(self, rank: int, now_s: float) -> bool:
        """Whether one more of this class may go to the target.

        The first class may use the whole limit and a little more, where that is not written. The
        others leave it some places as long as there are any of it. They go no faster than the
        target answers: more of them at once would only wait there, in front of whoever comes next.
        """
        limit, unanswered = self.limit.limit, self.limit.unanswered
        if rank == 0:
            return self.in_flight < min(limit + limit // BEYOND_PART, self.limit.most)
        if self.in_flight < self._ample:
            return True
        if now_s - self._first_class_s < FIRST_CLASS_S:
            limit -= max(limit // KEPT_PART, min(KEPT, limit // BEYOND_PART))
        else:
            unanswered *= 2
        return self.in_flight < limit and self.unanswered < unanswered

    def _look(self, first_class: bool, now_s: float) -> None:
        """Where room is ample, which depends on whether the first class comes."""
        if first_class or self._first_class_came:
            self._first_class_s, self._first_class_came = now_s, False
        if now_s - self._first_class_s < FIRST_CLASS_S:
            self._ample = self.limit.calm
        else:
            self._ample = max(self.limit.calm, int(AMPLE * self.limit.limit))

    def stood_still(self, for_s: float) -> None:
        """The gateway did nothing for so long: nobody's patience but a caller's own has run out."""
        self._drain.stood_still(for_s)
        for waiter in self.line.waiters() if self.line.count else ():
            if not waiter.by_caller:
                waiter.until_s += for_s

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
                raise too_short(patience_s, wait_s)
        elif wait_s is not None and wait_s > patience_s:
            self.shed["wait"] += 1
            raise overloaded("too many requests wait for this model", wait_s - patience_s)
        if line.count >= line.most:
            given_up = line.give_up(wish.rank, wish.tenant)
            if given_up is None:
                self.shed["full"] += 1
                raise overloaded("the line for this model is full", wait_s)
            message = "the request had to make room for another that goes before it"
            self._refuse(given_up, overloaded(message, wait_s), "evicted")
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiter = Waiter(wish.rank, wish.tenant, wish.work, now_s + patience_s, by_caller, turn)
        waiter.streamed, waiter.keep_alive = wish.streamed, wish.keep_alive
        line.push(waiter)
        return waiter

    def _abandon(self, waiter: Waiter) -> None:
        """The wait has ended without a place for anybody: refused, or cancelled."""
        self.line.remove(waiter)
        turn = waiter.turn
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            # Cancelled just as its turn had come.
            self._free(waiter.streamed, turn.result())

    def _free(self, unanswered: bool, now_s: float) -> None:
        self.in_flight -= 1
        self.unanswered -= unanswered
        if self.line.count:
            self.left(now_s)

    def _expire(self, waiter: Waiter) -> None:
        if waiter.by_caller:
            message = "no place at this model came free before the caller's deadline"
            self._refuse(waiter, Refusal("deadline_too_short", message), "deadline")
        else:
            message = "no place at this model came free in the time that a request may wait"
            self._refuse(waiter, overloaded(message, None), "wait")

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
