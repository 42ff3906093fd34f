import asyncio
import contextlib
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import Server, run

from tidegate.stores.redis_address import RedisAddress, parse
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_wire import RedisRefused, RedisUnavailable, encode

PING = encode("PING")


async def nothing(link: RedisLink) -> None:
    pass


@contextlib.asynccontextmanager
async def linked(address: RedisAddress, **options: float) -> AsyncIterator[RedisLink]:
    link = RedisLink(address, "tidegate:test", nothing, **options)
    keeping = asyncio.ensure_future(link.keep())
    try:
        await opened(link)
        yield link
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


async def opened(link: RedisLink) -> None:
    async with asyncio.timeout(redis_rig.PATIENCE_S):
        while not link.open:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_was_cancelled_never_shifts_the_replies_of_others(
    kind: str, tmp_path: Path
) -> None:
    with redis_rig.serving(kind, tmp_path) as server:
        run(cancels(server, 3_000))


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_thousand_cancels(kind: str, tmp_path: Path) -> None:
    with redis_rig.serving(kind, tmp_path) as server:
        run(cancels(server, 100_000), patience_s=1_800)


async def cancels(server: Server, times: int) -> None:
    """Callers with tags of their own; a random half leaves at a random moment."""
    drawn = random.Random(7)
    right = 0

    async def call(link: RedisLink, tag: int) -> None:
        nonlocal right
        assert await link.call(encode("ECHO", f"tag {tag}")) == b"tag %d" % tag
        right += 1

    async with linked(server.address, deadline_s=5.0) as link:
        for start in range(0, times, 100):
            callers = [asyncio.ensure_future(call(link, start + n)) for n in range(100)]
            for _ in range(drawn.randrange(4)):
                await asyncio.sleep(0)
            leaving = [caller for caller in callers if drawn.random() < 0.5]
            for caller in leaving:
                caller.cancel()
            ended = await asyncio.gather(*callers, return_exceptions=True)
            assert {type(one) for one in ended} <= {type(None), asyncio.CancelledError}
        assert right >= times / 4
        assert link.breaks == 0


