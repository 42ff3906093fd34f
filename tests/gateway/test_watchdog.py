"""The watchdog: a standstill is counted and logged once, with the place."""

import threading

import pytest

from tidegate.core import clock
from tidegate.gateway import watchdog as module
from tidegate.gateway.watchdog import Watchdog


def test_a_standstill_is_logged_once_with_its_place(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.001)
    it = Watchdog()
    it.start()
    it.beat(clock.monotonic_s() - 1)
    while it.stalls == 0:
        threading.Event().wait(0.001)
    threading.Event().wait(0.02)
    it.stop()
    assert it.stalls == 1
    assert "test_a_standstill_is_logged_once" in caplog.text
