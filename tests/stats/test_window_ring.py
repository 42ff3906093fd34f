"""Windows that end now are the sums of what came in them."""

import random

import pytest

from tidegate.core.block import Tally
from tidegate.stats.window_ring import Ring, Windows

NOON_S = 1_800_000_000.0
WINDOWS_S = (60, 300, 1200)


@pytest.mark.parametrize("seed", range(50))
def test_a_window_is_the_sum_of_what_came_in_it(seed: int) -> None:
    """Also of what comes late, or early, or while no step passes, or after a long silence."""
    drawn = random.Random(seed)
    ring, said, now_s = Ring(60.0, 1200.0), list[tuple[float, int, int]](), NOON_S
    windows = Windows(ring, WINDOWS_S)
    for _ in range(60):
        now_s += drawn.choice([0, 0, 10, 60, 400, 2000])
        for _ in range(drawn.randrange(3)):
            at_s = now_s + drawn.choice([0, 0, 0, 90, -90, -600])
            said.append((at_s, drawn.randrange(5), drawn.randrange(3)))
            windows.add(*said[-1])
        counts: dict[int, Tally] = {}
        windows.count(now_s, counts)
        newest_s = max([now_s, *(at_s for at_s, _, _ in said)])
        for window_s in WINDOWS_S:
            first = newest_s // 60 - window_s // 60
            inside = [it for it in said if it[0] // 60 > first]
            expected = Tally(sum(it[1] for it in inside), sum(it[2] for it in inside))
            assert counts[window_s] == ring.tally(window_s) == expected
