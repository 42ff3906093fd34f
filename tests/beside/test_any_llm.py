"""The process itself, with the library: it runs where `.venv-any-llm` has the set any-llm."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.rig import CHAT, HELLO, Gateway, gateway, run, spawn, target, until
from tests.gateway.upstream import (
    DONE,
    STREAM_HEAD,
    USAGE,
    Exchange,
    Upstream,
    chunk,
    completion,
    whole,
)

from tidegate.beside.environment import harmless
from tidegate.boot.child import Child, ChildSpec
from tidegate.core.plan import Target
from tidegate.core.resilience import Breaker
from tidegate.core.secret import SecretRef

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = REPOSITORY / ".venv-any-llm/bin/python"
STREAMED = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}


@contextlib.asynccontextmanager
async def beside(*, key_around: bool = False) -> AsyncIterator[tuple[int, Any]]:
    """The port that it listens on, and the process."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    theirs, ours = os.pipe()
    command = ("-P", "-m", "tidegate.beside.any_llm", "--listen", f"127.0.0.1:{port}")
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    if key_around:
        environ["OPENAI_API_KEY"] = "sk-of-the-machine"
    process = await spawn(
        str(PYTHON), *command, "--parent-fd", str(theirs), pass_fds=(theirs,), env=environ
    )
    os.close(theirs)
    try:
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield port, process
    finally:
        os.close(ours)
        async with asyncio.timeout(20):
            assert await process.wait() == 0


def to(port: int, up: Upstream, **fields: Any) -> Target:
    headers = (("x-any-llm-api-base", f"http://127.0.0.1:{up.port}/v1"),)
    named = {"dialect": "any_llm", "model": "openai:gpt-x", "headers": headers}
    return target(port, **{**named, "credential": SecretRef(env="KEY"), **fields})


# The library reads answers strictly: each says when it was made.
WHOLE = {**completion(), "created": 1}


def piece(**members: Any) -> bytes:
    head = {"id": "up-1", "object": "chat.completion.chunk", "created": 1, "model": "served"}
    return msgspec.json.encode({**head, **members})


def said(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"role": "assistant", "content": text}
    return piece(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


async def streamed(exchange: Exchange) -> None:
    exchange.send(STREAM_HEAD)
    for event in (said("he"), said("llo"), said(None, "stop"), piece(choices=[], usage=USAGE)):
        exchange.event(event)
    exchange.send(chunk(DONE) + b"0\r\n\r\n")


@pytest.mark.any_llm
def test_a_server_of_openais_wire_is_asked_through_the_library(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(whole(WHOLE)) as up,
            beside() as (port, _),
            gateway(tmp_path, to(port, up), environ={"KEY": "sk-1"}) as it,
        ):
            reply = await it.ask()
            assert reply.status == 200, reply.body
            [exchange] = up.exchanges
            assert exchange.header(b"authorization") == b"Bearer sk-1"
            assert exchange.json["model"] == "gpt-x"
            up.script = streamed
            reply = await it.ask(CHAT, STREAMED)
            assert (reply.status, reply.whole) == (200, True), reply.body
            told = [(one.input_tokens, one.output_tokens) for one in it.receipts()]
            assert told == [(11, 5)] * 2
            up.script = whole({"error": {"message": "slow"}}, 429, [("retry-after", "7")])
            reply = await it.ask()
            assert reply.json["error"]["code"] == "upstream_rate_limited", reply.body
            assert len(up.exchanges) == 3  # the gateway alone tries again

    run(main(), 100)


@pytest.mark.any_llm
def test_a_caller_that_leaves_ends_the_provider_s_work(tmp_path: Path) -> None:
    async def begun(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        exchange.event(said("he"))
        await exchange.closed.wait()

    async def main() -> None:
        async with (
            Upstream(begun) as up,
            beside() as (port, _),
            gateway(tmp_path, to(port, up), environ={"KEY": "sk-1"}) as it,
        ):
            asking = asyncio.ensure_future(it.ask(CHAT, STREAMED))
            exchange = await up.arrived()
            await until(lambda: any(relay.chunks for relay in it.world.relays))
            asking.cancel()
            async with asyncio.timeout(10):
                await exchange.closed.wait()

    run(main(), 100)


def _environ_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.any_llm
def test_when_it_is_killed_another_takes_its_place_and_has_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-machine")
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]

    def argv(fd: int) -> list[str]:
        command = ["-P", "-m", "tidegate.beside.any_llm", "--listen", f"127.0.0.1:{port}"]
        return [str(PYTHON), *command, "--parent-fd", str(fd)]

    async def served(it: Gateway) -> None:
        async with asyncio.timeout(60):
            while (reply := await it.ask()).status != 200:
                assert reply.json["error"]["code"] == "upstream_unreachable", reply.body
                await asyncio.sleep(0.1)

    async def main() -> None:
        spec = ChildSpec(
            "any-llm",
            argv,
            log=tmp_path / "any-llm.log",
            environ={"PYTHONPATH": str(REPOSITORY / "src")},
            inherits=harmless,
        )
        child = Child(spec)
        keeping = asyncio.create_task(child.keep())
        never = Breaker(failures=1000)
        async with (
            Upstream(whole(WHOLE)) as up,
            gateway(tmp_path, to(port, up, breaker=never), environ={"KEY": "sk-1"}) as it,
        ):
            await served(it)
            first = child.pid
            assert first is not None
            environ = _environ_of(first)
            assert b"sk-of-the-machine" not in environ and b"PATH=" in environ
            os.kill(first, signal.SIGKILL)
            await until(lambda: child.pid not in (None, first))
            await served(it)
            assert child.starts == 2
        await child.stop(10)
        await keeping
        assert "sk-" not in (tmp_path / "any-llm.log").read_text()

    asyncio.run(main())  # uvloop starts no process as `tidegate up` does


@pytest.mark.any_llm
def test_no_key_of_the_machine_s_own_is_used(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(whole(WHOLE)) as up,
            beside(key_around=True) as (port, _),
            gateway(tmp_path, to(port, up, credential=None)) as it,
        ):
            reply = await it.ask()
            assert (reply.status, reply.json["error"]["code"]) == (502, "upstream_auth")
            assert not up.exchanges

    run(main(), 100)
