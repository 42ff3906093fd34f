"""invalidations: what one gateway process has heard that may be given no more, from control, which
numbers it on the feed, and from the stream of the shared store.

They are numbered here in the order in which they are heard. A request is marked by what had been
heard when it came, so that its answer, or one that it waits for, is good by what was heard since.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from tidegate.core.cache_labels import EVERYTHING, Labels, Selector
from tidegate.core.invalidated import Invalidated, Times
from tidegate.stores.memory_answers import MemoryAnswers
from tidegate.stores.memory_vectors import MemoryVectors

log = logging.getLogger(__name__)

# So many of those from control are known by their id, to be told to a store that is new.
MOST_KNOWN: Final = 1000
# So many answers are looked at before others have their turn.
_AT_ONCE: Final = 200
_AGAIN_S: Final = 0.25


class Invalidations:
    """`heard` counts them by where they came from. `stores` gives what has to be looked through,
    `indexes` what finds questions whose answers are in the store beside it; `known` are those from
    control by their id."""

    def __init__(
        self,
        stores: Callable[[], Iterable[MemoryAnswers]],
        indexes: Callable[[], Iterable[tuple[MemoryVectors, MemoryAnswers]]] = tuple,
    ) -> None:
        self.log: Invalidated[int] = Invalidated(0)
        self.heard: Counter[str] = Counter()
        self.known: OrderedDict[str, Selector] = OrderedDict()
        self._stores = stores
        self._indexes = indexes
        self._times = Times(0)
        self._sweeping: asyncio.Task[None] | None = None

    def hear(self, selector: Selector, source: str) -> None:
        """From now on nothing that it means and that was asked for before now is given."""
        self.heard[source] += 1
        number = self.log.newest + 1
        self.log.add(number, selector)
        self._times.add(number)
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.get_running_loop().create_task(self._sweep())

    def is_new(self, name: str, selector: Selector) -> bool:
        """Whether one of this id was not heard yet; from now on it was."""
        if name in self.known:
            return False
        self.known[name] = selector
        if len(self.known) > MOST_KNOWN:
            self.known.popitem(last=False)
        return True

    def forget_all(self) -> None:
        """Some were missed, and nobody can say which."""
        self.hear(EVERYTHING, "missed")

    def number_at(self, at_s: float) -> int:
        """That of the newest which had been heard then (monotonic seconds)."""
        return self._times.before(at_s) if self.log.newest else 0

    def is_void(self, labels: Labels, number: int) -> bool:
        """Whether an answer that was good by what had been heard up to `number` may not be given
        any more."""
        return self.log.voids(labels, number)

    async def swept(self) -> None:
        """Waits until what is void takes no room."""
        if self._sweeping is not None:
            await self._sweeping

    def stop(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _sweep(self) -> None:
        swept = -1
        while swept < self.log.newest:
            upto = self.log.newest
            for store in list(self._stores()):
                keys = store.keys()
                for at in range(0, len(keys), _AT_ONCE):
                    store.sweep(keys[at : at + _AT_ONCE])
                    await asyncio.sleep(0)
            await self.forget_questions()
            swept = upto
            if swept < self.log.newest:  # what is void is not given meanwhile
                await asyncio.sleep(_AGAIN_S)

    async def forget_questions(self) -> None:
        """Those to which no answer is kept any more: what was asked goes with what was said."""
        for index, store in list(self._indexes()):
            places = index.places()
            for at in range(0, len(places), _AT_ONCE):
                for partition, key in places[at : at + _AT_ONCE]:
                    if key not in store:
                        index.drop(partition, key)
                await asyncio.sleep(0)
