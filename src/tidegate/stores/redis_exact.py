"""Exact mode: every request asks Redis, and its holds lie there under its own id.

What is held of a gauge has a short lease, which is renewed while its request lasts: what a gateway
held that was killed is free soon. One that only stood still holds again what had been let go.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.limit import Reading
from tidegate.stores.redis_asking import Asking, No, by_group
from tidegate.stores.redis_settling import Return, Settling
from tidegate.stores.redis_wants import RENEWED_AFTER, Granted, Taken, Want, word, words_of

# So many go to Redis together, and then whoever wants to be admitted has a turn.
_AT_ONCE: Final = 64
_PAUSE_S: Final = 0.005


class Renewed(Struct, eq=False):
    """One request's holds of gauges. `due_s` is monotonic; `on_the_way` counts what Redis has not
    answered yet."""

    taken: Taken
    wants: list[Want]
    due_s: float
    on_the_way: int = 0

    def arrived(self, tight: bool) -> None:
        self.on_the_way -= 1


class Exact:
    """Takes and gives back; `tell` renews, often enough."""

    def __init__(self, asking: Asking, settling: Settling) -> None:
        self._asking = asking
        self._settling = settling
        self._live: dict[str, Taken] = {}
        self._renewed: dict[str, Renewed] = {}

    async def take(self, id: str, wants: Sequence[Want]) -> Taken | No:
        name = word(id)
        asked = [
            (i, want, name + word(want.amount) + words_of(want, want.quota.lease_s))
            for i, want in enumerate(wants)
        ]
        taken = Taken(id, wants, [None] * len(wants), clock.monotonic_s())
        self._live[id] = taken  # what it has taken so far is held in a new epoch too
        done = False
        try:
            for group, some in by_group(asked):
                granted = await self._asking.take(id, group, some)
                if isinstance(granted, list):
                    for (i, _, _), one in zip(some, granted, strict=True):
                        taken.tickets[i] = one
                elif granted is not None:
                    return granted
            done = True
            self._keep(taken)
            return taken
        finally:
            if not done:
                del self._live[id]
                self._asking.undo(id, [one for one in asked if taken.tickets[one[0]] is not None])

    def hold(self, id: str, wants: Sequence[Want]) -> Taken:
        """What is there already is held, also beyond what is allowed."""
        taken = self._live[id] = Taken(id, wants, [], clock.monotonic_s())
        for want in wants:
            unasked = Reading(want.amount, want.quota.allowed, None)
            taken.tickets.append(Granted(want.amount, True, unasked))
        self._keep(taken)
        for want in wants:
            self._settling.add(Return(want, id, 0, want.amount, True))
        return taken

    def give_back(self, taken: Taken, used: Sequence[int]) -> None:
        if self._live.pop(taken.id, None) is None:
            return
        self._renewed.pop(taken.id, None)
        for want, ticket, amount in zip(taken.wants, taken.tickets, used, strict=True):
            if ticket is not None:
                self._settling.add(Return(want, taken.id, amount))

    async def tell(self, *, pause_s: float = _PAUSE_S) -> None:
        """Renews what is due. Never twice before the first has arrived."""
        renewed = 0
        for it in list(self._renewed.values()):
            now_s = clock.monotonic_s()
            if now_s < it.due_s or it.on_the_way or it.taken.id not in self._renewed:
                continue
            it.due_s = _due_s(it.wants, now_s)
            it.on_the_way = len(it.wants)
            for want in it.wants:
                self._settling.add(Return(want, it.taken.id, 0, want.amount, True, lot=it))
            renewed += 1
            if renewed % _AT_ONCE == 0:
                await asyncio.sleep(pause_s)

    def _keep(self, taken: Taken) -> None:
        wants = [
            want
            for want, ticket in zip(taken.wants, taken.tickets, strict=True)
            if ticket is not None and want.quota.renewed and want.amount
        ]
        if wants:
            self._renewed[taken.id] = Renewed(taken, wants, _due_s(wants, taken.at_s))

    def again(self) -> None:
        """What is held now is held in the new epoch too."""
        for taken in self._live.values():
            for want, ticket in zip(taken.wants, taken.tickets, strict=True):
                if ticket is not None:
                    self._settling.add(Return(want, taken.id, 0, want.amount, True))


def _due_s(wants: list[Want], now_s: float) -> float:
    return now_s + RENEWED_AFTER * min(want.quota.lease_s for want in wants)
