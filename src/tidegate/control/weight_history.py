"""At which weight a release's requests were made, by the blocks of its recorders."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from tidegate.stores.blocks import Weighed


class _Run(Struct):
    """So long a recorder saw that weight, or that it moved (None)."""

    began_s: float
    ended_s: float
    weight: float | None


class WeightHistory:
    """Of one release; `seq` is the newest of its blocks that is in it."""

    def __init__(self) -> None:
        self.seq = 0
        self._runs: dict[str, list[_Run]] = {}

    def add(self, several: Iterable[Weighed]) -> None:
        """Blocks that came since, in order. Time without a block had no request of it."""
        for one in several:
            self.seq = one.seq
            runs = self._runs.setdefault(one.node, [])
            if runs and runs[-1].weight == one.weight:
                runs[-1].ended_s = max(runs[-1].ended_s, one.ended_s)
            else:
                runs.append(_Run(one.began_s, one.ended_s, one.weight))

    def at(self, started_at_s: float) -> float | Literal["later"] | None:
        """The weight by which a request was assigned that began then. None where it moved or
        recorders saw different ones; `later` while no block reaches so far."""
        seen: set[float | None] = set()
        newest_s = float("-inf")
        for runs in self._runs.values():
            newest_s = max(newest_s, runs[-1].ended_s)
            seen.update(it.weight for it in runs if it.began_s <= started_at_s < it.ended_s)
        if not seen:
            return "later" if started_at_s >= newest_s else None
        return seen.pop() if len(seen) == 1 else None

    def span_s(self, weight: float) -> tuple[float, float]:
        """When it was first and last seen."""
        runs = [run for of in self._runs.values() for run in of if run.weight == weight]
        return min(run.began_s for run in runs), max(run.ended_s for run in runs)
