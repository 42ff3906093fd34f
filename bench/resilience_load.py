"""The client of the bench of resilience: the official SDK with its own retries, at a steady rate.

What became of a request is what its caller can know: a whole answer, an error, or an answer that
ended as if it were whole and is not.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Literal

import httpx2 as httpx
import openai

from bench.faults import ANSWER, CONNECT_S, SILENCE_S, WHOLE_S, Case
from bench.resilience_peers import SDK, Ports, System

# Whoever asks a gateway waits for all that it may try.
PATIENCE_S = 30.0
Became = Literal["good", "told", "untold"]


@dataclass(frozen=True)
class Asked:
    """One request: what became of it, and after how many seconds."""

    became: Became
    stream: bool
    took_s: float


def wait_of(system: System, stream: bool) -> httpx.Timeout:
    """Who talks to the provider waits as the gateways do."""
    if system.name != SDK:
        return httpx.Timeout(PATIENCE_S)
    return httpx.Timeout(SILENCE_S if stream else WHOLE_S, connect=CONNECT_S)


async def ask(client: openai.AsyncOpenAI, system: System, case: Case, stream: bool) -> Asked:
    since_s = time.monotonic()
    wanted: dict[str, Any] = {
        "model": case.name,
        "messages": [{"role": "user", "content": "Count to twenty, please."}],
        "timeout": wait_of(system, stream),
    }
    became: Became = "told"
    try:
        if stream:
            text = await _read(await client.chat.completions.create(stream=True, **wanted))
        else:
            answer = await client.chat.completions.create(**wanted)
            text = answer.choices[0].message.content or ""
        became = "good" if text == ANSWER else "untold"
    except (openai.OpenAIError, httpx.HTTPError):
        pass
    return Asked(became, stream, time.monotonic() - since_s)


async def _read(stream: Any) -> str:
    """Everything that a caller would show. An answer without its reason to end is whole for nobody
    who looks; most do not."""
    text = ""
    async for chunk in stream:
        for choice in chunk.choices:
            text += choice.delta.content or ""
    return text


def clients(system: System, case: Case, ports: Ports) -> list[openai.AsyncOpenAI]:
    """One client a key, where the case is about keys."""
    address = system.address(case, ports)
    keys = system.keys if case.shape == "keys" else system.keys[:1]
    return [openai.AsyncOpenAI(api_key=key, base_url=address) for key in keys]


async def load(system: System, case: Case, ports: Ports, count: int, rate: float) -> list[Asked]:
    """So many requests, `rate` a second whatever becomes of them, every second one streamed."""
    asked = []
    by_key = clients(system, case, ports)
    start_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, start_s + number / rate - time.monotonic()))
            stream = case.streams_only or number % 2 == 0
            client = by_key[number // 2 % len(by_key)]
            asked.append(group.create_task(ask(client, system, case, stream)))
    for client in by_key:
        await client.close()
    return [one.result() for one in asked]
