"""What applications and gateways say over Redis is heard by all, in the order that Redis gives."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.cpu import cpu_s
from tests.stores import redis_rig
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import Server, run

from tidegate.core import clock
from tidegate.core.cache_labels import EVERYTHING, Labels, Selector
from tidegate.core.kept_answer import KeptAnswer
from tidegate.stores.redis_address import parse
from tidegate.stores.redis_answers import RedisAnswers
from tidegate.stores.redis_invalidations import LOOK_S, STREAM, RedisInvalidations
from tidegate.stores.redis_link import RedisLink

MB = 1 << 20


class Gateway:
    """One gateway's end, and all that it has heard."""

    def __init__(self, server: Server, name: str) -> None:
        self.heard: list[tuple[str, Selector]] = []
        self.known: dict[str, Selector] = {}
        self.store = RedisAnswers(
            server.address, name, lambda of, it: self.heard.append((of, it)), self.known
        )
        self.answers = self.store.of("faq", "exact", MB)

    def mark(self) -> str:
        return self.store.invalidations.id_at(clock.monotonic_s())

    def put(self, key: bytes, mark: str | None = None, **labels: object) -> None:
        id = self.mark() if mark is None else mark
        told = Labels(route="faq", id=id, **labels)  # type: ignore[arg-type]
        self.answers.put(
            key, KeptAnswer("r", clock.wall_s(), 60.0, "t", False, b"{}", labels=told), 60.0
        )

    async def has(self, key: bytes) -> bool:
        return await self.answers.get(key) is not None

    async def hears(self, *selectors: Selector) -> None:
        await until(lambda: all(it in [told for _, told in self.heard] for it in selectors))


@contextlib.asynccontextmanager
async def two(server: Server) -> AsyncIterator[tuple[Gateway, Gateway]]:
    both = one, other = Gateway(server, "one"), Gateway(server, "other")
    tasks = [asyncio.ensure_future(it.store.run()) for it in both]
    try:
        # Both may have begun the stream, and each beginning makes void what was kept before it.
        await until(lambda: one.store.open and other.store.open and one.mark() == other.mark() > "")
        yield both
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(redis_rig.PATIENCE_S):
        while not true():  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.005)


async def there(it: Gateway, key: bytes) -> None:
    async with asyncio.timeout(redis_rig.PATIENCE_S):
        while not await it.has(key):  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", KINDS)
def test_an_application_says_it_over_redis_and_every_gateway_obeys(
    kind: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, other):
            one.put(b"old", tags=("prices",), team="acme")
            one.put(b"else", tags=("prices",), team="beta")
            await there(other, b"old")
            await there(other, b"else")
            under_way = other.mark()
            server.say("XADD", STREAM, "*", "tag", "prices", "team", "acme")
            meant = Selector(tag="prices", team="acme")
            await one.hears(meant)
            await other.hears(meant)
            other.put(b"late", mark=under_way, tags=("prices",), team="acme")
            other.put(b"new", tags=("prices",), team="acme")
            await there(one, b"new")
            await there(one, b"else")
            assert not await one.has(b"old")
            assert not await one.has(b"late")
            assert one.store.void >= 1

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_what_control_says_counts_at_once_and_is_written_once(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, other):
            one.put(b"k", sources=("doc-17",))
            await there(other, b"k")
            before = server.say("XLEN", STREAM)
            for it in (one, other, one):
                it.store.invalidate("01A", Selector(source="doc-17"))
                assert not await it.has(b"k")
            await one.hears(Selector(source="doc-17"))
            assert int(server.say("XLEN", STREAM)[1:]) == int(before[1:]) + 1
            await until(lambda: not one.store.invalidations._unplaced)
            one.put(b"k", sources=("doc-17",))
            await there(other, b"k")

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


