"""A gateway's start, drain and end, as a process."""

import asyncio
import signal
import socket
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.gateway.rig import HELLO, PEPPER, plan_of, read_journal, run, target, until
from tests.gateway.spawned import Spawned, ask, lay_out, post
from tests.gateway.upstream import STREAM_HEAD, Exchange, Upstream, stalling, whole

from tidegate.core.resilience import Deadlines
from tidegate.core.secret import SecretRef
from tidegate.gateway import process as gateway_process
from tidegate.gateway.plan_feed import PlanFeed
from tidegate.gateway.world import World

STREAM = {**HELLO, "stream": True}
STREAMS = 200


def test_sigterm_under_200_streams_cuts_none_and_refuses_none(tmp_path: Path) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def long(exchange: Exchange) -> None:
            if not exchange.json.get("stream"):
                await whole()(exchange)
                return
            exchange.send(STREAM_HEAD)
            exchange.say("first")
            await go.wait()
            exchange.say("last")
            exchange.end()

        async with Upstream(long) as up:
            layout, key = lay_out(tmp_path, plan_of(target(up.port)))
            with socket.create_server(("127.0.0.1", 0), backlog=4096) as sock:
                old, new = Spawned(layout, 0, sock), Spawned(layout, 1, sock)
                await old.start()
                asking = [
                    asyncio.ensure_future(ask(old.address, post(key, STREAM)))
                    for _ in range(STREAMS)
                ]
                await up.arrived(STREAMS)
                await new.start()
                done = asyncio.Event()
                short: list[int] = []

                async def keep_asking() -> None:
                    while not done.is_set():
                        short.append((await ask(old.address, post(key, HELLO))).status)

                others = [asyncio.ensure_future(keep_asking()) for _ in range(4)]
                await until(lambda: len(short) >= 20)
                old.send_signal(signal.SIGTERM)
                seen = len(short)
                await until(lambda: len(short) >= seen + 200)
                go.set()
                replies = await asyncio.gather(*asking)
                assert await old.ended() == 0
                done.set()
                await asyncio.gather(*others)
                assert await new.end() == 0
            assert all(r.whole and r.events[-1] == b"[DONE]" for r in replies)
            assert set(short) == {200}
            receipts = read_journal(old.journal) + read_journal(new.journal)
            assert len(receipts) == len({r.id for r in receipts}) == STREAMS + len(short)

    run(main())


@pytest.mark.parametrize("why", ["grace", "second"])
def test_at_the_end_of_the_grace_or_of_patience_streams_end_with_an_error_and_are_settled(
    tmp_path: Path, why: str
) -> None:
    async def main() -> None:
        async with Upstream(stalling(2)) as up:
            drain_s = 0.3 if why == "grace" else 60.0
            layout, key = lay_out(tmp_path, plan_of(target(up.port), drain_s=drain_s))
            it = Spawned(layout)
            await it.start()
            asking = [asyncio.ensure_future(ask(it.address, post(key, STREAM))) for _ in range(20)]
            await up.arrived(20)
            it.send_signal(signal.SIGTERM)
            if why == "second":
                await asyncio.sleep(0.2)
                it.send_signal(signal.SIGINT)
            assert await it.ended() == 0
            for reply in await asyncio.gather(*asking):
                assert b"[DONE]" not in reply.body
                assert b'"draining"' in reply.body
            receipts = read_journal(it.journal)
            assert len(receipts) == 20
            assert {r.cancelled_by for r in receipts} == {"gateway"}

    run(main())


