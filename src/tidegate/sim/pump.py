"""The engine on real time: submits, wakes at its next event, hands out what it emitted."""

import asyncio
from collections.abc import Sequence

from tidegate.capacity.engine import Engine
from tidegate.capacity.profiles import Profile
from tidegate.capacity.request import Emitted, Request


class Ticket:
    """One caller's requests in the engine, by choice. Wakes its one waiter once a step."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.choice_of = {request_id: at for at, request_id in enumerate(ids)}
        self.open = set(ids)
        self.generated = 0
        self.cached_tokens = 0
        self._news: list[tuple[int, int]] = []
        self._waiter: asyncio.Future[None] | None = None

    def take(self, emitted: Emitted) -> None:
        self._news.append((self.choice_of[emitted.request_id], emitted.tokens))
        self.generated += emitted.tokens
        if emitted.finished:
            self.open.discard(emitted.request_id)
            if emitted.timing is not None and self.choice_of[emitted.request_id] == 0:
                self.cached_tokens = emitted.timing.cached_tokens
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def news(self) -> list[tuple[int, int]]:
        """(choice, new tokens) since the last call, in order; empty when all have finished."""
        if not self._news and self.open:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        news, self._news = self._news, []
        return news


class Pump:
    """Runs one engine at `speed` engine seconds a second of the event loop."""

    def __init__(self, profile: Profile, speed: float) -> None:
        self.engine = Engine(profile)
        self._speed = speed
        self._loop = asyncio.get_running_loop()
        self._origin_s = self._loop.time()
        self._engine_s = 0.0
        self._tickets: dict[str, Ticket] = {}
        self._timer: asyncio.Handle | None = None
        self._timer_for_s: float | None = None

    def submit(self, requests: Sequence[Request]) -> Ticket:
        """Queues requests that belong together. NeverFits, and none is queued."""
        for request in requests:
            self.engine.check(request)
        now_s = self._now_s()
        self._hand_out(now_s)
        ticket = Ticket([request.id for request in requests])
        for request in requests:
            self.engine.submit(request, now_s)
            self._tickets[request.id] = ticket
        self._schedule()
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Aborts what the ticket still has in the engine."""
        if ticket.open:
            now_s = self._now_s()
            self._hand_out(now_s)  # what was made until now was made
            for request_id in ticket.open:
                self.engine.abort(request_id, now_s)
            self._schedule()
        for request_id in ticket.choice_of:
            self._tickets.pop(request_id, None)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def settle(self) -> None:
        """Brings the engine up to now, so that its readings are of now."""
        self._hand_out(self._now_s())
        self._schedule()

    def _now_s(self) -> float:
        """Engine time. It never falls, also where a timer came a hair early."""
        self._engine_s = max(self._engine_s, (self._loop.time() - self._origin_s) * self._speed)
        return self._engine_s

    def _hand_out(self, now_s: float) -> None:
        for emitted in self.engine.advance(now_s):
            ticket = self._tickets.get(emitted.request_id)
            if ticket is not None:
                ticket.take(emitted)

    def _schedule(self) -> None:
        at_s = self.engine.next_event_at()
        if at_s == self._timer_for_s and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_for_s = at_s
        if at_s is None:
            return
        if at_s <= self._engine_s:
            self._timer = self._loop.call_soon(self._wake)
        else:
            self._timer = self._loop.call_at(self._origin_s + at_s / self._speed, self._wake)

    def _wake(self) -> None:
        due_s = self._timer_for_s
        self._timer = None
        if due_s is not None and due_s - self._now_s() < 1e-3 * self._speed:
            self._engine_s = max(self._engine_s, due_s)
        self._hand_out(self._engine_s)
        self._schedule()
