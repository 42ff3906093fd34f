"""Answers in Redis and Valkey: found as they were put, bounded, and a miss whatever goes wrong."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import Server, run

from tidegate.core import clock
from tidegate.core.cache_labels import Labels
from tidegate.core.kept_answer import KeptAnswer, packed
from tidegate.stores.redis_answers import ENTRY_BYTES, RedisAnswers
from tidegate.stores.redis_purge import written
from tidegate.stores.redis_wire import encode

MB = 1 << 20
# Asked for after all that was invalidated.
LATER = Labels(id="99999999999999-0")


def answer(body: bytes = b"{}", of: str = "r", ago_s: float = 0.0) -> KeptAnswer:
    return KeptAnswer(of, clock.wall_s() - ago_s, 60.0, "t", False, body, labels=LATER)


@contextlib.asynccontextmanager
async def kept(server: Server) -> AsyncIterator[RedisAnswers]:
    store = RedisAnswers(server.address, "test")
    task = asyncio.ensure_future(store.run())
    try:
        await until(lambda: store.open)
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(redis_rig.PATIENCE_S):
        while not true():  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.005)


async def found(get: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(redis_rig.PATIENCE_S):
        while await get() is None:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_found_by_any_gateway_in_its_own_route_alone(
    kind: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as one, kept(server) as other:
            made = answer(b"\x00\r\n" * 9, ago_s=5.0)
            one.of("a", "exact", MB).put(b"\xff\x00k", made, 60.0)
            mine = other.of("a", "exact", MB)
            await found(lambda: mine.get(b"\xff\x00k"))
            it = await mine.get(b"\xff\x00k")
            assert it is not None
            assert it.answer == made
            assert 5.0 <= it.age_s < 30.0
            assert await other.of("b", "exact", MB).get(b"\xff\x00k") is None
            assert await mine.get(b"k") is None
            assert (one.errors, other.errors, other.damaged) == (0, 0, 0)

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("kind", KINDS)
def test_what_would_expire_soonest_makes_room_and_what_has_expired_takes_none(
    kind: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store:
            size = len(packed(answer(b"x" * 1000), b"1")) + len(written(LATER)) + ENTRY_BYTES
            route = store.of("a", "exact", 3 * size)
            for name, keep_s in ((b"1", 60.0), (b"2", 30.0), (b"3", 0.02)):
                route.put(name, answer(b"x" * 1000), keep_s)
            await found(lambda: route.get(b"2"))
            await asyncio.sleep(0.05)
            route.put(b"4", answer(b"x" * 1000), 90.0)
            await found(lambda: route.get(b"4"))
            assert store.evicted == 0
            route.put(b"5", answer(b"x" * 1000), 90.0)
            await found(lambda: route.get(b"5"))
            there = [await route.get(name) is not None for name in (b"1", b"2", b"3", b"4", b"5")]
            assert there == [True, False, False, True, True]
            assert store.evicted == 1
            route.put(b"1", answer(b"x" * 1000), 90.0)  # once more takes no more room
            await asyncio.sleep(0.05)
            assert store.evicted == 1

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_what_stands_under_another_s_key_or_is_damaged_is_a_miss(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store:
            route = store.of("a", "exact", MB)
            route.put(b"mine", answer(of="me"), 60.0)
            await found(lambda: route.get(b"mine"))
            space = "{tidegate:answers:3:exact:a}:of:"
            server.say("COPY", f"{space}mine", f"{space}yours")
            server.say("SET", f"{space}torn", "no answer")
            assert await route.get(b"yours") is None
            assert await route.get(b"torn") is None
            assert (store.damaged, store.errors) == (2, 0)

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_full_keeps_nothing_and_gives_what_it_has(
    kind: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store:
            route = store.of("a", "exact", 1 << 30)
            route.put(b"k", answer(), 60.0)
            await found(lambda: route.get(b"k"))
            server.say("CONFIG", "SET", "maxmemory", "1")
            route.put(b"l", answer(), 60.0)
            await until(lambda: store.full == 1)
            assert await route.get(b"k") is not None
            assert await route.get(b"l") is None
            assert store.open

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_a_server_that_hangs_or_has_gone_is_a_miss_at_once(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store:
            route = store.of("a", "exact", MB)
            server.signal(signal.SIGSTOP)
            async with asyncio.timeout(1.0):
                assert await route.get(b"k") is None
                for _ in range(50):
                    assert await route.get(b"k") is None
            route.put(b"k", answer(), 60.0)
            assert store.errors == 52
            server.signal(signal.SIGCONT)
            await until(lambda: store.open)
            route.put(b"k", answer(), 60.0)
            await found(lambda: route.get(b"k"))
            server.kill()
            await until(lambda: not store.open)
            assert await route.get(b"k") is None

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


def test_what_may_be_kept_for_no_time_is_not_sent(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store:
            route = store.of("a", "exact", MB)
            route.put(b"k", answer(), 0.0)
            assert await route.get(b"k") is None
            assert store.errors == 0

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_that_the_server_threw_away_leaves_room(kind: str, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store:
            route = store.of("a", "exact", 4096)
            for name in (b"1", b"2", b"3"):
                route.put(name, answer(b"x" * 1000), 60.0)
            await found(lambda: route.get(b"3"))
            await store._link.call(encode("DEL", "{tidegate:answers:3:exact:a}:until"))
            for name in (b"4", b"5"):
                route.put(name, answer(b"x" * 1000), 60.0)
            await found(lambda: route.get(b"5"))
            assert await route.get(b"4") is not None

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("kind", KINDS)
def test_several_are_put_and_found_together(kind: str, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store, kept(server) as other:
            route = store.of("a", "embeddings", 8 * MB)
            entries = [(b"%d" % number, answer(b"x" * number)) for number in range(100)]
            await route.put_many(entries, 60.0)
            await route.put_many([(b"0", answer(b"never"))], 0.0)
            keys = [key for key, _ in entries]
            found = await other.of("a", "embeddings", MB).get_many([*keys, b"none", keys[3]])
            assert [None if it is None else it.answer.body for it in found] == [
                *(it.body for _, it in entries),
                None,
                b"xxx",
            ]
            # What is damaged, or lies under another's key, is a miss of its own.
            prefix = b"{tidegate:answers:3:embeddings:a}:of:"
            store.tell(encode("SET", prefix + b"4", packed(answer(), b"5")), lambda _: None)
            store.tell(encode("SET", prefix + b"5", b"odd"), lambda _: None)
            found = await route.get_many([b"3", b"4", b"5", b"6"])
            assert [it is None for it in found] == [False, True, True, False]
            assert store.damaged == 2

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_while_it_is_away_all_of_several_are_misses(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        store = RedisAnswers(server.address, "test")
        route = store.of("a", "embeddings", MB)
        await route.put_many([(b"1", answer())], 60.0)
        assert await route.get_many([b"1", b"2"]) == [None, None]
        assert store.errors == 2

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


def test_a_bound_is_of_what_the_server_takes_and_making_room_holds_it_little(
    tmp_path: Path,
) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store:
            route = store.of("a", "chunks", 64 * MB)
            before = used(server)
            for start in range(0, 4000, 500):
                entries = [(b"%d" % it, answer(b"1")) for it in range(start, start + 500)]
                await route.put_many(entries, 60.0)
            told = int(server.say("GET", f"{SPACE}:size").split(b"\r\n")[1])
            assert 0.7 < told / (used(server) - before) < 1.5
            route.max_bytes = 1
            await route.put_many([(b"x", answer(b"1"))], 60.0)
            assert server.say("ZCARD", f"{SPACE}:until") == b":3001\r\n"

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


SPACE = "{tidegate:answers:3:chunks:a}"


def used(server: Server) -> int:
    return int(server.say("INFO", "memory").split(b"used_memory:")[1].split(b"\r\n")[0])


def test_what_is_long_is_read_in_as_many_replies_as_it_takes(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with kept(server) as store:
            route = store.of("a", "chunks", 64 * MB, MB)
            long = answer(b"x" * MB)
            keys = [b"%d" % number for number in range(6)]
            for key in keys:
                await route.put_many([(key, long)], 60.0)

            async def all_of_them() -> object:
                return all(await route.get_many(keys)) or None

            await found(all_of_them)

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))
