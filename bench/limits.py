"""What limits cost: CPU of a hold from taking to giving back, and the memory of a live counter."""

import gc
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import admission, figures, procs
from tidegate.core.limit import Bucket, Calendar, Counters, Gauge, Moment, Rolling, Shape
from tidegate.stores.memory_counters import memory_counters

ROUNDS = 5
HOLDS = 100_000
SIZES = (100_000, 1_000_000)
NOW = Moment(1_000_000.0, 1_790_000_000.0)
BUCKET = Bucket(1000.0, 10**9)
SHAPES: Mapping[str, Shape] = {
    "bucket": BUCKET,
    "rolling window": Rolling(10**9, 86_400.0),
    "rolling window of a budget": Rolling(10**9, 86_400.0, wall=True),
    "calendar period": Calendar(10**9, "month", "Europe/Berlin"),
    "gauge": Gauge(1000),
}
# As a plan of many limits might have them.
TEN = ("bucket",) * 6 + ("rolling window", "calendar period", "calendar period", "gauge")


def holds_us(counters: list[Counters], scopes: list[str]) -> float:
    """CPU of taking a hold of each and giving it back, in turn for every scope."""

    def one_round() -> float:
        start_s = time.process_time()
        for number in range(HOLDS // len(counters)):
            scope = scopes[number % len(scopes)]
            held = []
            for one in counters:
                ticket = one.take(scope, 900, NOW)
                assert ticket is not None
                held.append((one, ticket))
            for one, ticket in held:
                one.give_back(scope, ticket, 900, 9, NOW)
        return 1e6 * (time.process_time() - start_s) / (HOLDS // len(counters))

    return min(one_round() for _ in range(ROUNDS))


def kept_bytes(fill: Callable[[], object]) -> float:
    """Resident memory that `fill` leaves in use."""
    gc.collect()
    before = procs.rss_mb([os.getpid()])
    kept = fill()
    grown = procs.rss_mb([os.getpid()]) - before
    del kept
    return grown * 2**20


def buckets(count: int) -> Counters:
    """That many live buckets, their scopes' texts held by nobody else."""
    counters = memory_counters(BUCKET)
    for number in range(count):
        counters.take(f"tidegate-key-{number:08x}", 900, NOW)
    return counters


def longest_ms(counters: Counters, count: int) -> tuple[float, float]:
    """CPU of the longest take and the longest sweep while `count` buckets come and go."""
    takes_s = sweeps_s = 0.0
    for number in range(count):
        start_s = time.thread_time()
        counters.take(f"tidegate-key-{number:08x}", 900, NOW)
        takes_s = max(takes_s, time.thread_time() - start_s)
    later = Moment(NOW.monotonic_s + 60.0, NOW.wall_s + 60.0)
    while len(counters):
        start_s = time.thread_time()
        counters.sweep(later)
        sweeps_s = max(sweeps_s, time.thread_time() - start_s)
    return 1e3 * takes_s, 1e3 * sweeps_s


def run(kept: Path) -> int:
    """Measure, print, and keep one line a figure in `kept` (see `figures.keep_scale`)."""
    gc.disable()  # as in a gateway, which collects between requests
    ten_us = admission.ten_limits_us()
    print(f"ten limits in force, gate to settle: {ten_us:.2f} us a request", flush=True)
    of_few, of_many = (admission.fingerprint_us_a_kb(size) for size in (1, 32))
    print(f"a prompt's fingerprint: {of_few:.2f} us/KB of 1 KB, {of_many:.2f} us/KB of 32 KB")
    for name, shape in SHAPES.items():
        us = holds_us([memory_counters(shape)], ["tidegate-key-00000000"])
        print(f"{name}: {us:.2f} us a hold", flush=True)
    few, many = SIZES
    points, memory = [], []
    for size in (few, many):
        scopes = [f"tidegate-key-{number:08x}" for number in range(0, size, size // 1000)]
        counters = [memory_counters(SHAPES[name]) for name in TEN]
        counters[0] = buckets(size)
        points.append([size, holds_us(counters, scopes)])
        del counters
        memory.append([size, kept_bytes(lambda size=size: buckets(size)) / size])
        print(f"ten limits, one of {size:,} live buckets: {points[-1][1]:.2f} us a request")
        print(f"{size:,} live buckets: {memory[-1][1]:.0f} bytes each", flush=True)
    take_ms, sweep_ms = longest_ms(memory_counters(BUCKET), many)
    print(f"{many:,} buckets: longest take {take_ms:.1f} ms, longest sweep {sweep_ms:.1f} ms")
    for what, unit, line in (
        (
            "CPU a request of ten limits in force, gate to settle",
            "us",
            [[len(admission.TEN), ten_us]],
        ),
        ("CPU of a prompt's fingerprint a KB, by its KB", "us", [[1, of_few], [32, of_many]]),
        ("CPU of the holds of ten limits, by live buckets", "us", points),
        ("memory of a live bucket, by live buckets", "B", memory),
    ):
        figures.keep_scale(kept, {"what": what, "unit": unit, "points": line})
    return 0
