"""A gateway in front of a simulated engine that takes files of requests, and official clients."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import openai
from tests.gateway.rig import PRICE, Gateway, gateway, target

from tidegate.capacity.profiles import profile
from tidegate.core.batches import Batches
from tidegate.core.pricing import batch_price
from tidegate.core.purpose import BATCH_HOLD, BATCH_LINE
from tidegate.core.receipt import Receipt
from tidegate.sim.options import Options
from tidegate.sim.server import Running, serve

HALF = batch_price(PRICE, 0.5)
CHAT = "/v1/chat/completions"
LINES: list[dict[str, Any]] = [
    {
        "custom_id": f"line-{number}",
        "method": "POST",
        "url": CHAT,
        "body": {
            "model": "small",
            "messages": [{"role": "user", "content": f"question {number}"}],
            "max_tokens": 20,
        },
    }
    for number in range(5)
]


def jsonl(lines: list[Any]) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def line(number: int = 0, **body: Any) -> dict[str, Any]:
    """One of LINES, with these members in its body."""
    it = LINES[number]
    return {**it, "body": {**it["body"], **body}}


@contextlib.asynccontextmanager
async def engine(**options: Any) -> AsyncIterator[Running]:
    running = await serve(
        Options(profile=profile("instant"), models=("served-model",), output_tokens=7, **options)
    )
    try:
        yield running
    finally:
        await running.close()


@contextlib.asynccontextmanager
async def batched(
    folder: Path, running: Running, **fields: Any
) -> AsyncIterator[tuple[Gateway, openai.AsyncOpenAI]]:
    """A gateway with the route `small`, and its client."""
    plan = {name: fields.pop(name) for name in ("limits", "environ", "journal") if name in fields}
    fields = {"dialect": "sim", "batches": Batches(HALF), **fields}
    async with gateway(folder, target(running.port, **fields), **plan) as it, client(it) as api:
        yield it, api


@contextlib.asynccontextmanager
async def client(it: Gateway, key: str | None = None) -> AsyncIterator[openai.AsyncOpenAI]:
    base_url = f"http://{it.address[0]}:{it.address[1]}/v1"
    async with openai.AsyncOpenAI(api_key=key or it.key, base_url=base_url, max_retries=0) as api:
        yield api


async def put(api: openai.AsyncOpenAI, lines: list[Any] | bytes = LINES) -> Any:
    data = lines if isinstance(lines, bytes) else jsonl(lines)
    return await api.files.create(purpose="batch", file=("requests.jsonl", data))


async def begin(api: openai.AsyncOpenAI, file_id: str, **fields: Any) -> Any:
    fields = {"endpoint": CHAT, "completion_window": "24h", **fields}
    return await api.batches.create(input_file_id=file_id, **fields)


async def done(api: openai.AsyncOpenAI, batch: Any) -> Any:
    """The batch once it is through."""
    while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
        await asyncio.sleep(0.02)
        batch = await api.batches.retrieve(batch.id)
    return batch


async def through(api: openai.AsyncOpenAI, lines: list[Any] = LINES, **fields: Any) -> Any:
    return await done(api, await begin(api, (await put(api, lines)).id, **fields))


def stopped(up: Running) -> Any:
    """The engine's only batch, which is under way and comes to nothing by itself."""
    (own,) = up.sim.batches.batches.values()
    up.sim.batches.stop()
    own.status, own.output_file_id = "in_progress", None
    return own


def settled(it: Gateway) -> list[Receipt]:
    """The receipts of lines that are in the journal now."""
    return [one for one in it.receipts() if one.purpose == BATCH_LINE]


def held(it: Gateway) -> list[Receipt]:
    """Those that say what batches hold, and what of it has ended, in order."""
    found = [one for one in it.receipts() if one.purpose == BATCH_HOLD]
    return [one for one in found if "file" not in (one.attributes or {})]
