"""One route whose cache is judged, look after look, and traffic for it."""

from typing import Any

import msgspec
from msgspec import Raw

from tidegate.controllers.cache_worth import (
    LEAST_WINDOW_S,
    Memory,
    Place,
    TierSeen,
    View,
    plug,
    read_memory,
)
from tidegate.core.cache_worth import CacheSums, Judged, Quality, Worth
from tidegate.core.controller import Decision, Set, Tell

NOON_S = 1_800_000_000.0
ACTS = Worth("act", usd_per_s=0.0001)
# Bad: each of its lookups takes longer than its few hits save.
BAD = CacheSums(100, 5, 65_000, 400_000, 6000, 0, 0, 1_300_000, 1_235_000, 95, 114_000, 19_000_000)
GOOD = CacheSums(100, 50, 650_000, 10_000_000, 60_000, 0, 0, 1_300_000, 650_000, 50, 60_000, 10**7)
# Nearly all bad hits are of questions that are not quite near.
WRONG = Quality(
    Judged(1000, 150), Judged(3000, 90), ((0.86, Judged(200, 134)), (0.94, Judged(800, 16)))
)


def blocks(one: CacheSums, count: int = 72) -> tuple[CacheSums, ...]:
    """So many of which none is quite like the other."""
    return tuple(
        msgspec.structs.replace(one, saved_us=one.saved_us + (number % 7) * one.saved_us // 50)
        for number in range(count)
    )


class Loop:
    """Remembers what it decided; `said` is everything it told people."""

    def __init__(self, worth: Worth = ACTS) -> None:
        self.worth = worth
        self.now_s = NOON_S
        self.memory = Raw()
        self.said: list[Tell] = []

    def look(self, *seen: TierSeen, after_s: float = LEAST_WINDOW_S) -> Decision:
        self.now_s += after_s
        decision = plug.decide(View("faq", self.now_s, self.worth, seen), self.memory)
        self.memory = decision.memory
        self.said += [it for it in decision.proposals if isinstance(it, Tell)]
        return decision

    def held(self, *seen: TierSeen, **how: Any) -> dict[str, float]:
        """What is held after a look."""
        sets = [it for it in self.look(*seen, **how).proposals if isinstance(it, Set)]
        return {it.lever: it.value for it in sets}

    @property
    def known(self) -> Memory:
        return read_memory(self.memory)

    def place(self, tier: str = "exact") -> Place:
        return self.known.tiers[tier]
