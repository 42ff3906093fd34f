"""Scopes lie in many small dictionaries instead of one, so that neither growing nor sweeping a
million of them holds up the loop for longer than one of the parts takes."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

PARTS: Final = 1_024
MASK: Final = PARTS - 1
_LOOKED_AT_ONCE: Final = 2_048

V = TypeVar("V")


class Parts(Generic[V]):
    """`parts[hash(scope) & MASK][scope]` is what is known of a scope."""

    __slots__ = ("_next", "parts")

    def __init__(self) -> None:
        self.parts: list[dict[str, V]] = [{} for _ in range(PARTS)]
        self._next = 0

    def sweep(self, keep: Callable[[V], bool]) -> None:
        """Forgets what need not be kept, in the next few parts."""
        looked = 0
        for _ in range(PARTS):
            place, self._next = self._next, (self._next + 1) % PARTS
            part = self.parts[place]
            if part:
                self.parts[place] = {scope: it for scope, it in part.items() if keep(it)}
                looked += len(part)
                if looked >= _LOOKED_AT_ONCE:
                    return

    def drop(self) -> bool:
        """Forgets the last few parts, whatever they hold. Whether any are left."""
        dropped = 0
        while self.parts and dropped < _LOOKED_AT_ONCE:
            dropped += len(self.parts.pop())
        return bool(self.parts)

    def __len__(self) -> int:
        return sum(map(len, self.parts))
