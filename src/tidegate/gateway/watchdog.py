"""Notices that the event loop stands still, and says where.

A thread of its own, because a loop that is stuck cannot report itself.
"""

import logging
import sys
import threading
import traceback

from tidegate.core import clock

log = logging.getLogger(__name__)

# The ticker beats every 0.1 s; a beat this late is a stall of at least the difference.
STALL_S = 0.25
LOOK_EVERY_S = 0.1
MAX_FRAMES = 12


class Watchdog:
    """`beat` is called by the loop's ticker; each stall is counted and logged once."""

    def __init__(self) -> None:
        self.stalls = 0
        self._beat_s = clock.monotonic_s()
        self._stop = threading.Event()
        self._watched = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._beat_s = clock.monotonic_s()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def beat(self, now_s: float) -> None:
        self._beat_s = now_s

    def _watch(self) -> None:
        told_s = 0.0
        while not self._stop.wait(LOOK_EVERY_S):
            beat_s = self._beat_s
            late_s = clock.monotonic_s() - beat_s
            if late_s > STALL_S and beat_s != told_s:
                told_s = beat_s
                self.stalls += 1
                log.warning("the loop has stood still for %.2f s at:\n%s", late_s, self._where())

    def _where(self) -> str:
        frame = sys._current_frames().get(self._watched)
        return "".join(traceback.format_stack(frame)[-MAX_FRAMES:]) if frame else "(unknown)"
