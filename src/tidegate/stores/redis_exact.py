"""Exact mode: every request asks Redis, and its holds lie there under its own id."""

from collections.abc import Sequence

from tidegate.core import clock
from tidegate.stores.redis_asking import Asking, No, by_group
from tidegate.stores.redis_settling import Return, Settling
from tidegate.stores.redis_wants import Taken, Want, word, words_of


class Exact:
    """Takes and gives back."""

    def __init__(self, asking: Asking, settling: Settling) -> None:
        self._asking = asking
        self._settling = settling
        self._live: dict[str, Taken] = {}

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
            return taken
        finally:
            if not done:
                del self._live[id]
                self._asking.undo(id, [one for one in asked if taken.tickets[one[0]] is not None])

    def give_back(self, taken: Taken, used: Sequence[int]) -> None:
        if self._live.pop(taken.id, None) is None:
            return
        for want, ticket, amount in zip(taken.wants, taken.tickets, used, strict=True):
            if ticket is not None:
                self._settling.add(Return(want, taken.id, amount))

    def again(self) -> None:
        """What is held now is held in the new epoch too."""
        for taken in self._live.values():
            for want, ticket in zip(taken.wants, taken.tickets, strict=True):
                if ticket is not None:
                    self._settling.add(Return(want, taken.id, 0, want.amount, True))