def test_a_server_that_hangs_costs_each_caller_one_deadline_and_then_nothing(
    tmp_path: Path,
) -> None:
    async def main(server: Server) -> None:
        async with linked(server.address) as link:
            server.signal(signal.SIGSTOP)
            waiting = [asyncio.ensure_future(link.call(PING)) for _ in range(3)]
            ended = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(one, RedisUnavailable) for one in ended)
            assert not link.open
            at_once = link.call(PING)
            with pytest.raises(RedisUnavailable):
                at_once.send(None)  # it fails in its first step: nothing is waited for
            server.signal(signal.SIGCONT)
            await opened(link)
            assert await link.call(PING) == b"PONG"

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_reply_that_is_late_costs_no_connection_and_is_nobody_else_s(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with linked(server.address) as link:
            server.signal(signal.SIGSTOP)
            late = [link.call(encode("ECHO", f"late {n}")) for n in range(3)]
            ended = await asyncio.gather(*late, return_exceptions=True)
            assert {type(one) for one in ended} == {RedisUnavailable}
            assert not link.open
            server.signal(signal.SIGCONT)
            await opened(link)
            assert await link.call(encode("ECHO", "in time")) == b"in time"
            assert (link.breaks, link.timeouts) == (0, 3)
            server.signal(signal.SIGSTOP)
            with pytest.raises(RedisUnavailable):
                await link.call(PING)
            server.signal(signal.SIGCONT)
            await opened(link)
            assert link.breaks == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_loop_that_stood_still_longer_than_the_deadline_makes_no_reply_late(
    tmp_path: Path,
) -> None:
    async def main(server: Server) -> None:
        async with linked(server.address) as link:
            for stalled_s in (0.015, 0.03, 0.06):
                calls = [asyncio.ensure_future(link.call(PING)) for _ in range(20)]
                await asyncio.sleep(0)
                time.sleep(stalled_s)
                assert await asyncio.gather(*calls) == [b"PONG"] * 20
            assert (link.breaks, link.timeouts) == (0, 0)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_server_that_does_not_tell_its_life_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(server: Server) -> None:
        server.say("ACL", "SETUSER", "g", "on", ">pw", "~*", "+@all", "-info")
        link = RedisLink(parse(f"unix://g:pw@{server.socket}"), "tidegate:test", nothing)
        keeping = asyncio.ensure_future(link.keep())
        while "NOPERM" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert not link.open
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_server_that_is_killed_is_known_at_once_and_found_again(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with linked(server.address, deadline_s=5.0) as link:
            waiting = asyncio.ensure_future(link.call(encode("BLPOP", "nothing", 0)))
            await asyncio.sleep(0.01)
            life = link.server_run
            server.kill()
            with pytest.raises(RedisUnavailable):
                await waiting
            server.start()
            await opened(link)
            assert link.server_run not in ("", life)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_what_an_old_connection_still_had_to_say_is_never_obeyed(tmp_path: Path) -> None:
    """It lies in the network while the new connection opens, and arrives after that."""

    async def main(server: Server) -> None:
        old = redis_rig.Network(server, tmp_path / "old.sock")
        async with old.up(), linked(old.address, deadline_s=5.0) as link:
            old.cut()
            wire = link._wire
            assert wire is not None
            link.send(encode("SET", "said", "by the old"))
            link._address = server.address  # another way to the same server
            link._broken(wire, "a test says so")
            await opened(link)
            await link.call(encode("SET", "said", "by the new"))
            old.mend()
            await asyncio.sleep(0.05)
            assert await link.call(encode("GET", "said")) == b"by the new"

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sick_server_is_as_good_as_none_and_an_error_of_ours_is_not(
    kind: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with linked(server.address, deadline_s=5.0) as link:
            with pytest.raises(RedisRefused):
                await link.call(encode("HGET", "only two words"))
            assert link.open
            server.say("REPLICAOF", "127.0.0.1", "1")
            with pytest.raises(RedisRefused, match="READONLY") as refused:
                await link.call(encode("SET", "k", "v"))
            assert refused.value.kind == "READONLY"
            assert not link.open
            server.say("REPLICAOF", "NO", "ONE")
            await opened(link)
            assert await link.call(encode("SET", "k", "v")) == b"OK"

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_password_and_database(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        address = parse(f"unix://:s3cret@{server.socket}?db=5")
        async with linked(address, deadline_s=5.0) as link:
            await link.call(encode("SET", "k", "v"))
            assert b"db5" in (await link.call(encode("INFO", "keyspace")) or b"")  # type: ignore[operator]

    with redis_rig.serving("valkey", tmp_path) as server:
        server.say("CONFIG", "SET", "requirepass", "s3cret")
        run(main(server))


def test_a_wrong_password_is_said_and_tried_again_without_haste(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(server: Server) -> None:
        address = parse(f"unix://:wrong@{server.socket}")
        link = RedisLink(address, "tidegate:test", nothing)
        keeping = asyncio.ensure_future(link.keep())
        while "WRONGPASS" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert not link.open
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping

    with redis_rig.serving("valkey", tmp_path) as server:
        server.say("CONFIG", "SET", "requirepass", "s3cret")
        run(main(server))
    assert "wrong@" not in caplog.text


def test_tcp_to_a_host(tmp_path: Path) -> None:
    async def main() -> None:
        async with linked(parse(f"redis://127.0.0.1:{port}"), deadline_s=5.0) as link:
            assert await link.call(PING) == b"PONG"

    port = redis_rig.free_port()
    with redis_rig.serving("valkey", tmp_path, port=port):
        run(main())


def test_something_else_that_listens_there(tmp_path: Path) -> None:
    """Bytes that are no reply break the connection, whatever is waited for."""

    async def main() -> None:
        async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        path = str(tmp_path / "web.sock")
        async with await asyncio.start_unix_server(web, path):
            link = RedisLink(parse(f"unix://{path}"), "tidegate:test", nothing)
            keeping = asyncio.ensure_future(link.keep())
            while not link.breaks:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert not link.open
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping

    run(main())
