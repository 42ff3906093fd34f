"""Ends a run whose test hangs, with the stacks of all threads.

One thread looks after every test. pytest-timeout's own method starts and joins a thread for each,
which costs half a millisecond of a processor and waits for its turn on a busy one: a fifth of what
twenty thousand quick tests cost.
"""

import threading
from time import monotonic, sleep  # a test may put something else in their place

import pytest
from pytest_timeout import Settings, timeout_timer

LOOK_S = 1.0


class Watchdog:
    """Looks once a second whether the test that runs is over its time."""

    def __init__(self) -> None:
        self._watched: tuple[float, pytest.Item, Settings] | None = None
        threading.Thread(target=self._look, name="watchdog", daemon=True).start()

    def watch(self, item: pytest.Item, settings: Settings) -> None:
        self._watched = (monotonic() + settings.timeout, item, settings)

    def rest(self) -> None:
        self._watched = None

    def _look(self) -> None:
        while True:
            sleep(LOOK_S)
            watched = self._watched
            if watched is not None and monotonic() > watched[0]:
                self.rest()
                timeout_timer(watched[1], watched[2])
