"""Windows that end now are the sums of what came in them."""

import random

import pytest

from tidegate.core.block import Tally
from tidegate.stats.window_ring import Ring, Windows

NOON_S = 1_800_000_000.0
WINDOWS_S = (60, 300, 1200)


@pytest.mark.parametrize("seed", range(50))
def test_a_window_is_the_sum_of_what_came_in_it(seed: int) -> None:
    """Also of what comes late, of what comes while no step passes, and after a long silence."""
    drawn = random.Random(seed)
    ring, said, now_s = Ring(60.0, 1200.0), list[tuple[float, int, int]](), NOON_S
    windows = Windows(ring, WINDOWS_S)
    for _ in range(60):
        now_s += drawn.choice([0, 0, 10, 60, 400, 2000])
        for _ in range(drawn.randrange(3)):
            at_s = now_s - drawn.choice([0, 0, 0, 90, 600])
            said.append((at_s, drawn.randrange(5), drawn.randrange(3)))
            windows.add(*said[-1])
        windows.advance(now_s)
        counts: dict[int, Tally] = {}
        windows.count(counts)
        for window_s in WINDOWS_S:
            first = now_s // 60 - window_s // 60
            inside = [it for it in said if it[0] // 60 > first]
            expected = Tally(sum(it[1] for it in inside), sum(it[2] for it in inside))
            assert counts[window_s] == ring.tally(window_s) == expected


def test_windows_begin_elsewhere_when_a_step_has_passed_and_not_before() -> None:
    windows = Windows(Ring(60.0, 1200.0), WINDOWS_S)
    assert windows.advance(NOON_S)
    windows.add(NOON_S + 1, 1, 0)
    assert not windows.advance(NOON_S + 59)
    assert windows.advance(NOON_S + 60)
    windows.add(NOON_S, 1, 0)
    assert windows.advance(NOON_S + 60)
