"""Results on their way to their reader: cut, slow, hostile, and read again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import openai
import pytest
from tests.gateway.batched import HALF, LINES, client, put, settled
from tests.gateway.rig import Gateway, gateway, run, target, until
from tests.gateway.test_batch_results import row
from tests.gateway.upstream import Exchange, Script, Upstream, whole

from tidegate.core.batches import Batches
from tidegate.gateway import batch_transfer

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n"
ROWS = [row(custom_id=f"c-{number}") + b"\n" for number in range(4)]
MADE = {"id": "file-up", "object": "file", "bytes": 1, "filename": "f", "purpose": "batch"}
BATCH = {
    "id": "batch_up",
    "object": "batch",
    "status": "completed",
    "endpoint": "/v1/chat/completions",
    "output_file_id": "file-out",
    "error_file_id": "",
}
Read = tuple[Gateway, openai.AsyncOpenAI, Upstream, str]


@contextlib.asynccontextmanager
async def results(folder: Path, script: Script) -> AsyncIterator[Read]:
    """A gateway, its client, the provider whose results `script` gives, and their id."""
    fields = {"dialect": "openai", "batches": Batches(HALF)}
    async with (
        Upstream(whole(MADE)) as up,
        gateway(folder, target(up.port, **fields)) as it,
        client(it) as api,
    ):
        file = await put(api, LINES[:1])
        up.script = whole(BATCH)
        batch = await api.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        assert batch.error_file_id is None
        up.script = script
        up.exchanges.clear()
        yield it, api, up, batch.output_file_id


def sending(*parts: bytes, length: int | None = None, close: bool = True) -> Script:
    async def script(exchange: Exchange) -> None:
        size = sum(map(len, parts)) if length is None else length
        exchange.send(OK + b"content-length: %d\r\n\r\n" % size)
        for part in parts:
            exchange.send(part)
            await asyncio.sleep(0.005)
        if close:
            exchange.transport.close()

    return script


def customs(it: Gateway) -> list[str]:
    return [(one.attributes or {})["custom_id"] for one in settled(it)]


def test_a_cut_file_settles_whole_lines_alone_and_the_rest_when_it_is_read_again(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        text = b"".join(ROWS)
        cut = sending(ROWS[0] + ROWS[1] + ROWS[2][:30], length=len(text))
        async with results(tmp_path, cut) as (it, api, up, id):
            with pytest.raises((httpx.RemoteProtocolError, openai.APIConnectionError)):
                await api.files.content(id)
            assert customs(it) == ["c-0", "c-1"]
            assert it.world.batches.lines == {("small", "settled"): 2}
            up.script = sending(text[:50], text[50:700], text[700:])
            assert (await api.files.content(id)).content == text
            assert customs(it) == ["c-0", "c-1", "c-2", "c-3"]
            assert up.exchanges[-1].path == b"/v1/files/file-out/content"

    run(main())


def test_a_file_without_a_length_that_ends_in_half_a_line_makes_no_receipt_of_it(
    tmp_path: Path,
) -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.send(OK + b"connection: close\r\n\r\n" + ROWS[0] + ROWS[1][:-20])
        exchange.transport.close()

    async def main() -> None:
        async with results(tmp_path, cut) as (it, api, _, id):
            await api.files.content(id)
            assert customs(it) == ["c-0"]
            assert it.world.batches.lines["small", "malformed"] == 1

    run(main())


def test_a_reader_that_leaves_stops_the_provider_and_loses_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async def endless(exchange: Exchange) -> None:
            exchange.send(OK + b"transfer-encoding: chunked\r\n\r\n")
            for part in ROWS[:2]:
                exchange.send(b"%x\r\n%b\r\n" % (len(part), part))
            await exchange.closed.wait()

        async with results(tmp_path, endless) as (it, api, up, id):
            async with api.files.with_streaming_response.content(id) as answer:
                async for _ in answer.iter_bytes():
                    break
            async with asyncio.timeout(10):
                await up.exchanges[-1].closed.wait()
            assert set(customs(it)) <= {"c-0", "c-1"}
            up.script = sending(*ROWS)
            await api.files.content(id)
            assert sorted(customs(it)) == ["c-0", "c-1", "c-2", "c-3"]

    run(main())


def test_a_slow_reader_holds_the_provider_up_and_not_our_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_transfer, "MAX_WAITING_BYTES", 64 * 1024)
    line = row(custom_id="long", more="x" * 60_000) + b"\n"
    sent = 0

    async def large(exchange: Exchange) -> None:
        nonlocal sent
        exchange.send(OK + b"content-length: %d\r\n\r\n" % (len(line) * 800))
        for _ in range(800):
            while exchange.transport.get_write_buffer_size() > 100_000:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            exchange.send(line)
            sent += len(line)

    async def main() -> None:
        async with results(tmp_path, large) as (it, _, _, id):
            reader, writer = await it.connect()
            path = f"/v1/files/{id}/content"
            writer.write(it.request(path, method="GET", close=False))
            await reader.read(1000)
            writer.transport.pause_reading()
            before = -1
            while before != sent:
                before = sent
                await asyncio.sleep(0.2)
            # Sockets hold some megabytes; the file has 48 of them.
            assert sent < 24_000_000
            writer.transport.resume_reading()
            received = 0
            while received < 800 * len(line):
                received += len(await reader.read(1 << 20))
            await until(it.receipts)
            assert customs(it) == ["long"]  # one name, one line
            writer.transport.abort()

    run(main())


def test_hostile_lines_are_passed_on_and_counted(tmp_path: Path) -> None:
    hostile = [
        b"[" * 100_000,
        b'{"custom_id": "a"',
        b"\xff\xfe",
        b'{"custom_id": 1}',
        row(body={"usage": {"prompt_tokens": -4, "completion_tokens": 1e99}, "choices": [{}]}),
        row(status=200, body="x" * 10_000, custom_id="y"),
        b" " * 1000,
    ]
    text = b"\n".join([*hostile, ROWS[0]])

    async def main() -> None:
        async with results(tmp_path, sending(text)) as (it, api, _, id):
            assert (await api.files.content(id)).content == text
            told = {(it.attributes or {})["custom_id"]: it for it in settled(it)}
            lost = {name for name in told if name.startswith("line ")}
            assert set(told) == {"one", "y", "c-0"} | lost
            assert len(lost) == 4
            assert {told[name].cost_nanousd for name in lost} == {None}
            assert told["one"].cost_nanousd is None
            assert told["y"].cost_nanousd is None
            assert it.world.batches.lines["small", "malformed"] == 5

    run(main())


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (whole({"error": {"message": "no"}}, 404), openai.NotFoundError),
        (whole({"error": {"message": "no"}}, 429), openai.RateLimitError),
        (whole(b"<html>", 503), openai.InternalServerError),
        (whole(b"x", 200, [("content-encoding", "gzip")]), openai.InternalServerError),
        (sending(b"x" * 9, length=-1), openai.InternalServerError),
    ],
    ids=["404", "429", "503", "gzip", "length"],
)
def test_what_does_not_begin_is_an_error_of_its_own(
    tmp_path: Path, script: Any, error: type[Exception]
) -> None:
    async def main() -> None:
        async with results(tmp_path, script) as (it, api, _, id):
            with pytest.raises(error):
                await api.files.content(id)
            assert settled(it) == []
            assert not it.world.batches.read

    run(main())


def test_without_room_in_the_journal_no_results_are_read(tmp_path: Path) -> None:
    async def main() -> None:
        async with results(tmp_path, sending(*ROWS)) as (it, api, up, id):
            it.journal.full = True
            for act in (api.files.content, api.files.delete):
                with pytest.raises(openai.InternalServerError, match="cannot record"):
                    await act(id)
            assert up.exchanges == []

    run(main())


def test_lines_of_results_tell_their_provider_nothing_of_us(tmp_path: Path) -> None:
    async def main() -> None:
        async with results(tmp_path, sending(*ROWS)) as (_, api, _, id):
            raw = await api.files.with_raw_response.content(id)
            assert raw.headers["content-type"] == "application/octet-stream"
            assert "x-request-id" in raw.headers
            assert [msgspec.json.decode(it)["custom_id"] for it in raw.content.splitlines()] == [
                "c-0",
                "c-1",
                "c-2",
                "c-3",
            ]

    run(main())