def test_what_could_not_be_said_is_said_when_the_store_is_back(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, other):
            one.put(b"k", tags=("a",))
            await there(other, b"k")
            server.signal(signal.SIGSTOP)
            assert not await one.has(b"k")
            one.store.invalidate("01B", Selector(tag="a"))
            await asyncio.sleep(3 * LOOK_S)
            server.signal(signal.SIGCONT)
            await other.hears(Selector(tag="a"))
            await until(lambda: one.store.open and other.store.open)
            assert not await one.has(b"k")
            assert not await other.has(b"k")

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize(
    "words",
    [
        ("tags", "a"),
        ("tag", " a"),
        ("tier", "warm", "tag", "a"),
        ("version", "7"),
        ("everything", "no"),
        ("everything", "yes", "tag", "a"),
        ("tag", "a", "tag", "b"),
        ("id", "01C"),
    ],
    ids=" ".join,
)
def test_what_means_nothing_is_told_and_passed_over(
    words: tuple[str, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, _):
            one.put(b"k", tags=("a",))
            await there(one, b"k")
            server.say("XADD", STREAM, "*", *words)
            server.say("XADD", STREAM, "*", "tag", "last")
            await one.hears(Selector(tag="last"))
            assert one.store.invalidations.malformed == 1
            await there(one, b"k")  # a read that was not in time is no answer

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))
    assert "means nothing" in caplog.text


@pytest.mark.parametrize("lost", ["DEL", "XTRIM"])
def test_where_the_stream_does_not_go_back_so_far_answers_are_void(
    lost: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, _):
            one.put(b"k", tags=("a",))
            await there(one, b"k")
            for name in "xyz":
                server.say("XADD", STREAM, "*", "tag", name)
            await one.hears(Selector(tag="z"))
            await there(one, b"k")
            server.say(*(("DEL", STREAM) if lost == "DEL" else ("XTRIM", STREAM, "MAXLEN", "1")))
            if lost == "DEL":
                before = one.heard.count(("", EVERYTHING))
                await until(lambda: one.heard.count(("", EVERYTHING)) > before)
                assert not await one.has(b"k")
            new = Gateway(server, "new")
            task = asyncio.ensure_future(new.store.run())
            await until(lambda: new.store.open)
            assert not await new.has(b"k")
            new.put(b"l", tags=("a",))
            await there(new, b"l")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


def test_nothing_is_given_where_the_stream_cannot_be_read(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, _):
            one.put(b"k")
            await there(one, b"k")
            assert one.store.open
            one.store.invalidations._read_s = clock.monotonic_s() - 1.0
            assert not await one.has(b"k")
            await there(one, b"k")

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lost", ["cut off", "lost"])
def test_nor_where_what_one_has_read_last_is_no_more(
    kind: str, lost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was away while more was said than is kept; or a replica that lacks the last entries has
    become the server."""

    async def main(server: Server) -> None:
        async with two(server) as (one, _):
            one.put(b"k", tags=("a",))
            await there(one, b"k")
            new = Gateway(server, "new")
            task = asyncio.ensure_future(new.store.run())
            await until(lambda: new.store.open)
            if lost == "lost":
                id = server.say("XADD", STREAM, "*", "tag", "a").split(b"\r\n")[1].decode()
                await new.hears(Selector(tag="a"))
            with monkeypatch.context() as patch:
                patch.setattr(new.store.invalidations, "read", nothing)
                if lost == "lost":
                    server.say("XDEL", STREAM, id)
                else:
                    for name in "axyz":
                        server.say("XADD", STREAM, "*", "tag", name)
                    server.say("XTRIM", STREAM, "MAXLEN", "3")
                before = new.heard.count(("", EVERYTHING))
            await until(lambda: new.heard.count(("", EVERYTHING)) > before)
            assert not await new.has(b"k")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


async def nothing(link: object) -> None:
    """It is away."""


def test_what_cannot_be_placed_costs_a_look_little() -> None:
    invalidations = RedisInvalidations(lambda name, selector: None, {})
    link = RedisLink(parse("redis://localhost:1"), "g", nothing)
    for number in range(1000):
        invalidations.place(link, str(number), Selector(source=f"doc-{number}", team="acme"))
    labels = Labels(route="r", team="beta", key="k", tags=("a", "b"), sources=("doc-1",))
    assert cpu_s(lambda: [invalidations.voids(labels) for _ in range(20)]) < 0.04
    assert not invalidations.voids(labels)
    assert invalidations.voids(Labels(team="acme", sources=("doc-999",)))


def test_a_caller_cannot_have_read_more_than_there_is(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with two(server) as (one, _):
            heard = one.store.invalidations
            assert heard.at_most("99999999999999-9") == one.mark()
            assert heard.at_most("5-1") == "5-1"
            assert heard.at_most("newest") == heard.at_most("") == ""

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(server))
