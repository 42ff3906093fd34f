"""Two real llama.cpp servers behind one route, and one is killed under load: whoever had not yet
received a token does not notice, whoever had is told."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from msgspec import Struct
from tests.e2e.rig import House
from tests.e2e.test_openai_client import Called

from tidegate.boot import local_model

pytestmark = pytest.mark.engine
PLAN = """\
providers:
  local: {{kind: llama_cpp, api_key: none, base_url: "{first}/v1"}}
targets:
  smol:
    provider: local
    model: smollm2-135m
    context_tokens: 8192
    price: free
    replicas: {{first: "{first}/v1", second: "{second}/v1"}}
routes:
  chat: smol
"""
CALLERS = 16
REQUESTS = 32
# One is killed while all callers are busy: some wait at it, some are being answered by it.
KILLED_AFTER = 20
# Answers of several lengths, or the engine would begin and end them all at the same time.
TOKENS = (8, 24, 14, 20, 11)


class Engine:
    """One server, which ends with this process."""

    def __init__(self) -> None:
        read_end, self._parent_end = os.pipe()
        self.process = subprocess.Popen(
            local_model.command(0, read_end),
            pass_fds=(read_end,),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        os.close(read_end)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith(local_model.READY), line
        self.url = line.removeprefix(local_model.READY).strip()

    def kill(self) -> None:
        """As the kernel does that is short of memory; once."""
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        os.close(self._parent_end)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    it = Engine()
    try:
        yield it
    finally:
        it.close()


class Asked(Struct):
    """One request: how many chunks of content came, and whether it ended well."""

    stream: bool
    chunks: int = 0
    ended: bool = False
    error: str = ""


class Load:
    """Callers who ask until all requests are spent; in between their engine is killed."""

    def __init__(self, client: openai.AsyncOpenAI, engine: Engine) -> None:
        self._client = client
        self._engine = engine
        self.asked: list[Asked] = []

    async def run(self) -> None:
        await asyncio.gather(*(self._caller() for _ in range(CALLERS)))

    async def _caller(self) -> None:
        while len(self.asked) < REQUESTS:
            one = Asked(len(self.asked) % 4 != 3)
            self.asked.append(one)
            try:
                await self._ask(one, len(self.asked))
                one.ended = True
            except openai.OpenAIError as error:
                one.error = str(error)

    async def _ask(self, one: Asked, number: int) -> None:
        wanted: dict[str, Any] = {
            "model": "chat",
            "messages": [{"role": "user", "content": f"Tell me about the number {number}."}],
            "max_tokens": TOKENS[number % len(TOKENS)],
            "extra_body": {"ignore_eos": True},
        }
        if not one.stream:
            await self._client.chat.completions.create(**wanted)
            return
        finished = None
        async for chunk in await self._client.chat.completions.create(stream=True, **wanted):
            for choice in chunk.choices:
                one.chunks += bool(choice.delta.content)
                if one.chunks > 4 and len(self.asked) >= KILLED_AFTER:
                    self._engine.kill()
                finished = choice.finish_reason or finished
        assert finished == "length"


def test_nobody_who_had_no_token_notices_that_an_engine_is_killed(tmp_path: Path) -> None:
    with engine() as first, engine() as second:
        plan = PLAN.format(first=first.url, second=second.url)
        with House(tmp_path, plan) as house:
            called = Called(house)
            options = {**called.options, "max_retries": 0, "timeout": 90}

            async def main() -> list[Asked]:
                async with openai.AsyncOpenAI(**options) as client:
                    load = Load(client, first)
                    await load.run()
                    return load.asked

            asked = asyncio.run(main())
            receipts = called.receipts(len(asked))
            called.close()
    failed = [one for one in asked if not one.ended]
    assert not [one for one in failed if not one.chunks], "failed without a token"
    assert all(one.error for one in failed)
    again = [receipt for receipt in receipts if len(receipt.attempts) > 1]
    assert again, "somebody was waiting at the one that was killed"
    assert {attempt.replica for receipt in receipts for attempt in receipt.attempts} == {
        "first",
        "second",
    }
    print(f"{len(asked)} requests, {len(again)} went on at the other, {len(failed)} were cut")
