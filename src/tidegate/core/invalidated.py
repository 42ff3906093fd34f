"""Which answers may be given no more: what was invalidated, and after which of them an answer was
asked for.

Numbers are what orders them: those of one process, or those of a stream that several read. No
clock is asked, as two may differ and one may be set.
"""

from collections import deque
from typing import Any, Final, Generic, TypeVar

from tidegate.core import clock
from tidegate.core.cache_labels import Labels, Selector, Term, labelled

# So many that differ are remembered; answers from before those that were forgotten are void too.
MOST: Final = 10_000

_MOST_TIMES: Final = 1000

N = TypeVar("N", int, tuple[int, int])
T = TypeVar("T")


class Invalidated(Generic[N]):
    """`newest` is the highest number so far: what was asked for since then is good. What was asked
    for before `floor` never is."""

    def __init__(self, start: N, most: int = MOST) -> None:
        self.newest: N = start
        self.floor: N = start
        self._most = most
        self._numbers: dict[Selector, N] = {}
        self._by: dict[Term, set[Selector]] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: N, selector: Selector) -> None:
        """They may come out of order; of several of the same the newest counts."""
        self.newest = max(self.newest, number)
        if selector.everything:
            self.floor = max(self.floor, number)
            for one in [it for it, told in self._numbers.items() if told <= number]:
                self._forget(one)
            return
        known = self._numbers.pop(selector, None)
        self._numbers[selector] = number if known is None else max(known, number)
        self._by.setdefault(selector.terms()[0], set()).add(selector)
        if len(self._numbers) > self._most:
            oldest = next(iter(self._numbers))
            self.floor = max(self.floor, self._forget(oldest))

    def voids(self, labels: Labels, since: N) -> bool:
        """Whether an answer with these labels, asked for when `since` was the newest, is void."""
        if since >= self.newest:
            return False
        if since < self.floor:
            return True
        terms: set[Any] | None = None
        for term in labelled(labels):
            for selector in self._by.get(term, ()):
                if self._numbers[selector] > since:
                    terms = terms or set(labelled(labels))
                    if terms.issuperset(selector.terms()):
                        return True
        return False

    def _forget(self, selector: Selector) -> N:
        first = selector.terms()[0]
        beside = self._by[first]
        beside.discard(selector)
        if not beside:
            del self._by[first]
        return self._numbers.pop(selector)


class Times(Generic[T]):
    """What was the newest when, by monotonic seconds; `first` for what came before the oldest that
    is remembered."""

    def __init__(self, first: T) -> None:
        self._first = first
        self._at: deque[tuple[float, T]] = deque(maxlen=_MOST_TIMES)

    def add(self, value: T) -> None:
        self._at.append((clock.monotonic_s(), value))

    def before(self, at_s: float) -> T:
        """The newest before that; what came at the same moment is not."""
        for heard_s, value in reversed(self._at):
            if heard_s < at_s:
                return value
        return self._first
