"""The endpoints over real sockets, as any client sees them."""

import asyncio
import base64
import struct

import msgspec
import pytest
from openai import AsyncOpenAI
from tests.sim.rig import CHAT, HELLO, call, chat, engine, request_bytes, until


def test_the_official_client_chats_streams_and_embeds():
    async def run() -> None:
        async with engine() as running, AsyncOpenAI(base_url=running.base_url, api_key="x") as ai:
            whole = await ai.chat.completions.create(model="sim", messages=HELLO)
            assert whole.usage is not None
            assert whole.usage.completion_tokens > 0
            stream = await ai.chat.completions.create(
                model="sim", messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
            chunks = [chunk async for chunk in stream]
            assert whole.choices[0].message.content == "".join(
                chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices
            )
            assert [chunk.usage is not None for chunk in chunks].count(True) == 1
            assert chunks[-1].usage is not None
            assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
            made = await ai.embeddings.create(model="sim", input=["a", "b"], dimensions=8)
            assert [len(row.embedding) for row in made.data] == [8, 8]
            assert [model.id async for model in ai.models.list()] == ["sim"]

    asyncio.run(run())


def test_the_official_client_gets_a_tool_call_in_pieces():
    parameters = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    tool = {"type": "function", "function": {"name": "add", "parameters": parameters}}

    async def run() -> None:
        async with engine() as running, AsyncOpenAI(base_url=running.base_url, api_key="x") as ai:
            async with ai.chat.completions.stream(
                model="sim", messages=HELLO, tools=[tool], tool_choice="required"
            ) as stream:
                completion = await stream.get_final_completion()
            (called,) = completion.choices[0].message.tool_calls or []
            assert (called.function.name, called.function.arguments) == ("add", '{"n":0}')
            assert completion.choices[0].finish_reason == "tool_calls"

    asyncio.run(run())


def test_a_stream_ends_once_a_choice_and_once_in_all():
    async def run() -> None:
        async with engine() as running:
            reply = await chat(running, stream=True, n=3, seed=4)
        events = reply.events()
        assert events[-1] == "[DONE]"
        choices = [choice for event in events[:-1] for choice in event["choices"]]
        for index in range(3):
            ends = [c["finish_reason"] for c in choices if c["index"] == index]
            assert [end for end in ends if end] == ["stop"]
            assert ends[-1] == "stop"
        assert all("usage" not in event for event in events[:-1])
        assert reply.header("cache-control") == "no-cache"

    asyncio.run(run())


def test_a_repeated_prompt_is_told_as_cached():
    long = [{"role": "user", "content": "word " * 100}]

    async def run() -> None:
        async with engine() as running:
            told = [(await chat(running, messages=long)).json()["usage"] for _ in range(2)]
        cached = [usage["prompt_tokens_details"]["cached_tokens"] for usage in told]
        assert cached == [0, 96]
        assert told[0]["prompt_tokens"] == told[1]["prompt_tokens"] == 104

    asyncio.run(run())


def test_completions_answer_with_text():
    async def run() -> None:
        async with engine() as running:
            whole = (
                await call(running, "/v1/completions", {"prompt": "a", "max_tokens": 3})
            ).json()
            body = {"prompt": "a", "max_tokens": 3, "stream": True}
            events = (await call(running, "/v1/completions", body)).events()
        assert whole["usage"]["completion_tokens"] == 3
        assert whole["model"] == "sim"
        text = "".join(event["choices"][0]["text"] for event in events[:-1])
        assert text == whole["choices"][0]["text"]

    asyncio.run(run())


def test_embeddings_come_as_floats_or_base64():
    async def run() -> None:
        async with engine(dimensions=4) as running:
            body = {"model": "sim", "input": "tide gate"}
            plain = (await call(running, "/v1/embeddings", body)).json()
            packed = await call(running, "/v1/embeddings", {**body, "encoding_format": "base64"})
            bad = await call(running, "/v1/embeddings", {**body, "dimensions": 0})
        data = base64.b64decode(packed.json()["data"][0]["embedding"])
        assert struct.unpack("<4f", data) == pytest.approx(plain["data"][0]["embedding"])
        assert plain["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
        assert bad.status == 400

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        (CHAT, b"{", 400, "not JSON"),
        (CHAT, {"model": "sim", "messages": []}, 400, "must not be empty"),
        (CHAT, {"model": "other", "messages": HELLO}, 404, "`other` does not exist"),
        (CHAT, {"messages": HELLO, "max_tokens": 9999}, 400, "maximum context length is 64"),
        (CHAT, None, 405, "Method Not Allowed"),
        ("/v1/models", {}, 405, "Method Not Allowed"),
        ("/v1/nothing", None, 404, "Not Found"),
        ("/v1/embeddings", {"input": []}, 400, "must not be empty"),
        ("/v1/embeddings", {"input": "a " * 100}, 400, "exceed the context of 64"),
        ("/v1/completions", {"prompt": [-1]}, 400, "token ids"),
        ("/_sim/faults", {"faults": ["nonsense"]}, 400, "cue 1: nonsense"),
    ],
)
def test_a_bad_request_gets_vllms_error(path, body, status, says):
    async def run() -> None:
        async with engine(context=64) as running:
            reply = await call(running, path, body)
        assert reply.status == status
        error = reply.json()["error"]
        assert says in error["message"]
        assert error["code"] == status

    asyncio.run(run())


def test_a_key_is_required_where_one_was_set():
    async def run() -> None:
        async with engine(api_key="secret") as running:
            without = await chat(running)
            with_it = await chat(running, headers={"authorization": "Bearer secret"})
        assert (without.status, with_it.status) == (401, 200)

    asyncio.run(run())


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_is_out_of_the_engine_at_once(stream):
    body = {"messages": HELLO, "stream": stream, "ignore_eos": True, "max_tokens": 4000}

    async def run() -> None:
        async with engine(profile="tiny") as running:
            _, writer = await asyncio.open_connection(running.host, running.port)
            writer.write(request_bytes(CHAT, msgspec.json.encode(body)))
            await until(lambda: running.sim.pump.engine.readings().generation_tokens > 0)
            writer.transport.abort()
            (entry,) = running.sim.log
            await until(lambda: entry.closed_by is not None)
            now = running.sim.pump.engine.readings()
            page = await call(running, "/metrics")
        assert entry.closed_by == "client"
        assert 0 < entry.tokens_generated < 4000
        assert entry.tokens_generated == now.generation_tokens
        assert (now.running, now.waiting, now.kv_usage) == (0, 0, 0.0)
        assert b'finished_reason="abort"} 1.0' in page.body

    asyncio.run(run())


def test_a_reader_that_does_not_read_holds_its_stream_back_and_gets_all_of_it():
    body = {"messages": HELLO, "stream": True, "ignore_eos": True, "max_tokens": 50_000}

    async def run() -> None:
        async with engine(context=100_000) as running:
            reader, writer = await asyncio.open_connection(running.host, running.port, limit=1024)
            writer.write(request_bytes(CHAT, msgspec.json.encode(body)))
            await until(lambda: any(entry.chunks_sent for entry in running.sim.log))
            for _ in range(1000):
                await asyncio.sleep(0)
            (entry,) = running.sim.log
            assert entry.chunks_sent < 50_000
            got = await reader.read()
            writer.close()
        assert got.count(b'"content":') == 50_000 + 1

    asyncio.run(run())
