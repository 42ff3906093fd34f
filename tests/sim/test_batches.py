"""The simulated provider's files and batches, by the official client."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import openai
import pytest

from tidegate.capacity.profiles import profile
from tidegate.sim import batches
from tidegate.sim.options import Options
from tidegate.sim.server import Running, serve

BODY = {"model": "sim", "messages": [{"role": "user", "content": "hi"}]}


def line(number: int, **fields: Any) -> bytes:
    row = {"custom_id": f"c-{number}", "method": "POST", "url": "/v1/chat/completions"}
    return msgspec.json.encode({**row, "body": {**BODY, **fields}}) + b"\n"


def run(test: Callable[[openai.AsyncOpenAI, Running], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        options = Options(profile=profile("instant"), output_tokens=3, api_key="sk-sim")
        running = await serve(options)
        try:
            async with openai.AsyncOpenAI(
                api_key="sk-sim", base_url=running.base_url, max_retries=0
            ) as api:
                await test(api, running)
        finally:
            await running.close()

    asyncio.run(main())


async def put(api: openai.AsyncOpenAI, data: bytes) -> Any:
    return await api.files.create(purpose="batch", file=("a.jsonl", data))


async def through(api: openai.AsyncOpenAI, data: bytes) -> Any:
    batch = await api.batches.create(
        input_file_id=(await put(api, data)).id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"a": "b"},
    )
    while batch.status == "in_progress":
        await asyncio.sleep(0.01)
        batch = await api.batches.retrieve(batch.id)
    return batch


def test_lines_are_answered_and_what_fails_stands_apart():
    async def test(api: openai.AsyncOpenAI, running: Running) -> None:
        batch = await through(api, line(1) + line(2, model="none") + b"\n" + line(3))
        assert (batch.status, batch.metadata) == ("completed", {"a": "b"})
        counts = batch.request_counts
        assert (counts.total, counts.completed, counts.failed) == (3, 2, 1)
        good = (await api.files.content(batch.output_file_id)).content
        rows = [msgspec.json.decode(one) for one in good.splitlines()]
        assert [row["custom_id"] for row in rows] == ["c-1", "c-3"]
        assert rows[0]["response"]["body"]["usage"]["completion_tokens"] == 3
        bad = msgspec.json.decode((await api.files.content(batch.error_file_id)).content)
        assert (bad["custom_id"], bad["response"]["status_code"]) == ("c-2", 404)
        assert [one.id async for one in api.batches.list()] == [batch.id]

    run(test)


def test_what_is_no_line_fails_the_batch():
    async def test(api: openai.AsyncOpenAI, running: Running) -> None:
        batch = await through(api, line(1) + b"{")
        assert (batch.status, batch.output_file_id) == ("failed", None)
        assert batch.errors.data[0].code == "invalid_json_line"

    run(test)


def test_files_come_and_go():
    async def test(api: openai.AsyncOpenAI, running: Running) -> None:
        file = await put(api, b"x")
        assert (await api.files.retrieve(file.id)).bytes == 1
        assert (await api.files.delete(file.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await api.files.content(file.id)
        with pytest.raises(openai.BadRequestError):
            await api.batches.create(
                input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h"
            )
        with pytest.raises(openai.NotFoundError):
            await api.batches.cancel("batch_none")
        with pytest.raises(openai.BadRequestError):
            await api.post("/files", body={"purpose": "batch"}, cast_to=object)
        with pytest.raises(openai.AuthenticationError):
            await api.with_options(api_key="sk-other").batches.list()

    run(test)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batches, "MAX_FILES", 3)

    async def test(api: openai.AsyncOpenAI, running: Running) -> None:
        for _ in range(5):
            last = await through(api, line(1))
        assert len(running.sim.batches.files) <= 3
        assert len(running.sim.batches.batches) == 3
        page = await api.batches.list(limit=1)
        assert page.data[0].id == last.id
        assert len([one async for one in api.batches.list(limit=1)]) == 3

    run(test)
