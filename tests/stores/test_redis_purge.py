"""What is void takes no room for long, and nothing else goes with it."""

import asyncio
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import Server, run
from tests.stores.test_redis_invalidations import there, two, until

from tidegate.core.cache_labels import Labels, Selector
from tidegate.stores import redis_purge
from tidegate.stores.redis_invalidations import STREAM

SPACE = "{tidegate:answers:3:exact:faq}"


@pytest.mark.parametrize("kind", KINDS)
def test_void_answers_are_taken_out_by_one_of_the_gateways(kind: str, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, other):
            for number in range(300):
                one.put(b"%d" % number, tags=("odd",) if number % 2 else ("even",))
            await there(one, b"299")
            server.say("XADD", STREAM, "*", "tag", "odd")
            await until(lambda: one.store.purged + other.store.purged == 150)
            assert server.say("HLEN", f"{SPACE}:labels") == b":150\r\n"
            assert server.say("ZCARD", f"{SPACE}:until") == b":150\r\n"
            assert server.say("EXISTS", f"{SPACE}:of:1") == b":0\r\n"
            assert [await other.has(b"%d" % number) for number in (0, 1, 298)] == [
                True,
                False,
                True,
            ]
            one.store.invalidate("01A", Selector(route="faq"))
            await until(lambda: one.store.purged + other.store.purged == 300)
            assert server.say("GET", f"{SPACE}:size") == b"$1\r\n0\r\n"

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_what_was_put_in_its_place_meanwhile_stays(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, other):
            one.put(b"k", tags=("a",))
            await there(one, b"k")
            old = one.mark()
            server.say("XADD", STREAM, "*", "tag", "a")
            await until(lambda: one.mark() != old and other.mark() == one.mark())
            one.put(b"k", tags=("a",))
            await asyncio.sleep(1.5)
            assert await other.has(b"k")

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


def test_a_stream_that_nobody_bounds_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_purge, "MOST", 100)

    async def main(server: Server) -> None:
        async with two(server) as (one, _):
            for number in range(400):
                server.say("XADD", STREAM, "*", "tag", str(number))
            await one.hears(Selector(tag="399"))
            await until(lambda: int(server.say("XLEN", STREAM)[1:]) <= 200)

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


def test_what_is_taken_out_is_told_with_the_places_of_its_question(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with two(server) as both:
            told: list[tuple[tuple[bytes, ...], bytes]] = []

            async def forget(labels: Labels, key: bytes) -> None:
                told.append((labels.places, key))

            for it in both:
                it.store.purge.forget = forget
            one = both[0]
            one.put(b"k", tags=("a",), places=(b"p", b"\xff\x00"))
            one.put(b"stays", places=(b"p",))
            await there(one, b"stays")
            server.say("XADD", STREAM, "*", "tag", "a")
            await until(lambda: told)
            assert told == [((b"p", b"\xff\x00"), b"k")]

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))
