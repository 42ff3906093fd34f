"""One running gateway in front of one provider that speaks every wire, kept through many tests.

A case is one request of a caller, of one dialect, to a target of one codec, whose provider does
what the case's steps say.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import uvloop
from msgspec.structs import replace
from tests.gateway.limited import budget, left, limit
from tests.gateway.provider_wires import BY_CODEC, CANARY, ProviderWire, wire_of
from tests.gateway.reply import Reply
from tests.gateway.rig import Gateway, gateway, target, until
from tests.gateway.upstream import Exchange, Upstream

from tidegate.core import clock, plugs
from tidegate.core.frames import FRAME_HEADER_BYTES
from tidegate.core.plan import HttpBounds, Release, Replica, Route, Target
from tidegate.core.receipt import Receipt, decode_payload
from tidegate.core.resilience import Breaker, Retry
from tidegate.core.secret import SecretRef
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.stores.spending import spent_nanousd

T = TypeVar("T")
DIALECTS = {
    "openai_chat": "/v1/chat/completions",
    "anthropic_messages": "/v1/messages",
    "openai_responses": "/v1/responses",
}
MAX_RESPONSE_BYTES = 200_000
OTHER_KEY = "another/7mZp2Lx9/Vt4R8Ws1Ky6"
USD = 10**9
ONCE = Retry(attempts=1, budget_least=10**6)
PATIENCE_S = 20.0
# It ends the connection, breaks it, or does nothing any more.
Step = bytes | Literal["close", "reset", "hang"]
# Longer than the deadline of a first token and of a gap, and than that of a whole answer.
LATE_S = {True: 61.0, False: 601.0}


class Case(NamedTuple):
    """Who asks, in which API, and whether for a stream."""

    codec: str
    dialect: str
    streamed: bool

    @property
    def wire(self) -> ProviderWire:
        return wire_of(self.codec, self.dialect)

    @property
    def passes(self) -> bool:
        """Whether caller and provider speak the same, so that bytes pass as they came."""
        return self.dialect in plugs.load("providers", self.codec).passthrough

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.codec, "stream": self.streamed}
        if self.dialect == "openai_responses":
            return {**body, "input": "hi", "max_output_tokens": 50, "store": False}
        body |= {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}
        if self.dialect == "openai_chat" and self.streamed:
            body["stream_options"] = {"include_usage": True}
        return body


def cases(codec: str, streamed: bool) -> list[Case]:
    return [Case(codec, dialect, streamed) for dialect in DIALECTS]


class Outcome(NamedTuple):
    """What its caller got, and what is written down."""

    reply: Reply
    receipt: Receipt


def target_of(port: int, codec: str, name: str | None = None, **fields: Any) -> Target:
    replica = Replica(f"127.0.0.1:{port}", "http", "127.0.0.1", port, BY_CODEC[codec].path)
    values: dict[str, Any] = {
        "dialect": codec,
        "model": "served-model",
        "provider": codec,
        "replicas": (replica,),
        "breaker": Breaker(failures=10**6),
        "credential": SecretRef(env="KEY"),
        **fields,
    }
    return target(port, name or codec, **values)


class Rig:
    """`receipts` are all that were written, in order."""

    def __init__(self, it: Gateway, up: Upstream) -> None:
        self.it, self.up = it, up
        self.receipts: list[Receipt] = []
        self._spent_nanousd = 0
        self.hanging = asyncio.Event()
        append = it.journal.append

        def noting(frame: bytes, *ends: Any) -> None:
            receipt = decode_payload(frame[FRAME_HEADER_BYTES:])
            self.receipts.append(receipt)
            self._spent_nanousd += spent_nanousd(receipt)
            append(frame, *ends)

        it.journal.append = noting  # type: ignore[method-assign]

    async def act(self, steps: Sequence[Step]) -> None:
        """What the provider does with each request from now on."""
        self.hanging.clear()

        async def script(exchange: Exchange) -> None:
            for step in steps:
                if step == "close":
                    exchange.transport.close()
                elif step == "reset":
                    exchange.transport.abort()
                elif step == "hang":
                    self.hanging.set()
                    await exchange.closed.wait()
                else:
                    exchange.send(step)
                    await asyncio.sleep(0)

        self.up.script = script

    async def ask(self, case: Case, steps: Sequence[Step], chunks: int = 0) -> Outcome:
        """The whole of a case. A provider that hangs has said `chunks` of content before; then its
        deadline passes."""
        await self.act(steps)
        asking = asyncio.ensure_future(self.it.ask(DIALECTS[case.dialect], case.body()))
        if "hang" in steps:
            await self.hanging.wait()
            await until(lambda: self._stands_at(chunks))
            self.it.world.sweep(clock.monotonic_s() + LATE_S[case.streamed])
        reply = await asking
        return Outcome(reply, await self.settled())

    def _stands_at(self, chunks: int) -> bool:
        if not chunks:
            return any(call.sent_s is not None for call in self.it.world.calls)
        return any(relay.chunks == chunks for relay in self.it.world.relays)

    async def settled(self) -> Receipt:
        """The last receipt, once nothing is under way: every place and hold has been given back."""
        world = self.it.world
        await until(lambda: not world.calls and not world.relays and not world.waiting)
        pools = self.it.preparer.pools.values()
        await until(lambda: not any(pool.in_flight or pool.waiting for pool in pools))
        for one in self._targets():
            assert world.queues.at(one.target).in_flight == 0
        assert left(self.it, "the-concurrency") == 5
        assert left(self.it, "the-spend") == 10**6 * USD - self._spent_nanousd
        self._forgive()
        return self.receipts[-1]

    async def pool(self, codec: str) -> str:
        """A route whose target has two credentials; the first is a provider's canary."""
        more = {"more_credentials": (SecretRef(env="OTHER_KEY"),)}
        one = target_of(self.up.port, codec, f"{codec}-pool", **more)
        again = Retry(attempts=2, budget_least=10**6)
        await self.add(Route(one.name, Release(f"{one.name}@1", one), retry=again))
        return one.name

    async def add(self, route: Route) -> None:
        """One more route of the plan, unless it is there."""
        assert self.it.world.plan is not None
        plan = self.it.world.plan.plan
        if route.name in plan.routes:
            return
        routes = {**plan.routes, route.name: route}
        assert await self.it.obey(replace(plan, version=plan.version + 1, routes=routes))

    def _targets(self) -> list[PreparedTarget]:
        assert self.it.world.plan is not None
        routes = self.it.world.plan.routes.values()
        return [one for route in routes for one in route.targets()]

    def _forgive(self) -> None:
        """No case is told of by the next: what was throttled or refused may be asked again."""
        for one in self._targets():
            for replica in one.replicas:
                replica.credential.accepted()
                replica.credential.rate.__init__()  # type: ignore[misc]


@contextlib.asynccontextmanager
async def _running(folder: Path, codecs: Sequence[str], **fields: Any) -> AsyncIterator[Rig]:
    async with Upstream() as up:
        targets = [target_of(up.port, codec) for codec in codecs]
        limits = (budget(10**6 * USD), limit("concurrency", 5))
        http = HttpBounds(max_response_bytes=MAX_RESPONSE_BYTES, keepalive_comment_s=1000)
        more = {"limits": limits, "http": http, **fields}
        environ = {"KEY": CANARY, "OTHER_KEY": OTHER_KEY}
        async with gateway(folder, *targets, environ=environ, **more) as it:
            yield Rig(it, up)


class Kept:
    """A rig whose loop turns only while a test runs something on it."""

    def __init__(self, rig: Rig, loop: asyncio.AbstractEventLoop) -> None:
        self.rig = rig
        self._loop = loop

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(asyncio.wait_for(main, PATIENCE_S))


@contextlib.contextmanager
def kept(folder: Path, codecs: Sequence[str], **fields: Any) -> Iterator[Kept]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        running = _running(folder, codecs, **fields)
        rig = runner.run(running.__aenter__())
        yield Kept(rig, runner.get_loop())
        runner.run(running.__aexit__(None, None, None))
