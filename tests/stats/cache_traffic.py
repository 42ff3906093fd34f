"""What comes to a tier of a cache, block by block, by a seed."""

import random
from dataclasses import dataclass

from tidegate.core.cache_worth import CacheSums


@dataclass(frozen=True)
class Traffic:
    """Five minutes of it: what a hit saves, in seconds and nano-dollars, and what looking takes."""

    rate: float
    lookups: int = 200
    saved_s: float = 0.2
    cost_nanousd: float = 1200.0
    lookup_s: float = 0.013

    def block(self, draw: random.Random) -> CacheSums:
        n = draw.randint(self.lookups // 2, self.lookups * 3 // 2)
        here = min(max(draw.gauss(self.rate, self.rate / 5), 0.0), 1.0)
        hits = sum(draw.random() < here for _ in range(n))
        saved = sum(self.saved_s * draw.lognormvariate(-0.18, 0.6) for _ in range(hits))
        cost = sum(self.cost_nanousd * draw.lognormvariate(-0.5, 1) for _ in range(hits))
        return CacheSums(
            lookups=n,
            hits=hits,
            hit_us=_us(hits * (self.lookup_s + 0.001)),
            saved_us=_us(saved),
            saved_nanousd=round(cost),
            lookup_us=_us(n * self.lookup_s),
            miss_us=_us((n - hits) * self.lookup_s),
            missed=n - hits,
            missed_nanousd=round((n - hits) * self.cost_nanousd),
            missed_us=_us((n - hits) * self.saved_s),
        )

    def blocks(self, seed: int, count: int = 72) -> list[CacheSums]:
        draw = random.Random(seed)
        return [self.block(draw) for _ in range(count)]


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
