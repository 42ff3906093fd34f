"""Blocks: what a release's arms did between two looks, each request and each unit counted once.

A test uses a block once and in order. `Tally` counts requests, `Moments` sums a value over them or
over units that ended in the block, so that correlated requests of one unit count as one.
"""

from msgspec import Struct, field


class Tally(Struct, gc=False):
    """Requests that were judged, and how many of them were bad."""

    judged: int = 0
    bad: int = 0


class Moments(Struct):
    """Values, their sum and the sum of their squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.squares += value * value


class ArmBlock(Struct):
    """One arm. `assigned` are all requests of it, `units` those units that came for the first time
    in the block; `tallies`, `moments` and `latencies` (log buckets: requests) are by harm metric,
    `by_unit` the same metrics as means of units. `cached` counts answers whose prompt was partly
    read from a cache.
    """

    assigned: int = 0
    units: int = 0
    cached: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    moments: dict[str, Moments] = field(default_factory=dict)
    latencies: dict[str, dict[int, int]] = field(default_factory=dict)
    by_unit: dict[str, Moments] = field(default_factory=dict)


class Block(Struct):
    """`weight` is the share of units that the canary had by the plan while it lasted. `number`
    rises by one within a rollout."""

    rollout: str
    number: int
    began_s: float
    ended_s: float
    weight: float | None
    stable: ArmBlock
    canary: ArmBlock
