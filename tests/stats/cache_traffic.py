"""What comes to a tier of a cache, block by block, by a seed."""

import math
import random
from dataclasses import dataclass

from tidegate.core.cache_worth import CacheSums


@dataclass(frozen=True)
class Traffic:
    """Five minutes of it: what a hit saves, in seconds and nano-dollars, and what looking takes.
    `alike`: how much of a block's hit rate the next one has (an autoregression of order 1); `slow`:
    of each twenty blocks one has a store that is so many times as slow, the others one that is
    faster for it; `heavy`: the spread of what hits save, of its logarithm."""

    rate: float
    lookups: int = 200
    saved_s: float = 0.2
    cost_nanousd: float = 1200.0
    lookup_s: float = 0.013
    alike: float = 0.0
    slow: float = 1.0
    heavy: float = 0.6

    def block(self, draw: random.Random, about: float | None = None) -> CacheSums:
        n = draw.randint(self.lookups // 2, self.lookups * 3 // 2)
        here = draw.gauss(self.rate, self.rate / 5) if about is None else about
        here = min(max(here, 0.0), 1.0)
        lookup_s = self.lookup_s
        if self.slow != 1.0:
            lookup_s *= self.slow if draw.random() < 0.05 else (1 - 0.05 * self.slow) / 0.95
        hits = sum(draw.random() < here for _ in range(n))
        middle = -(self.heavy**2) / 2
        saved = sum(self.saved_s * draw.lognormvariate(middle, self.heavy) for _ in range(hits))
        cost = sum(self.cost_nanousd * draw.lognormvariate(-0.5, 1) for _ in range(hits))
        return CacheSums(
            lookups=n,
            hits=hits,
            hit_us=_us(hits * (lookup_s + 0.001)),
            saved_us=_us(saved),
            saved_nanousd=round(cost),
            lookup_us=_us(n * lookup_s),
            miss_us=_us((n - hits) * lookup_s),
            missed=n - hits,
            missed_nanousd=round((n - hits) * self.cost_nanousd),
            missed_us=_us((n - hits) * self.saved_s),
        )

    def blocks(self, seed: int, count: int = 72) -> list[CacheSums]:
        draw = random.Random(seed)
        if not self.alike:
            return [self.block(draw) for _ in range(count)]
        found, state, spread = list[CacheSums](), draw.gauss(0, 1), 0.6
        for _ in range(count):
            state = self.alike * state + (1 - self.alike**2) ** 0.5 * draw.gauss(0, 1)
            about = self.rate * math.exp(spread * state - spread * spread / 2)
            found.append(self.block(draw, about))
        return found


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
