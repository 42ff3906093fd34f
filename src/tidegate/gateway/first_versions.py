"""Which version a conversation was first answered by, so that it stays with it. Bounded memory of
one gateway process: what it has forgotten, or another has begun, goes by its unit."""

from collections import OrderedDict
from typing import Final

MOST: Final = 50_000


class FirstVersions:
    """Of one release. A conversation's name is the caller's and the conversation's own."""

    __slots__ = ("_known", "_most")

    def __init__(self, most: int = MOST) -> None:
        # Not a plain dictionary, whose first is slow to find once many before it are gone.
        self._known: OrderedDict[str, tuple[bool, float]] = OrderedDict()
        self._most = most

    def begin(self, name: str, canary: bool, weight: float) -> None:
        """Its first turn is answered so, at that weight."""
        self._known[name] = canary, weight
        self._known.move_to_end(name)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def of(self, name: str) -> tuple[bool, float] | None:
        """Whether it was the release that answered first, and at which weight; None: unknown."""
        found = self._known.get(name)
        if found is not None:
            self._known.move_to_end(name)
        return found

    def __len__(self) -> int:
        return len(self._known)
