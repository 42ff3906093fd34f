"""The places at one target: so many requests at once, the others in line. Time is an argument.

A place is taken at once, without waiting, where there is room and nobody waits. It is given back
once, whatever became of its request; a request that leaves the line leaves nothing behind.
"""

import math
from typing import Final

from msgspec import Struct

from tidegate.core.plan import Queueing
from tidegate.gateway.concurrency import BEYOND_PART, AdaptiveLimit, Sample, kept
from tidegate.gateway.entrance import Entrance, Wish
from tidegate.gateway.queueing import Waiter

# While the first class comes, and for so long after it, the others leave it some places.
FIRST_CLASS_S: Final = 10.0
# Without the first class a target has ample room up to this part of its limit, otherwise while it
# is calm. There one in so many requests is watched, once so many have been.
AMPLE: Final = 0.8
CALM_WATCHED: Final = 16
AMPLE_WATCHED: Final = 8
FIRST_WATCHED: Final = 64
# Where everybody at the target has a first token nobody waits there, whatever was learnt. So when
# nobody's turn has come for so long, one in BEYOND_PART more go beyond the limit.
STUCK_S: Final = 0.5


class Place(Struct, eq=False):
    """One request's place at a target. `beside` counts the requests there, this one included;
    `stands_for` is how many requests it is watched for; `tried` says that it is one to find out
    whether the target bears it."""

    places: "Places"
    since_s: float
    beside: int
    streamed: bool
    queue_s: float = 0.0
    stands_for: int = 1
    tried: bool = False
    in_time: bool = False
    told: bool = False
    released: bool = False

    def first_token(self, kind: int, sent_s: float, now_s: float) -> None:
        """Tells the first token of a request that was sent at `sent_s`; only the first counts."""
        if not self.told:
            self.told = True
            places = self.places
            if self.streamed:
                places.unanswered -= 1
            sample = Sample(kind, now_s - sent_s, sent_s, self.beside, self.stands_for, self.tried)
            self.in_time = places.limit.first_token(sample, now_s)
            if self.tried and self.in_time:
                places.borne()
            if places.line.count:
                places.serve(now_s)

    def release(self, now_s: float) -> None:
        """Gives the place back. RuntimeError when it was given back before."""
        if self.released:
            raise RuntimeError("a place is given back once")
        self.released = True
        self.places.leave(self, now_s)
        self.told = True


class Places:
    """One target's limit and line. What was learnt outlives a plan.

    While there is ample room everybody has a place at once, and of most requests nothing is
    noted: they share the place `unwatched`.
    """

    def __init__(self, queueing: Queueing, most: int) -> None:
        self.in_flight = self.unanswered = 0
        self.limit = AdaptiveLimit(*_bounds(queueing, most))
        self.entrance = Entrance(queueing)
        self.line = self.entrance.line
        self.unwatched = Place(self, 0.0, 0, False, told=True)
        self._first_class_s = -math.inf
        self._first_class_came = False
        self._ample = self.limit.calm
        self._watched = self._unseen = self._whole = 0
        self._given_s = -math.inf

    def obey(self, queueing: Queueing, most: int) -> None:
        """A new plan's settings; `most` requests have a connection each."""
        self.limit.bound(*_bounds(queueing, most))
        self.entrance.obey(queueing)

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
        self._take(streamed, now_s)
        return Place(self, now_s, self.in_flight, streamed, 0.0, stands_for)

    async def wait(self, wish: Wish, now_s: float) -> Place:
        """A place, when its turn has come. Refusal at once, or later, when it will not come."""
        waiter = self.entrance.join(wish, self.limit.limit, now_s)
        try:
            taken_s = await waiter.turn
        except BaseException:
            self._abandon(waiter)
            raise
        place = Place(self, taken_s, self.in_flight, wish.streamed, taken_s - now_s)
        place.tried = waiter.tried
        return place

    def serve(self, now_s: float) -> None:
        """Gives what room there is to those whose turn it is."""
        self._look(False, now_s)
        line = self.line
        while line.count and self._room(line.first_rank(), now_s):
            self._give(line.pop(), now_s)

    def leave(self, place: Place, now_s: float) -> None:
        """Takes a place back; only its `release` calls this."""
        held_s = now_s - place.since_s
        self.entrance.drain.held(held_s)
        self.limit.ended(held_s, place.in_time)
        self._free(place.streamed, place.told, now_s)

    def left(self, now_s: float) -> None:
        """A place has come free while somebody waits."""
        self.entrance.drain.ended(now_s)
        self.serve(now_s)

    def _give(self, waiter: Waiter, now_s: float) -> None:
        """Its turn has come."""
        if waiter.turn.done():
            return  # cancelled, and its coroutine has not run yet
        if waiter.by_caller and waiter.until_s < now_s:
            self.entrance.expire(waiter)
            return
        self._take(waiter.streamed, now_s)
        waiter.turn.set_result(now_s)

    def _take(self, streamed: bool, now_s: float) -> None:
        self._given_s = now_s
        self.in_flight += 1
        if streamed:
            self.unanswered += 1
        else:
            self._whole += 1

    def _try_more(self, now_s: float) -> None:
        """Where long streams hold every place, nothing else would ever say that the target bears
        more: those that come in time raise the limit. Whole answers hide how many of them wait."""
        stuck = self.line.count and not (self.unanswered or self._whole)
        if not stuck or now_s - self._given_s < STUCK_S:
            return
        limit = self.limit.limit
        most = min(limit + max(limit // BEYOND_PART, 1), self.limit.most)
        for _ in range(max(self.in_flight // BEYOND_PART, 1)):
            if self.line.count and self.in_flight < most:
                waiter = self.line.pop()
                waiter.tried = True
                self._give(waiter, now_s)

    def borne(self) -> None:
        """What was tried is borne, so the next may be at once."""
        self._given_s = -math.inf

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
            limit -= kept(limit)
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

    def sweep(self, now_s: float, keep_alive_s: float) -> None:
        """Refuses those who have waited too long; the others' clients hear that they still wait."""
        if not self.line.count:
            return
        self.entrance.sweep(now_s, keep_alive_s)
        self.serve(now_s)  # a plan, or the time, may have made room
        self._try_more(now_s)

    def _abandon(self, waiter: Waiter) -> None:
        """The wait has ended without a place for anybody: refused, or cancelled."""
        self.line.remove(waiter)
        turn = waiter.turn
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            # Cancelled just as its turn had come.
            self._free(waiter.streamed, False, turn.result())

    def _free(self, streamed: bool, told: bool, now_s: float) -> None:
        self.in_flight -= 1
        if not streamed:
            self._whole -= 1
        elif not told:
            self.unanswered -= 1
        if self.line.count:
            self.left(now_s)


def _bounds(queueing: Queueing, most: int) -> tuple[int, int]:
    if queueing.max_in_flight is not None:
        fixed = min(queueing.max_in_flight, most)
        return fixed, fixed
    most = min(queueing.adaptive_max or most, most)
    return min(queueing.adaptive_min, most), most
