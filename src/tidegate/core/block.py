"""Blocks: what a release's arms did between two looks, each request and each unit counted once.

A test uses a block once and in order. `Tally` counts requests, `Moments` sums a value over them or
over units, so that correlated requests of one unit count as one.
"""

from msgspec import Struct, field


class Tally(Struct, omit_defaults=True, gc=False):
    """Requests that were judged, and how many of them were bad."""

    judged: int = 0
    bad: int = 0


class Moments(Struct, omit_defaults=True, gc=False):
    """Values, their sum and the sum of their squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.squares += value * value


class ArmBlock(Struct, omit_defaults=True):
    """One arm, by harm metric: `tallies` of shares and latencies (and of these of the upper body),
    `moments` of amounts (of ln(1 + amount)), `by_unit` of all of them as means of units.

    `assigned` are its requests, `units` those units that were seen in this arm for the first time,
    `fresh` those of them that no arm had seen. `by_unit` has the units whose first requests are
    together, each once; `inverse_sizes` is the sum of 1 / requests over them. `pairs` counts pairs
    of requests of one unit, `early_pairs` those among its first few, and `bad_pairs` by metric of
    these those that were both bad.

    `bad` counts requests that failed, broke off or broke their contract, `cached` answers whose
    prompt was partly read from a cache, `costed` requests of known cost and `cost_nanousd` what
    they cost in all.
    """

    assigned: int = 0
    units: int = 0
    fresh: int = 0
    cached: int = 0
    bad: int = 0
    costed: int = 0
    cost_nanousd: int = 0
    inverse_sizes: float = 0.0
    pairs: int = 0
    early_pairs: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    moments: dict[str, Moments] = field(default_factory=dict)
    by_unit: dict[str, Moments] = field(default_factory=dict)
    bad_pairs: dict[str, int] = field(default_factory=dict)


class Block(Struct):
    """`weight` is the share of units that the canary had by the plan while it lasted, None where
    it moved or nobody knows it. `number` rises by one within a rollout. `dear_nanousd` is the 99th
    percentile of what the stable arm's latest requests cost, None while too few are known.

    One that has a `late` metric is of that alone: of requests that began in its time and were
    assessed later, so that no arm has been assigned any by it."""

    rollout: str
    number: int
    began_s: float
    ended_s: float
    weight: float | None
    stable: ArmBlock
    canary: ArmBlock
    dear_nanousd: float | None = None
    late: str = ""
