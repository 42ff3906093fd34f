"""What the contract of counters does not see: how much work a step is, and what is kept."""

import pytest

from tidegate.core.limit import Bucket, Calendar, Gauge, Moment, Rolling, Shape
from tidegate.stores.memory_counters import memory_counters

NOW = Moment(1000.0, 1_790_000_000.0)
BUCKET = Bucket(rate_per_s=10.0, burst=100)


def later(seconds: float) -> Moment:
    return Moment(NOW.monotonic_s + seconds, NOW.wall_s + seconds)


def test_a_bucket_admits_its_rate_and_its_burst_in_every_stretch_of_time() -> None:
    counters = memory_counters(Bucket(rate_per_s=3.0, burst=7))
    step_s, admitted = 0.0625, []
    for step in range(4000):
        while counters.take("", 1, later(step * step_s)) is not None:
            admitted.append(step * step_s)
    for first in range(0, len(admitted), 7):
        for last in range(first, min(first + 400, len(admitted))):
            stretch_s = admitted[last] - admitted[first]
            assert last - first + 1 <= 3.0 * stretch_s + 7
    assert len(admitted) >= 3 * 4000 * step_s


def test_a_bucket_of_thirds_gives_its_last_unit() -> None:
    counters = memory_counters(Bucket(rate_per_s=1 / 3, burst=3))
    now = later(0.1)
    assert [counters.take("", 1, now) for _ in range(4)] == [0, 0, 0, None]


def test_another_rate_lets_stand_what_was_used() -> None:
    counters = memory_counters(BUCKET)
    counters.take("", 80, NOW)
    counters.reshape(Bucket(rate_per_s=1.0, burst=50))
    assert counters.read("", 1, NOW).used == 80
    assert counters.read("", 1, NOW).retry_s == pytest.approx(31.0)
    assert counters.read("", 1, later(10)).used == 70


def test_more_at_once_takes_effect_at_once() -> None:
    counters = memory_counters(Gauge(allowed=1))
    assert counters.take("", 1, NOW) is not None
    assert counters.take("", 1, NOW) is None
    counters.reshape(Gauge(allowed=2))
    assert counters.take("", 1, NOW) is not None


def test_a_shorter_lease_ends_holds_that_are_older() -> None:
    counters = memory_counters(Gauge(allowed=1, lease_s=3600.0))
    counters.take("", 1, NOW)
    counters.reshape(Gauge(allowed=1, lease_s=60.0))
    assert counters.take("", 1, later(59.0)) is None
    assert counters.take("", 1, later(60.0)) is not None


def test_a_lease_that_ended_is_given_back_once() -> None:
    counters = memory_counters(Gauge(allowed=2, lease_s=60.0))
    late = counters.take("", 1, NOW)
    kept = counters.take("", 1, later(30.0))
    assert late is not None
    assert kept is not None
    counters.give_back("", late, 1, 0, later(70.0))
    counters.sweep(later(70.0))
    counters.give_back("", late, 1, 0, later(70.0))
    assert counters.read("", 1, later(70.0)).used == 1


@pytest.mark.parametrize(
    ("shape", "other"),
    [
        (BUCKET, Gauge(1)),
        (Gauge(1), BUCKET),
        (Rolling(1, 60.0), BUCKET),
        (Calendar(1, "day"), BUCKET),
    ],
)
def test_a_shape_becomes_no_other(shape: Shape, other: Shape) -> None:
    with pytest.raises(TypeError, match="cannot become"):
        memory_counters(shape).reshape(other)


def test_a_full_bucket_is_forgotten_and_others_are_kept() -> None:
    counters = memory_counters(BUCKET)
    for number in range(500):
        counters.take(f"key {number}", 1, NOW)
    counters.take("busy", 100, NOW)
    counters.sweep(later(1.0))
    assert len(counters) == 1
    assert counters.read("busy", 1, later(1.0)).used == 90


def test_a_sweep_looks_at_a_part_of_many() -> None:
    counters = memory_counters(BUCKET)
    for number in range(50_000):
        counters.take(f"key {number}", 1, NOW)
    counters.sweep(later(60.0))
    assert 46_000 < len(counters) < 50_000
    for _ in range(30):
        counters.sweep(later(60.0))
    assert len(counters) == 0