def test_a_pause_of_the_machine_expires_nothing_that_lives(tmp_path: Path) -> None:
    """Stopped for longer than every deadline, while the provider goes on."""

    async def main() -> None:
        resumed = asyncio.Event()

        async def steady(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            exchange.say("x")
            await resumed.wait()
            await asyncio.sleep(0.3)
            exchange.say("y")
            exchange.end()

        async with Upstream(steady) as up:
            times = Deadlines(first_token_s=1.0, gap_s=1.0)
            layout, key = lay_out(tmp_path, plan_of(target(up.port, deadlines=times)))
            it = Spawned(layout)
            await it.start()
            asking = asyncio.ensure_future(ask(it.address, post(key, STREAM)))
            await up.arrived()
            await asyncio.sleep(0.2)
            it.send_signal(signal.SIGSTOP)
            await asyncio.sleep(2.6)
            it.send_signal(signal.SIGCONT)
            resumed.set()
            reply = await asking
            assert reply.whole
            assert reply.events[-1] == b"[DONE]"
            assert await it.end() == 0

    run(main())


def test_leases_end_while_deadlines_are_forgiven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that ran out while the process stood still holds nothing when it goes on."""
    monkeypatch.setattr(gateway_process, "STANDSTILL_S", -1.0)  # at every tick it has stood still
    swept: list[str] = []

    def noting(what: str) -> Callable[..., None]:
        return lambda *_: swept.append(what)

    monkeypatch.setattr(PlanFeed, "sweep", noting("changes"))
    monkeypatch.setattr(World, "sweep", noting("deadlines"))

    async def main() -> None:
        layout, _ = lay_out(tmp_path, plan_of(target(1)))
        it = gateway_process.Process(Namespace(state=layout.state, slot=0))
        ticking = asyncio.ensure_future(it._tick())
        await until(lambda: len(swept) >= 3)
        ticking.cancel()

    run(main())
    assert set(swept) == {"changes"}


def test_a_second_gateway_of_the_same_slot_says_so_and_ends(tmp_path: Path) -> None:
    async def main() -> None:
        layout, _ = lay_out(tmp_path, plan_of(target(1)))
        it, double = Spawned(layout), Spawned(layout)
        await it.start()
        with pytest.raises(AssertionError, match="another gateway writes"):
            await double.start()
        assert await double.process.wait() == 1
        assert await it.end() == 0

    run(main())


def test_without_control_it_serves_from_disk(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            layout, key = lay_out(tmp_path, plan_of(target(up.port)))
            it = Spawned(layout)
            await it.start()
            assert (await ask(it.address, post(key, HELLO))).status == 200
            assert await it.end(signal.SIGQUIT) == 0
            assert key.encode() not in it.log

    run(main())


def test_no_secret_appears_in_what_the_gateway_says_or_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider throws the credential back in every way that it can."""
    canary = "sk-proj-CANARYcanaryCANARYcanary0123456789"
    monkeypatch.setenv("CANARY", canary)

    async def main() -> None:
        said = {"error": {"message": f"your key {canary} is bad", "code": canary}}
        async with Upstream() as up:
            credential = SecretRef(env="CANARY")
            layout, key = lay_out(tmp_path, plan_of(target(up.port, credential=credential)))
            it = Spawned(layout)
            await it.start()
            replies = []
            for status in (400, 401, 403, 404, 422, 429, 500):
                up.script = whole(said, status, [("x-echo", canary)])
                replies.append((await ask(it.address, post(key, HELLO))).raw)
            up.script = whole(said)
            replies.append((await ask(it.address, post(key, HELLO))).raw)
            assert up.exchanges[0].header(b"authorization") == b"Bearer " + canary.encode()
            assert await it.end() == 0
            kept = b"".join(path.read_bytes() for path in segments(it.journal))
            everything = b"".join(replies) + it.log + kept
            assert len(replies) == 8
            for secret in (canary.encode(), key.encode(), PEPPER):
                assert secret not in everything

    run(main())


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


# What a gateway's process can do without until a plan asks for it, or altogether.
HEAVY = {
    *("minijinja", "quicktok", "ctypes", "urllib.request", "http.client", "json"),
    *("sqlalchemy", "alembic", "yaml", "click", "starlette", "uvicorn", "httpx2", "genai_prices"),
    *("prometheus_client", "numpy", "onnxruntime", "tokenizers", "usearch", "re2", "dulwich"),
    *("cryptography", "jwt", "psycopg", "botocore", "qdrant_client", "any_llm"),
    *("tidegate.text.personal", "tidegate.config.models", "tidegate.control", "tidegate.record"),
}
TOLD = """
import sys
from tidegate.gateway.process import main
status = main(sys.argv[1:])
print("modules:", *sys.modules, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize(
    ("tokenizer", "loads"), [(None, set()), ("cl100k", {"quicktok", "ctypes"})]
)
def test_a_gateway_loads_of_heavy_things_what_its_plan_needs(
    tmp_path: Path, tokenizer: str | None, loads: set[str]
) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up:
            layout, key = lay_out(tmp_path, plan_of(target(up.port, tokenizer=tokenizer)))
            it = Spawned(layout)
            await it.start("-c", TOLD)
            assert (await ask(it.address, post(key, HELLO))).status == 200
            assert await it.end() == 0
            loaded = set(it.log.partition(b"modules: ")[2].decode().split())
            assert "tidegate.gateway.life" in loaded
            assert loaded & HEAVY == loads

    run(main())
