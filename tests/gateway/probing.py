"""A gateway whose ticker probes, on virtual time, and the provider that it asks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.gateway import virtual
from tests.gateway.rig import HELLO, Gateway, plan_of, target
from tests.gateway.wires import CHUNK, DONE, HEAD, LAST, USAGE, Caller, Provider, WiredLoop

from tidegate.core import clock
from tidegate.core.plan import Plan, Target
from tidegate.core.probe import Probe
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Breaker
from tidegate.gateway import front, journal
from tidegate.gateway.http.server import Connection
from tidegate.gateway.prober import Prober

STREAM = HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"
GOOD = STREAM + b"".join(b"%x\r\n%b\r\n" % (len(it), it) for it in (CHUNK, LAST, USAGE, DONE))
GOOD += b"0\r\n\r\n"
DOWN = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n"
FAST = Breaker(failures=3, window_s=30.0, open_s=10.0)
OFTEN = Probe(every_s=60.0, timeout_s=5.0)


class Asked(Provider):
    """`answer` is given to each request; None is silence."""

    def __init__(self, answer: bytes | None = GOOD) -> None:
        self.answer = answer
        self.asked_s: list[float] = []
        self.bodies: list[bytes] = []

    async def connect(self, factory: Any) -> Any:
        self._chance = _Never()  # type: ignore[assignment]
        return await super().connect(factory)

    def _asked(self, protocol: Any, wire: Any, data: bytes) -> None:
        self.bodies.append(data)
        super()._asked(protocol, wire, data)

    def _answer(self, streamed: bool) -> list[bytes | None]:
        self.asked_s.append(virtual.now_s())
        return [] if self.answer is None else [self.answer]


class _Never:
    def choice(self, options: list[float]) -> float:
        return options[0]


class House:
    """A gateway whose ticker probes, and what it has asked."""

    def __init__(self, it: Gateway, prober: Prober, provider: Asked) -> None:
        self.it, self.prober, self.provider = it, prober, provider

    async def obey(self, *targets: Target, probe: Probe = OFTEN, version: int = 2) -> None:
        assert await self.it.obey(planned(*targets, probe=probe, version=version))

    def probed(self) -> Any:
        [(_, found)] = self.prober
        return found

    def state(self) -> str:
        plan = self.it.world.plan
        assert plan is not None
        [asked] = plan.probes.values()
        return asked.target.replicas[0].breaker.state

    async def ask(self) -> bytes:
        """One caller's request, heard to its end."""
        caller = Caller(Connection(self.it.world.listener, front.Front(self.it.world).answer))
        before = len(self.it.receipts())
        caller.ask(self.it.request(body={**HELLO, "stream": True}))
        while len(self.it.receipts()) == before:  # noqa: ASYNC110 - nothing announces one
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        caller.leave()
        return caller.heard

    def receipts(self) -> list[Receipt]:
        return self.it.receipts()


def planned(*targets: Target, probe: Probe = OFTEN, version: int = 1) -> Plan:
    return plan_of(*targets, version=version, probes={it.name: probe for it in targets})


def small(**fields: Any) -> Target:
    return target(1, **{"breaker": FAST, **fields})


@contextlib.asynccontextmanager
async def _house(folder: Path, plan: Plan, provider: Asked) -> AsyncIterator[House]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WiredLoop)
    loop.provider = provider
    it = Gateway(folder, journal.JournalBounds(), {})
    it.journal.open()
    assert await it.obey(plan)
    prober = Prober(it.world)

    def sweep(now_s: float) -> None:
        it.world.sweep(now_s)
        prober.sweep(now_s)

    sweeper = virtual.sweeping(sweep)
    try:
        yield House(it, prober, provider)
    finally:
        sweeper.cancel()
        await prober.stop()
        for pool in it.preparer.pools.values():
            pool.close()
        await it.journal.close()
        it.world.keys.close()


def play(
    folder: Path,
    scenario: Callable[[House], Coroutine[Any, Any, None]],
    plan: Plan | None = None,
    provider: Asked | None = None,
) -> None:
    """Runs a scenario on virtual time."""

    async def main() -> None:
        async with _house(folder, plan or planned(small()), provider or Asked()) as house:
            await scenario(house)

    with asyncio.Runner(loop_factory=WiredLoop) as runner:
        runner.run(main())


def playing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a scenario in a house whose chance always draws the middle."""
    monkeypatch.setattr(clock, "monotonic_s", virtual.now_s)
    monkeypatch.setattr(clock, "fraction", lambda: 0.5)
    monkeypatch.setattr(journal, "_sync", lambda file: None)
    return partial(play, folder)
