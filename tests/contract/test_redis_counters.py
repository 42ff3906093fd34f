"""The shapes of counters inside Redis do what the model does, as those in memory do.

A server has one clock: a window that goes by the wall clock is the plain one here, and a clock
that goes back is a test of its own (tests/stores/test_redis_scripts.py).
"""

from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from tests.contract.test_counters import SHAPES, CountersMachine
from tests.stores import redis_rig
from tests.stores.redis_clock import ClockedCounters
from tests.stores.redis_kinds import KINDS

from tidegate.core.limit import Gauge, Moment, Shape

ON_A_SERVER = {name: shape for name, shape in SHAPES.items() if name != "rolling by the wall"}


@pytest.mark.parametrize("shape", ON_A_SERVER.values(), ids=ON_A_SERVER)
@pytest.mark.parametrize("kind", KINDS)
def test_counters_in_redis_do_what_the_model_does(kind: str, shape: Shape, tmp_path: Path) -> None:
    with redis_rig.serving(kind, tmp_path) as server:
        machine = type(
            "Machine",
            (CountersMachine,),
            {
                "make": lambda: ClockedCounters(server, shape),
                "shape": shape,
                "wall_clock_is_stepped": _step_forward,
                "teardown": _close_after(CountersMachine.teardown),
                **({"renew": _renew} if isinstance(shape, Gauge) else {}),
            },
        )
        run_state_machine_as_test(
            machine, settings=settings(max_examples=15, stateful_step_count=20, deadline=None)
        )


@rule(seconds=st.sampled_from([1, 3600, 86400]))
def _step_forward(self: CountersMachine, seconds: int) -> None:
    self.now = Moment(self.now.monotonic_s, self.now.wall_s + seconds)
    self.read("", 1)


@precondition(lambda self: self.open)
@rule(which=st.integers(0, 100))
def _renew(self: CountersMachine, which: int) -> None:
    """Also where its lease has ended and others have taken what it held."""
    taken, ticket = self.open[which % len(self.open)]
    self.counters.renew(taken.scope, ticket, taken.amount, self.now)  # type: ignore[attr-defined]
    self.model.renew(taken, self.now)
    self.read(taken.scope, 1)


def _close_after(teardown):  # type: ignore[no-untyped-def]
    def close(self: CountersMachine) -> None:
        try:
            teardown(self)
        finally:
            self.counters.close()  # type: ignore[attr-defined]

    return close
