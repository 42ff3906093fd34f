"""How many attempts requests come to, counted at their providers: outages are not multiplied."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.rig import HELLO, Gateway, gateway, run
from tests.gateway.routed import SOON, at, routed
from tests.gateway.upstream import (
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    chunk,
    delta,
    streaming,
    whole,
)

from tidegate.core.plan import Target
from tidegate.core.resilience import Breaker

STREAM = {**HELLO, "stream": True}
NO = {"error": {"message": "no"}}
ALWAYS_ASKED = Breaker(failures=1_000_000)
CALLERS = 20


async def hangs_up(exchange: Exchange) -> None:
    exchange.transport.abort()


async def fails_late(exchange: Exchange) -> None:
    """An error inside a stream, before its first content."""
    exchange.send(STREAM_HEAD + chunk(b"data: " + delta({"role": "assistant"}) + b"\n\n"))
    exchange.event(b'{"error": {"message": "no"}}')


def by_turns(*scripts: Script) -> Script:
    count = 0

    async def script(exchange: Exchange) -> None:
        nonlocal count
        count += 1
        await scripts[count % len(scripts)](exchange)

    return script


def stubborn(up: Upstream, name: str) -> Target:
    """Nothing of it is ever left alone: only the budget bounds what is sent there."""
    return at(up, name, breaker=ALWAYS_ASKED)


async def statuses(it: Gateway, requests: int) -> list[int]:
    """Of so many requests, every second one streamed, by several callers at once."""

    async def caller(number: int) -> list[int]:
        body = {**HELLO, "stream": number % 2 == 0}
        return [(await it.ask(body=body)).status for _ in range(requests // CALLERS)]

    asked = await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return [status for one in asked for status in one]


def test_at_most_a_tenth_more_is_sent_when_every_target_fails(tmp_path: Path) -> None:
    requests = 1_000

    async def main() -> None:
        script = by_turns(hangs_up, whole(NO, 500), fails_late, whole(NO, 503))
        async with Upstream(script) as one, Upstream(script) as two, Upstream(script) as three:
            pool, last = [stubborn(one, "a"), stubborn(two, "b")], stubborn(three, "c")
            routes = routed(*pool, unavailable=(last,), malformed=(last,))
            async with gateway(tmp_path, pool[0], routes=routes) as it:
                assert set(await statuses(it, requests)) == {502, 503}
                sent = sum(len(up.exchanges) for up in (one, two, three))
                assert requests < sent <= 1.1 * requests

    run(main())


@pytest.mark.parametrize("failing", [whole(NO, 500), hangs_up, fails_late])
def test_whoever_can_be_served_elsewhere_is_however_many_they_are(
    tmp_path: Path, failing: Script
) -> None:
    requests = 200
    retry = replace(SOON, attempts=1, budget_least=CALLERS)

    async def main() -> None:
        async with Upstream(by_turns(failing, streaming())) as one, Upstream(streaming()) as two:
            first = stubborn(one, "a")
            routes = routed(
                first, retry=retry, unavailable=(at(two, "b"),), malformed=(at(two, "b"),)
            )
            async with gateway(tmp_path, first, routes=routes) as it:
                asked = [(await it.ask(body=STREAM)).status for _ in range(requests)]
                assert asked == [200] * requests
                assert len(one.exchanges) + len(two.exchanges) <= 2 * requests

    run(main())


def test_a_stream_that_goes_on_elsewhere_has_repaid_with_its_first_token(tmp_path: Path) -> None:
    retry = replace(SOON, attempts=1, budget_percent=0, budget_least=1)

    async def begins(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        exchange.say("one ")

    async def main() -> None:
        async with Upstream(whole(NO, 500)) as one, Upstream(begins) as two:
            first = stubborn(one, "a")
            routes = routed(first, retry=retry, unavailable=(at(two, "b"),))
            async with gateway(tmp_path, first, routes=routes) as it:
                writers = []
                for _ in range(3):
                    reader, writer = await it.connect()
                    writer.write(it.request(body=STREAM))
                    await reader.readuntil(b"one ")
                    writers.append(writer)
                for writer in writers:
                    writer.transport.abort()

    run(main())
