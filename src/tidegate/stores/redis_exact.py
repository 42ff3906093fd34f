"""Exact mode: every request asks Redis, and its holds lie there under its own id."""

from collections.abc import Sequence

from tidegate.core import clock
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_asking import Asked, Asking, by_group
from tidegate.stores.redis_settling import Return, Settling
from tidegate.stores.redis_wants import Away, Refused, Taken, Want, word, words_of


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
        begun: list[Asked] = []
        for group, some in by_group(asked):
            begun += some
            try:
                granted = await self._asking.ask(group, some)
            except StoreUnavailable:
                self._undo(id, some)
                hard = [i for i, want, _ in some if want.quota.hard]
                if hard:
                    self._undo(id, begun)
                    return Away(hard[0])
                self.passed += len(some)
                continue
            except BaseException:  # the caller has gone in between
                self._undo(id, begun)
                raise
            if isinstance(granted, Refused):
                self._undo(id, [one for one in begun if one not in some])
                return granted
            for (i, _, _), one in zip(some, granted, strict=True):
                taken.tickets[i] = one
        self._live[id] = taken
        return taken

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
