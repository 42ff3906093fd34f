"""What becomes of each thing that another gateway was told: carried, and to what, or left and why.

Nothing is left without a word: whoever reads a file goes through every key of it.
"""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

Fate = Literal["carried", "changed", "left"]
_ORDER: Final = {"left": 0, "changed": 1, "carried": 2}


class Finding(Struct, frozen=True):
    """One thing of theirs, by the way to it. `ours` is what it became, `said` what is different or
    what to do, `count` how many times it was met, `whose` the rows of a database in which, each
    once."""

    fate: Fate
    theirs: str
    ours: str
    said: str = ""
    count: int = 1
    whose: tuple[str, ...] = ()


class Findings:
    """Collects what is found; the same thing again is counted. `whose` is the row that is read just
    now, where there are rows."""

    def __init__(self) -> None:
        self.whose: str | None = None
        self._found: dict[tuple[Fate, str, str, str], int] = {}
        self._whose: dict[tuple[Fate, str, str, str], dict[str, None]] = {}

    def carried(self, theirs: str, ours: str) -> None:
        """It means there what it means here."""
        self._add("carried", theirs, ours, "")

    def changed(self, theirs: str, ours: str, said: str) -> None:
        """It goes on here, and means something else in the way that is said."""
        self._add("changed", theirs, ours, said)

    def left(self, theirs: str, said: str) -> None:
        """It does not go on: why, and what to do."""
        self._add("left", theirs, "", said)

    def all(self) -> list[Finding]:
        """First what is left, then what is changed, each in the order in which it was met."""
        found = [
            Finding(*key, count=count, whose=tuple(self._whose.get(key, ())))
            for key, count in self._found.items()
        ]
        return sorted(found, key=lambda one: _ORDER[one.fate])

    def paths(self) -> Iterable[str]:
        """The ways to all things that something was said of."""
        return {theirs for _, theirs, _, _ in self._found}

    def _add(self, fate: Fate, theirs: str, ours: str, said: str) -> None:
        key = fate, theirs, ours, said
        self._found[key] = self._found.get(key, 0) + 1
        if self.whose is not None:
            self._whose.setdefault(key, {})[self.whose] = None
