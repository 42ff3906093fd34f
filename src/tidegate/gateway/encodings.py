"""encodings: questions become vectors beside the loop, or not at all.

One thread to an encoder. Those who wait for a lookup go first, and none waits for what would come
too late. What fails again and again, or never comes back, is off for a while; requests go on.
"""

import asyncio
import logging
import os
import sys
import threading
from array import array
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from tidegate.core import clock
from tidegate.core.encoding import Encoder, EncoderUnavailable, Vector

log = logging.getLogger(__name__)

# So many may wait for a lookup, and to be kept.
MOST_WAITING: Final = 64
MOST_BEHIND: Final = 256
# A failure or so may be the question's; after so many in turn it is the encoder's.
MOST_FAILURES: Final = 3
OFF_S: Final = 60.0
HANG_S: Final = 5.0
# What takes no longer is encoded on the loop, where the encoder says that it may.
_INLINE_S: Final = 0.0005
_FLOAT_BYTES: Final = 4
_SMOOTHING: Final = 0.1
_NICE: Final = 10
_LATE: Final = 16
Off = Literal["loading", "unavailable", "broken", "hangs"]
Load = Callable[[str], Encoder]
# None: the encoder does not read such a text.
_Encoded = Vector | None
_Waiting = asyncio.Future[_Encoded]


class Encodings:
    """One encoder at work. `encoder` is there once it has been loaded; `why` says what keeps it
    from being so. `mean_s` is how long a text takes of late."""

    def __init__(self, name: str, load: Load) -> None:
        self.name = name
        self.encoder: Encoder | None = None
        self.why = ""
        self.mean_s = 0.0
        self.failures = 0
        self._load = load
        self._off: Off | None = "loading"
        self._off_until_s = 0.0
        self._began_s: float | None = None
        self._loop = asyncio.get_running_loop()
        self._first: deque[tuple[str, _Waiting]] = deque()
        self._behind: deque[tuple[str, _Waiting]] = deque()
        self._some = threading.Semaphore(0)
        self._late_s: deque[float] = deque(maxlen=_LATE)
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name=f"encoder-{name}", daemon=True)
        self._thread.start()

    def off(self) -> Off | None:
        """Why it cannot be asked now; None where it can."""
        began_s = self._began_s
        if began_s is not None and clock.monotonic_s() - began_s > HANG_S:
            self._turn_off("hangs", f"it has encoded one text for {HANG_S:g} s")
        elif self._off == "hangs" or (
            self._off == "broken" and clock.monotonic_s() >= self._off_until_s
        ):
            self._off = None
        return self._off

    def ask(self, text: str, patience_s: float | None) -> "asyncio.Future[Vector | None] | None":
        """Its vector, in time; None where it is off or has too much to do. Without patience it is
        encoded when nobody else waits. The future's None or exception: there will be none."""
        if self._stopped or self.off() is not None or self.encoder is None:
            return None
        future: _Waiting = self._loop.create_future()
        if patience_s is not None and self._is_inline(self.encoder):
            self._settle(future, *self._tried(self.encoder, text))
            return future
        queue, most = self._behind, MOST_BEHIND
        if patience_s is not None:
            queue, most = self._first, MOST_WAITING
            if (len(queue) + 1) * self.mean_s > patience_s:
                return None
        if len(queue) >= most:
            return None
        queue.append((text, future))
        self._some.release()
        return future

    def at_once(self, text: str) -> Vector | None:
        """None where it takes a while; whether it still does is tried behind the others."""
        inline = self.encoder is not None and self._is_inline(self.encoder)
        coming = self.ask(text, _INLINE_S if inline else None)
        if coming is None or not coming.done() or coming.exception() is not None:
            return None
        return coming.result()

    def stop(self) -> None:
        """Ends the thread once it comes back; nobody hears of what waits."""
        self._stopped = True
        for queue in (self._first, self._behind):
            for _, future in queue:
                future.cancel()
        self._some.release()

    def _is_inline(self, encoder: Encoder) -> bool:
        """By the quickest of late: what a thread waits for its core is not the encoder's."""
        return encoder.fast and min(self._late_s, default=0.0) < _INLINE_S

    def _work(self) -> None:
        """The thread. The loop goes first where both have one core."""
        if sys.platform == "linux":  # elsewhere a thread has no niceness of its own
            own = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, own, os.getpriority(os.PRIO_PROCESS, own) + _NICE)
        try:
            encoder = self._load(self.name)
        except EncoderUnavailable as error:
            self._post(self._turn_off, "unavailable", str(error))
            return
        except Exception as error:  # somebody else's plug
            self._post(self._turn_off, "unavailable", f"{type(error).__name__}: {error}")
            return
        self._post(self._loaded, encoder)
        while True:
            self._some.acquire()
            if self._stopped:
                return
            text, future = (self._first or self._behind).popleft()
            if not future.cancelled():
                self._post(self._settle, future, *self._tried(encoder, text))

    def _tried(self, encoder: Encoder, text: str) -> tuple[_Encoded | Exception, float]:
        """The vector or what went wrong, and how long that took."""
        began_s = self._began_s = clock.monotonic_s()
        found: _Encoded | Exception
        try:
            [found] = encoder.encode([text])
            if found is not None:
                _check(found, encoder.dimensions)
        except Exception as error:
            found = error
        self._began_s = None
        return found, clock.monotonic_s() - began_s

    def _post(self, what: Callable[..., None], *told: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *told)
        except RuntimeError:  # the loop is closed
            self._stopped = True

    def _loaded(self, encoder: Encoder) -> None:
        self.encoder, self._off = encoder, None

    def _settle(self, future: _Waiting, found: _Encoded | Exception, took_s: float) -> None:
        if isinstance(found, Exception):
            self.failures += 1
            if self.failures >= MOST_FAILURES:
                # What others raise may tell of the question.
                ours = isinstance(found, EncoderUnavailable)
                self._turn_off("broken", str(found) if ours else type(found).__name__)
                self._off_until_s = clock.monotonic_s() + OFF_S
                self.failures = MOST_FAILURES - 1  # once more, after that, is enough
        else:
            self.failures = 0
            self._late_s.append(took_s)
            step = _SMOOTHING if self.mean_s else 1.0
            self.mean_s += (took_s - self.mean_s) * step
        if future.done():
            return
        if isinstance(found, Exception):
            future.set_exception(found)
            future.exception()  # nobody has to look at it
        else:
            future.set_result(found)

    def _turn_off(self, off: Off, why: str) -> None:
        if self._off != off or self.why != why:
            log.error("encoder %s is %s, semantic tiers give nothing: %s", self.name, off, why)
        self._off, self.why = off, why


def _check(vector: Vector, dimensions: int) -> None:
    """EncoderUnavailable where it is no vector of length one: cosines would be wrong."""
    if len(vector) != dimensions * _FLOAT_BYTES:
        raise EncoderUnavailable(f"a vector of {len(vector)} bytes for {dimensions} dimensions")
    squared = sum(value * value for value in array("f", vector))
    if not abs(squared - 1.0) < 0.01:  # nor with a NaN in it
        raise EncoderUnavailable(f"a vector whose length squared is {squared:g}")
