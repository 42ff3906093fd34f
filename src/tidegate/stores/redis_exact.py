"""Exact mode: every request asks Redis, and its holds lie there under its own id."""

from collections.abc import Sequence

from tidegate.core import clock
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_asking import Asked, Asking, by_group, first_hard
from tidegate.stores.redis_settling import Return, Settling
from tidegate.stores.redis_wants import Away, Refused, Taken, Want, word, words_of
from tidegate.stores.redis_wire import RedisAway


class Exact:
    """Takes and gives back. `passed` counts wants that were let pass uncounted."""

    def __init__(self, asking: Asking, settling: Settling) -> None:
        self._asking = asking
        self._settling = settling
        self._live: dict[str, Taken] = {}
        self.passed = 0

    async def take(self, id: str, wants: Sequence[Want]) -> Taken | Refused | Away:
        name = word(id)
        asked = [
            (i, want, name + word(want.amount) + words_of(want, want.quota.lease_s))
            for i, want in enumerate(wants)
        ]
        taken = Taken(id, wants, [None] * len(wants), clock.monotonic_s())
        done = False
        try:
            for group, some in by_group(asked):
                no = await self._take_group(group, some, taken)
                if no is not None:
                    return no
            done = True
        finally:
            if not done:
                self._undo(id, [one for one in asked if taken.tickets[one[0]] is not None])
        self._live[id] = taken
        return taken

    async def _take_group(
        self, group: str | None, some: list[Asked], taken: Taken
    ) -> Refused | Away | None:
        doubtful = True
        try:
            granted = await self._asking.ask(group, some)
            doubtful = False
        except RedisAway:
            doubtful = False
            return self._unasked(some)
        except StoreUnavailable:
            return self._unasked(some)
        finally:  # the caller may have gone in between, too
            if doubtful:
                self._undo(taken.id, some)
        if isinstance(granted, Refused):
            return granted
        for (i, _, _), one in zip(some, granted, strict=True):
            taken.tickets[i] = one
        return None

    def _unasked(self, some: list[Asked]) -> Away | None:
        away = first_hard(some)
        if away is None:
            self.passed += len(some)
        return away

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

    def _undo(self, id: str, asked: Sequence[Asked]) -> None:
        """What may have been taken is not held. What is not there is passed over."""
        for _, want, _ in asked:
            self._settling.add(Return(want, id, 0))
