"""A gateway whose route has a contract, and providers that say what a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.rig import HELLO, Gateway, gateway, plan_of, target
from tests.gateway.upstream import (
    DONE,
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    answer_bytes,
    chunk,
    completion,
    content,
    delta,
)

from tidegate.core.plan import Contract
from tidegate.core.receipt import Receipt

STREAM = {**HELLO, "stream": True}
BOTH = pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "stream"])
AGAIN = Contract(json=True, on_violation="retry", buffer=True)


@contextlib.asynccontextmanager
async def contracted(
    folder: Path, script: Script, contract: Contract | None = None, **fields: Any
) -> AsyncIterator[tuple[Gateway, Upstream]]:
    async with Upstream(script) as up, gateway(folder) as it:
        plan = plan_of(target(up.port, **fields))
        routes = {
            name: msgspec.structs.replace(route, contract=contract)
            for name, route in plan.routes.items()
        }
        assert await it.obey(msgspec.structs.replace(plan, routes=routes))
        yield it, up


def saying(*texts: str, finish: str = "stop", end: bytes = DONE) -> Script:
    """Streams these texts, each in a chunk of its own."""
    return speaking([{"content": text} for text in texts], finish, end)


def speaking(deltas: Sequence[dict[str, Any]], finish: str = "stop", end: bytes = DONE) -> Script:
    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for fields in deltas:
            exchange.event(delta(fields))
        exchange.send(chunk(b"data: " + delta({}, finish) + b"\n\n" + end) + b"0\r\n\r\n")

    return script


def answering(*texts: str, finish: str = "stop") -> Script:
    """Says these texts, each in a read of its own where a stream is asked for."""

    async def script(exchange: Exchange) -> None:
        if not exchange.json.get("stream"):
            answer = completion(text="".join(texts))
            answer["choices"][0]["finish_reason"] = finish
            exchange.send(answer_bytes(200, msgspec.json.encode(answer)))
            return
        exchange.send(STREAM_HEAD)
        for text in texts:
            exchange.event(content(text))
            await asyncio.sleep(0.005)
        exchange.end(finish=finish)

    return script


def verdicts(receipt: Receipt) -> list[tuple[str, str | None, str | None]]:
    return [(one.target, one.failure, one.validity) for one in receipt.attempts]


BAD, GOOD = answering("Sure! ", "{}"), answering('{"a"', ": 1}")
