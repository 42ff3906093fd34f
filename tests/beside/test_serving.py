"""The server beside the gateway, over real sockets: a gateway asks it, any-llm is a stand-in."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.beside.fake import (
    USED,
    WHOLE,
    ContextLengthExceededError,
    Dumped,
    Library,
    RateLimitError,
    chunk,
)
from tests.gateway.rig import CHAT, HELLO, Gateway, gateway, run, target, until

from tidegate.beside.asking import Asker
from tidegate.beside.places import Places
from tidegate.beside.serving import Server
from tidegate.core.plan import Target
from tidegate.core.secret import SecretRef

STREAMED = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
MESSAGES = {"model": "small", "max_tokens": 9, "messages": HELLO["messages"]}
STREAM = [chunk(""), chunk("he"), chunk("llo"), chunk(None, "stop"), USED]


@contextlib.asynccontextmanager
async def serving(library: Library, places: Places | None = None) -> AsyncIterator[int]:
    app: Any = Server(Asker(library.create), places or Places())
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server._serve([listening]))
        try:
            await until(lambda: server.started)
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            await task


def to(port: int, **fields: Any) -> Target:
    named = {"dialect": "any_llm", "model": "watsonx:ibm/granite"}
    return target(port, **{**named, "credential": SecretRef(env="KEY"), **fields})


@contextlib.asynccontextmanager
async def rig(
    folder: Path, library: Library, places: Places | None = None, **fields: Any
) -> AsyncIterator[Gateway]:
    async with (
        serving(library, places) as port,
        gateway(folder, to(port, **fields), environ={"KEY": "sk-1"}) as it,
    ):
        yield it


def test_a_whole_answer_and_a_stream(tmp_path: Path) -> None:
    async def main() -> None:
        library = Library(WHOLE, STREAM)
        headers = (("x-any-llm-api-base", "http://models.example/v1"),)
        async with rig(tmp_path, library, headers=headers) as it:
            whole = await it.ask()
            assert whole.status == 200
            assert whole.json["choices"][0]["message"]["content"] == "hi"
            streamed = await it.ask(CHAT, STREAMED)
            assert (streamed.status, streamed.whole) == (200, True)
            assert b"[DONE]" in streamed.body
            first, second = it.receipts()
            for receipt in (first, second):
                assert (receipt.input_tokens, receipt.output_tokens) == (11, 5)
                assert receipt.finish_reason == "stop" and receipt.error_code is None
        [(provider, named)] = library.created
        assert (provider, named["api_key"]) == ("watsonx", "sk-1")
        assert named["api_base"] == "http://models.example/v1"
        assert {one["model"] for one in library.asked} == {"ibm/granite"}
        assert library.asked[1]["stream_options"] == {"include_usage": True}

    run(main())


def test_an_anthropic_caller_reaches_it_by_translation(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, Library(WHOLE)) as it:
            reply = await it.ask("/v1/messages", MESSAGES)
            assert reply.status == 200
            assert reply.json["content"] == [{"type": "text", "text": "hi"}]

    run(main())


def test_what_it_thought_is_told_as_others_tell_it(tmp_path: Path) -> None:
    said = {"role": "assistant", "content": "hi", "reasoning": {"content": "hm"}}
    choice = {"index": 0, "finish_reason": "stop", "message": said}

    async def main() -> None:
        library = Library(Dumped(**{**WHOLE.members, "choices": [choice]}))
        async with rig(tmp_path, library) as it:
            message = (await it.ask()).json["choices"][0]["message"]
            assert message == {"role": "assistant", "content": "hi", "reasoning_content": "hm"}

    run(main())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RateLimitError("slow down", retry_after="9"), 429, "upstream_rate_limited"),
        (ContextLengthExceededError("too long"), 400, "context_length_exceeded"),
        (KeyError("x"), 502, "upstream_error"),
    ],
)
def test_an_error_before_the_first_chunk_has_its_status(
    tmp_path: Path, error: Exception, status: int, code: str, stream: bool
) -> None:
    async def main() -> None:
        async with rig(tmp_path, Library([error] if stream else error)) as it:
            reply = await it.ask(CHAT, STREAMED if stream else HELLO)
            assert (reply.status, reply.json["error"]["code"]) == (status, code)
            if status == 429:
                assert reply.headers["retry-after"] == "9"

    run(main())


def test_an_error_within_a_stream_is_its_last_event(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(tmp_path, Library([chunk("he"), RateLimitError("slow")])) as it:
            reply = await it.ask(CHAT, STREAMED)
            assert reply.status == 200 and b"[DONE]" not in reply.body
            assert b'"error"' in reply.body
            receipt = await it.receipt()
            assert receipt.error_code is not None

    run(main())


@pytest.mark.parametrize("where", ["whole", "first", "within"])
def test_when_its_caller_leaves_the_provider_is_left(tmp_path: Path, where: str) -> None:
    answers = {"whole": "hang", "first": ["hang"], "within": [chunk("he"), "hang"]}

    async def main() -> None:
        library = Library(answers[where])
        async with rig(tmp_path, library) as it:
            asking = asyncio.ensure_future(it.ask(CHAT, HELLO if where == "whole" else STREAMED))
            await library.hanging.wait()
            asking.cancel()
            async with asyncio.timeout(5):
                while not library.cancelled:  # noqa: ASYNC110 - over two sockets
                    await asyncio.sleep(0.01)
            receipt = await it.receipt()
            assert receipt.error_code == "client_closed"

    run(main())


def test_a_provider_that_hangs_leaves_room_for_the_others(tmp_path: Path) -> None:
    """And who finds no room is told so at once, so that another target may serve."""

    async def main() -> None:
        library, places = Library("hang"), Places(at_once=3)
        async with (
            serving(library, places) as port,
            gateway(
                tmp_path,
                to(port),
                to(port, name="other", model="mzai:m"),
                environ={"KEY": "sk-1"},
            ) as it,
        ):
            hanging = [asyncio.ensure_future(it.ask()) for _ in range(3)]
            await until(lambda: len(library.asked) == 3)
            no = await it.ask()
            assert (no.status, no.json["error"]["code"]) == (503, "upstream_overloaded"), no.body
            library.answers = [WHOLE]
            assert (await it.ask(CHAT, {**HELLO, "model": "other"})).status == 200
            page = (await raw(port, METRICS)).decode()
            assert 'tidegate_any_llm_requests_in_flight{provider="watsonx"} 3\n' in page
            assert 'tidegate_any_llm_refused_total{provider="watsonx"} ' in page
            assert 'tidegate_any_llm_requests_total{provider="mzai"} 1\n' in page
            for task in hanging:
                task.cancel()
            await until(lambda: library.cancelled == 3)
            assert (await it.ask()).status in (200, 503)  # its breaker may be open
            page = (await raw(port, METRICS)).decode()
            assert 'tidegate_any_llm_left_total{provider="watsonx"} 3\n' in page
            assert "requests_in_flight{" not in page

    run(main())


METRICS = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


def test_embeddings(tmp_path: Path) -> None:
    rows = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
    made = Dumped(
        object="list", data=rows, model="m", usage={"prompt_tokens": 3, "total_tokens": 3}
    )

    async def main() -> None:
        library = Library(made)
        async with rig(tmp_path, library) as it:
            reply = await it.ask("/v1/embeddings", {"model": "small", "input": "hi"})
            assert reply.status == 200 and reply.json["data"][0]["embedding"] == [0.5]
            assert (await it.receipt()).input_tokens == 3
        assert library.asked == [{"model": "ibm/granite", "inputs": "hi"}]

    run(main())


async def raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: x", "connection: close", *headers]
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


GOOD = b'{"model":"a:b","messages":[]}'


@pytest.mark.parametrize(
    ("request_", "status", "word"),
    [
        (b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 200, b"ok"),
        (b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 405, b"POST"),
        (post("/v1/nothing", GOOD), 404, b"not_found"),
        (post("/v1/chat/completions", b"{"), 400, b"invalid_json"),
        (post("/v1/chat/completions", b"[" * 100_000), 400, b"invalid_json"),
        (post("/v1/chat/completions", b'{"messages":[]}'), 404, b"model_not_found"),
        (post("/v1/chat/completions", b'{"model":"a:b"}'), 400, b"missing_required_parameter"),
        (
            post("/v1/chat/completions", GOOD, "x-any-llm-api-base: ftp://x"),
            400,
            b"x-any-llm-api-base",
        ),
        (
            post("/v1/chat/completions", b'{"model":"a:b","messages":[],"api_base":"http://x"}'),
            400,
            b"api_base",
        ),
        (post("/v1/chat/completions", b'{"model":"unknown:b","messages":[]}'), 502, b"supported"),
    ],
)
def test_what_is_no_request_of_the_gateway_s(request_: bytes, status: int, word: bytes) -> None:
    async def main() -> None:
        async with serving(Library(WHOLE)) as port:
            answer = await raw(port, request_)
            assert answer.startswith(b"HTTP/1.1 %d" % status), answer
            assert word in answer

    run(main())
