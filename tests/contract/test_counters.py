"""Every store's counters do what the model does, whatever the order of things and the clocks.

A store is added to STORES. Its counters go by the Moment they are given.
"""

from collections.abc import Callable
from math import ceil

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from tests.contract.counter_model import Model, Taken

from tidegate.core.limit import (
    GAUGE_RETRY_S,
    Bucket,
    Calendar,
    Counters,
    Gauge,
    Moment,
    Rolling,
    Shape,
)
from tidegate.stores.memory_counters import memory_counters

STORES: dict[str, Callable[[Shape], Counters]] = {"memory": memory_counters}
SHAPES: dict[str, Shape] = {
    "bucket": Bucket(rate_per_s=0.5, burst=5),
    "fast bucket": Bucket(rate_per_s=4.0, burst=20),
    "rolling": Rolling(allowed=10, window_s=60.0, bins=6),
    "rolling by the wall": Rolling(allowed=10, window_s=7200.0, bins=8, wall=True),
    "calendar": Calendar(allowed=10, unit="hour"),
    "gauge": Gauge(allowed=6, lease_s=60.0),
}
START = Moment(monotonic_s=4096.0, wall_s=1_790_000_000.0)
SCOPES = st.sampled_from(["", "key a", "key b"])
AMOUNTS = st.integers(0, 12)
EIGHTHS = st.one_of(st.integers(0, 80), st.integers(0, 80 * 60), st.integers(0, 3 * 8 * 3600))


class CountersMachine(RuleBasedStateMachine):
    """Takes, gives back, waits, and steps the wall clock; `make` is set by a subclass."""

    make: Callable[[], Counters]
    shape: Shape

    def __init__(self) -> None:
        super().__init__()
        self.counters = type(self).make()
        self.model = Model(self.shape)
        self.now = START
        self.open: list[tuple[Taken, int]] = []

    def wait(self, seconds: float) -> None:
        self.now = Moment(self.now.monotonic_s + seconds, self.now.wall_s + seconds)

    @rule(scope=SCOPES, amount=AMOUNTS)
    def take(self, scope: str, amount: int) -> None:
        wanted = self.model.take(scope, amount, self.now)
        ticket = self.counters.take(scope, amount, self.now)
        assert (ticket is None) == (wanted is None)
        if wanted is not None and ticket is not None:
            self.open.append((wanted, ticket))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 100), used=AMOUNTS)
    def give_back(self, which: int, used: int) -> None:
        taken, ticket = self.open.pop(which % len(self.open))
        self.counters.give_back(taken.scope, ticket, taken.amount, used, self.now)
        self.model.give_back(taken, used, self.now)
        self.read(taken.scope, 1)

    @rule(eighths=EIGHTHS)
    def time_goes_by(self, eighths: int) -> None:
        self.wait(eighths / 8)

    @rule(seconds=st.sampled_from([-86400, -3600, -1, 1, 3600, 86400]))
    def wall_clock_is_stepped(self, seconds: int) -> None:
        self.now = Moment(self.now.monotonic_s, self.now.wall_s + seconds)
        self.read("", 1)

    @rule(scope=SCOPES, amount=AMOUNTS)
    def read(self, scope: str, amount: int) -> None:
        used = self.model.used(scope, self.now)
        reading = self.counters.read(scope, amount, self.now)
        assert (reading.used, reading.allowed) == (ceil(used), self.model.allowed)
        if isinstance(self.shape, Gauge) and used:
            assert reading.reset_s is None
        else:
            assert reading.reset_s is not None
            assert reading.reset_s >= 0.0
            assert (reading.reset_s > 0.0) == (used > 0)
        if not amount or used + amount <= self.model.allowed:
            assert reading.retry_s == 0.0
        elif amount > self.model.allowed:
            assert reading.retry_s is None
        else:
            assert reading.retry_s is not None
            assert reading.retry_s > 0.0
            assert not isinstance(self.shape, Gauge) or reading.retry_s == GAUGE_RETRY_S

    @rule(scope=SCOPES, amount=st.integers(1, 5))
    def wait_until_it_fits(self, scope: str, amount: int) -> None:
        retry_s = self.counters.read(scope, amount, self.now).retry_s
        assert retry_s is not None
        if retry_s and isinstance(self.shape, Gauge):  # it says when to ask again
            self.wait(self.shape.lease_s)
        elif retry_s > 0.01:
            earlier = Moment(
                self.now.monotonic_s + retry_s - 0.01, self.now.wall_s + retry_s - 0.01
            )
            assert self.counters.take(scope, amount, earlier) is None
            self.wait(ceil(retry_s * 8) / 8)
        self.take(scope, amount)
        assert self.model.taken
        assert self.model.taken[-1].scope == scope

    @rule(scope=SCOPES)
    def all_is_free_after_reset(self, scope: str) -> None:
        reset_s = self.counters.read(scope, 1, self.now).reset_s
        if reset_s is None:
            assert isinstance(self.shape, Gauge)
            reset_s = self.shape.lease_s
        self.wait(ceil(reset_s * 8) / 8)
        assert self.model.used(scope, self.now) == 0
        self.read(scope, 1)

    @rule()
    def sweep(self) -> None:
        self.counters.sweep(self.now)
        self.read("", 1)  # the model too has seen what the clock says now

    def teardown(self) -> None:
        """What is given back whole leaves nothing, and what is over is forgotten."""
        while self.open:
            taken, ticket = self.open.pop()
            self.counters.give_back(taken.scope, ticket, taken.amount, 0, self.now)
        self.wait(10 * 86400.0)
        for _ in range(4):
            self.counters.sweep(self.now)
        assert len(self.counters) == 0


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_counters_do_what_the_model_does(store: Callable[[Shape], Counters], shape: Shape) -> None:
    kind = type("Machine", (CountersMachine,), {"make": lambda: store(shape), "shape": shape})
    run_state_machine_as_test(
        kind, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_all_of_it_is_given_and_not_one_more(
    store: Callable[[Shape], Counters], shape: Shape
) -> None:
    """A limit speaks when it is used up, not at a part of it, and each scope has its own."""
    counters = store(shape)
    allowed = counters.read("", 1, START).allowed
    for scope in ("key a", "key b"):
        taken = [counters.take(scope, 1, START) for _ in range(allowed + 5)]
        assert [ticket is None for ticket in taken] == [False] * allowed + [True] * 5
