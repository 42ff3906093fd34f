"""Keeps control, the gateways and the local engine running, and ends them in order.

Gateways drain first, while control and engines still serve them; then control, which records
what they left; then the engines. A second signal asks the gateways to settle at once.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from tidegate.boot.child import Child, Refused

_SETTLE_S = 2.0  # beyond the gateways' own bound, so that they end by themselves
_CONTROL_GRACE_S = 10.0  # the recorder takes what the journals still hold
_ENGINE_GRACE_S = 5.0

_log = logging.getLogger(__name__)


class Supervisor:
    """Runs the given children until a signal. `drain_s` is asked when the draining begins, and
    `shut` called: whoever comes then is refused at once, where otherwise nobody would accept."""

    def __init__(
        self,
        control: Child,
        gateways: Sequence[Child],
        engines: Sequence[Child],
        drain_s: Callable[[], float],
        shut: Callable[[], None] = lambda: None,
    ) -> None:
        self._control = control
        self._gateways = list(gateways)
        self._engines = list(engines)
        self._drain_s = drain_s
        self._shut = shut
        self._end = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self) -> int:
        """Exit status: 0 after a signal, a child's own when it refuses to start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        loop.add_signal_handler(signal.SIGHUP, self._control.signal, signal.SIGHUP)
        children = [*self._engines, self._control, *self._gateways]
        keepers = {loop.create_task(child.keep()) for child in children}
        ended = loop.create_task(self._end.wait())
        try:
            await asyncio.wait({ended, *keepers}, return_when=asyncio.FIRST_COMPLETED)
            status = 0
            for keeper in keepers:
                refused = keeper.exception() if keeper.done() else None
                if isinstance(refused, Refused):
                    status = refused.status
                elif refused is not None:
                    _log.error("a child cannot be started: %s", refused)
                    status = 1
        finally:
            await self._stop_all()
            for task in (ended, *keepers):
                task.cancel()
            await asyncio.gather(ended, *keepers, return_exceptions=True)
        return status

    def end(self) -> None:
        """What a signal does: begin to drain, and at the second call hurry."""
        if self._end.is_set():
            self._hurry.set()
        self._end.set()

    async def _stop_all(self) -> None:
        loop = asyncio.get_running_loop()
        grace_s = self._drain_s() + _SETTLE_S
        stops = [gateway.stop(grace_s) for gateway in self._gateways]
        drained = loop.create_task(_each([*stops, self._shut_out()]))
        hurried = loop.create_task(self._hurry.wait())
        await asyncio.wait({drained, hurried}, return_when=asyncio.FIRST_COMPLETED)
        if not drained.done():
            for gateway in self._gateways:
                gateway.signal(signal.SIGTERM)
            await _each(gateway.gone(_SETTLE_S) for gateway in self._gateways)
        await drained
        hurried.cancel()
        await self._control.stop(_SETTLE_S if self._hurry.is_set() else _CONTROL_GRACE_S)
        await _each(engine.stop(_ENGINE_GRACE_S) for engine in self._engines)

    async def _shut_out(self) -> None:
        """Once no gateway is started any more: its door's number may be another file's then."""
        self._shut()


async def _each(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*work)
