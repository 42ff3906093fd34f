"""Many ask the same at once: one call, and each of them ends as if it had asked alone."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.gateway.cached import ASK, STREAMED, either, house
from tests.gateway.limited import left
from tests.gateway.rig import CHAT, run, until
from tests.gateway.upstream import Exchange, answer_bytes

from tidegate.core import clock
from tidegate.core.plan import Limit
from tidegate.gateway.stream import KEEPALIVE
from tidegate.gateway.world import World
from tidegate.stores.memory_answers import MemoryAnswers


def bearer(key: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", **more}


def said(body: bytes) -> str:
    text: str = msgspec.json.decode(body)["choices"][0]["message"]["content"]
    return text


def test_a_thousand_who_ask_the_same_at_once_are_one_call(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            await either(exchange)

        async with house(tmp_path, script) as it:
            asking = [asyncio.create_task(it.it.ask(body=ASK)) for _ in range(1000)]
            await until(lambda: len(it.it.world.pausing) == 999)
            gate.set()
            replies = await asyncio.gather(*asking)
            assert {(reply.status, said(reply.body)) for reply in replies} == {(200, "hello")}
            assert it.asked == 1
            found = await it.outcomes(1000)
            assert sorted(map(str, found)) == ["joined"] * 999 + ["miss"]
            assert len(it.it.world.cache.flights) == 0

    run(main())


def test_those_who_wait_keep_their_own_deadlines_and_hear_that_we_live(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            await either(exchange)

        async with house(tmp_path, script) as it:
            lead = asyncio.create_task(it.it.ask(body=ASK))
            await it.up.arrived(1)
            hurried = bearer(it.it.key, **{"x-tidegate-timeout": "0.05"})
            late = await it.it.ask(body=ASK, headers=hurried)
            assert (late.status, late.code) == (504, "upstream_timeout")
            patient = asyncio.create_task(it.it.ask(body=STREAMED))
            await until(lambda: it.it.world.pausing)
            it.it.world.sweep(asyncio.get_running_loop().time() + 100.0)
            gate.set()
            reply = await patient
            assert reply.body.startswith(KEEPALIVE)
            assert reply.whole
            assert reply.events[-1] == b"[DONE]"
            assert said((await lead).body) == "hello"
            assert it.asked == 1

    run(main())


def test_when_the_one_that_asks_leaves_another_asks(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            await either(exchange)

        async with house(tmp_path, script) as it:
            _, writer = await it.it.connect()
            writer.write(it.it.request(CHAT, ASK))
            await it.up.arrived(1)
            asking = [asyncio.create_task(it.it.ask(body=ASK)) for _ in range(3)]
            await until(lambda: len(it.it.world.pausing) == 3)
            writer.transport.abort()
            await it.up.arrived(2)
            gate.set()
            assert {reply.status for reply in await asyncio.gather(*asking)} == {200}
            assert it.asked == 2
            found = await it.outcomes(4)
            assert sorted(map(str, found)) == ["joined", "joined", "miss", "miss"]

    run(main())


def test_a_failure_is_not_everybody_s(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            if it.asked == 1:
                exchange.send(answer_bytes(500, b"{}"))
            else:
                await either(exchange)

        async with house(tmp_path, script) as it:
            asking = [asyncio.create_task(it.it.ask(body=ASK)) for _ in range(4)]
            await until(lambda: len(it.it.world.pausing) == 3)
            gate.set()
            replies = await asyncio.gather(*asking)
            assert sorted(reply.status for reply in replies) == [200, 200, 200, 502]
            assert it.asked == 2

    run(main())


def test_who_leaves_while_waiting_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            await either(exchange)

        limits = (
            Limit("at-once", "concurrency", 100),
            Limit("money", "spend", 10**9, unit="month"),
        )
        async with house(tmp_path, script, limits=limits) as it:
            lead = asyncio.create_task(it.it.ask(body=ASK))
            await it.up.arrived(1)
            writers = []
            for number in range(40):
                _, writer = await it.it.connect()
                writer.write(it.it.request(CHAT, STREAMED if number % 2 else ASK))
                writers.append(writer)
            await until(lambda: len(it.it.world.pausing) == 40)
            assert left(it.it, "at-once") == 59
            for writer in writers[:25]:
                writer.transport.abort()
            await until(lambda: len(it.it.world.pausing) == 15)
            gate.set()
            assert said((await lead).body) == "hello"
            found = await it.outcomes(41)
            assert found.count("joined") == 15
            gone = [receipt for receipt in it.it.receipts() if receipt.cancelled_by == "client"]
            assert len(gone) == 25
            assert all((receipt.cost_nanousd, receipt.attempts) == (0, []) for receipt in gone)
            assert left(it.it, "at-once") == 100
            assert left(it.it, "money") == 10**9 - 21_000
            assert it.asked == 1
            for writer in writers[25:]:
                writer.transport.abort()

    run(main())


def test_those_without_money_have_the_answer_that_another_pays_for(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            await either(exchange)

        limits = (Limit("money", "spend", 130_000, unit="month"),)
        short = {**ASK, "max_tokens": 5}
        async with house(tmp_path, script, limits=limits) as it:
            asking = [asyncio.create_task(it.it.ask(body=short)) for _ in range(5)]
            await until(lambda: len(it.it.world.pausing) == 4)
            gate.set()
            assert {reply.status for reply in await asyncio.gather(*asking)} == {200}
            assert it.asked == 1
            it.up.script = either
            other = {**short, "seed": 2}
            assert (await it.it.ask(body=other)).status == 429

    run(main())


def test_when_the_one_with_money_leaves_the_others_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async def script(exchange: Exchange) -> None:
            await exchange.closed.wait()

        limits = (Limit("money", "spend", 130_000, unit="month"),)
        short = {**ASK, "max_tokens": 5}
        async with house(tmp_path, script, limits=limits) as it:
            _, writer = await it.it.connect()
            writer.write(it.it.request(CHAT, short))
            await it.up.arrived(1)
            asking = [asyncio.create_task(it.it.ask(body=short)) for _ in range(3)]
            await until(lambda: len(it.it.world.pausing) == 3)
            writer.transport.abort()
            replies = await asyncio.gather(*asking)
            assert {(it.status, it.code) for it in replies} == {(429, "insufficient_quota")}
            assert len(it.it.world.cache.flights) == 0

    run(main())


async def sweep(world: World) -> None:
    while True:
        await asyncio.sleep(0.02)
        world.sweep(clock.monotonic_s())


def test_leaders_who_wait_too_short_let_nobody_else_ask_alone(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            await either(exchange)

        async with house(tmp_path, script) as it:
            hurried = bearer(it.it.key, **{"x-tidegate-timeout": "0.2"})
            asking = [asyncio.create_task(it.it.ask(body=ASK, headers=hurried))]
            await it.up.arrived(1)
            longer = bearer(it.it.key, **{"x-tidegate-timeout": "0.5"})
            asking.append(asyncio.create_task(it.it.ask(body=ASK, headers=longer)))
            await until(lambda: len(it.it.world.pausing) == 1)
            asking += [asyncio.create_task(it.it.ask(body=ASK)) for _ in range(20)]
            sweeping = asyncio.create_task(sweep(it.it.world))
            await it.up.arrived(3)
            gate.set()
            replies = await asyncio.gather(*asking)
            sweeping.cancel()
            assert [reply.status for reply in replies] == [504, 504] + [200] * 20
            assert it.asked == 3

    run(main())


def test_a_store_that_breaks_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            await either(exchange)

        def broken(*_: object) -> None:
            raise OSError("no room")

        async with house(tmp_path, script) as it:
            monkeypatch.setattr(MemoryAnswers, "put", broken)
            asking = [asyncio.create_task(it.it.ask(body=ASK)) for _ in range(3)]
            await until(lambda: len(it.it.world.pausing) == 2)
            gate.set()
            async with asyncio.timeout(5.0):
                replies = await asyncio.gather(*asking)
            assert [reply.status for reply in replies] == [200] * 3
            assert len(it.it.world.cache.flights) == 0

    run(main())


def test_what_those_who_waited_were_sent_is_counted_once(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            await gate.wait()
            await either(exchange)

        async with house(tmp_path, script) as it:
            asking = [asyncio.create_task(it.it.ask(body=body)) for body in (ASK, STREAMED)]
            await until(lambda: len(it.it.world.pausing) == 1)
            gate.set()
            await asyncio.gather(*asking)
            held = it.it.world.cache.memory["small", "exact"]
            alone = held.size
            for _ in range(2):
                reply = await it.it.ask(body=STREAMED)
            assert held.size == alone + len(reply.body)

    run(main())
