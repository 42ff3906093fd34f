"""Who waits in the line before a target, and who is refused: at once, in line, or at its end."""

import asyncio
from collections import Counter
from collections.abc import Callable

from msgspec import Struct

from tidegate.core.outcome import Refusal
from tidegate.core.plan import Queueing
from tidegate.gateway.no_place import overloaded, too_short
from tidegate.gateway.queueing import Drain, Gone, KeepAlive, Line, Tenant, Waiter, weights


class Wish(Struct):
    """Who asks for a place. `deadline_s` is how long its caller will wait from now on, `gone` says
    why it does not want it any more."""

    rank: int
    tenant: Tenant
    streamed: bool = True
    work: float = 1.0
    deadline_s: float | None = None
    keep_alive: KeepAlive | None = None
    gone: Gone | None = None


class Entrance:
    """One target's line. `shed` counts who was refused, by why; `drain` how fast the line moves."""

    def __init__(self, queueing: Queueing) -> None:
        self.shed: Counter[str] = Counter()
        self.drain = Drain()
        self.line = Line(queueing.max_waiting, weights(dict(queueing.tenant_weights)))
        self._max_wait_s = queueing.max_wait_s

    def obey(self, queueing: Queueing) -> None:
        """A new plan's settings. Who waits, waits on."""
        self.line.most = queueing.max_waiting
        self.line.weight_of = weights(dict(queueing.tenant_weights))
        self._max_wait_s = queueing.max_wait_s

    def join(self, wish: Wish, limit: int, now_s: float) -> Waiter:
        """Puts it in line for one of `limit` places. Refusal where its turn would not come."""
        line = self.line
        if not line.count:
            self.drain.begin(limit, now_s)
        wait_s = self.drain.wait_s(line.ahead(wish.rank, wish.tenant), now_s)
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
        waiter.gone = wish.gone
        line.push(waiter)
        return waiter

    def sweep(self, now_s: float, keep_alive_s: float) -> None:
        """Refuses those who have waited too long; the others' clients hear that they still wait."""
        for waiter in self.line.waiters():
            if waiter.until_s < now_s:
                self.line.remove(waiter)
                self.expire(waiter)
            elif waiter.keep_alive is not None:
                waiter.keep_alive(now_s, keep_alive_s)

    def stood_still(self, for_s: float) -> None:
        """The gateway did nothing for so long: nobody's patience but a caller's own has run out."""
        self.drain.stood_still(for_s)
        for waiter in self.line.waiters() if self.line.count else ():
            if not waiter.by_caller:
                waiter.until_s += for_s

    def shed_from(self, rank: int, no: Callable[[], Refusal]) -> None:
        """Refuses all of this class and lower ones that wait."""
        for waiter in self.line.waiters(rank) if self.line.count else ():
            self.line.remove(waiter)
            self._refuse(waiter, no(), "pressure")

    def turn_away(self) -> None:
        """Those who do not want a place any more leave, which is no refusal."""
        for waiter in self.line.waiters() if self.line.count else ():
            why = None if waiter.gone is None else waiter.gone()
            if why is not None:
                self.line.remove(waiter)
                if not waiter.turn.done():
                    waiter.turn.set_exception(why)

    def expire(self, waiter: Waiter) -> None:
        """Refuses one that is in line no more, because its time is up."""
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
