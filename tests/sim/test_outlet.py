"""Each fault as its victim sees it."""

import asyncio
import gzip
import zlib

import msgspec
import pytest
from tests.sim.rig import CHAT, Reply, call, chat, engine, request_bytes

LENGTH = 20


def one(line: str, **members) -> Reply:
    """The answer to one request under one fault; 20 tokens long."""

    async def run() -> Reply:
        async with engine(line, output_tokens=LENGTH) as running:
            return await chat(running, **members)

    return asyncio.run(run())


def stream(line: str, **members) -> Reply:
    return one(line, stream=True, **members)


@pytest.fixture(scope="module")
def plain() -> Reply:
    return stream("cut skip=1")


def tokens(reply: Reply) -> int:
    return sum(
        1
        for event in reply.events()
        if isinstance(event, dict)
        for choice in event.get("choices", [])
        if choice["delta"].get("content")
    )


def test_without_a_fault_all_is_well(plain):
    assert plain.whole
    assert tokens(plain) == LENGTH
    assert plain.events()[-1] == "[DONE]"


def test_a_refused_connection_is_reset():
    async def run() -> None:
        async with engine("refuse times=1") as running:
            with pytest.raises(ConnectionResetError):
                reader, writer = await asyncio.open_connection(running.host, running.port)
                try:
                    writer.write(request_bytes("/health", None))
                    await writer.drain()
                    assert await reader.read() == b"reset expected"
                finally:
                    writer.close()
            assert (await call(running, "/health")).status == 200

    asyncio.run(run())


@pytest.mark.parametrize(("how", "was_reset"), [("fin", False), ("rst", True)])
def test_a_dropped_request_gets_not_one_byte(how, was_reset):
    reply = one(f"drop:{how}")
    assert (reply.raw, reply.reset) == (b"", was_reset)


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("after", [0, 1, 7])
def test_a_cut_stream_has_exactly_k_tokens_and_no_end(how, after):
    async def run() -> Reply:
        async with engine(f"cut after={after} how={how}", output_tokens=LENGTH) as running:
            reader, writer = await asyncio.open_connection(running.host, running.port)
            body = b'{"stream":true,"messages":[{"role":"user","content":"a"}]}'
            writer.write(request_bytes(CHAT, body))
            was_reset = False
            try:
                await reader.read()
            except ConnectionResetError:
                was_reset = True
            writer.close()
            (entry,) = running.sim.log
            assert was_reset == (how == "rst")
            assert (entry.chunks_sent, entry.closed_by) == (after, "server")
            assert not entry.completed

    asyncio.run(run())
    if how == "fin":
        reply = stream(f"cut after={after}")
        assert tokens(reply) == after
        assert not reply.whole
        assert "[DONE]" not in reply.events()


def test_a_fault_beyond_the_end_happens_at_the_end():
    reply = stream("cut after=500")
    assert tokens(reply) == LENGTH
    assert not reply.whole
    assert not any(
        choice["finish_reason"] for event in reply.events() for choice in event["choices"]
    )


def test_a_stall_lasts_as_long_as_it_says():
    for line in ("stall:0.2", "stall after=3 seconds=0.2"):

        async def run(line: str = line) -> float:
            async with engine(line, output_tokens=LENGTH) as running:
                loop = asyncio.get_running_loop()
                begun_s = loop.time()
                reply = await chat(running, stream=True)
                assert tokens(reply) == LENGTH
                return loop.time() - begun_s

        assert asyncio.run(run()) >= 0.2


def test_a_slow_answer_takes_its_factor_longer():
    async def run(*lines: str) -> float:
        async with engine(*lines, profile="tiny", output_tokens=10) as running:
            await chat(running)
            (entry,) = running.sim.log
            assert entry.first_byte_s is not None
            return entry.first_byte_s - entry.received_s

    assert asyncio.run(run("slow:5")) >= 5 * 10 * 0.002


def test_a_malformed_event_stands_before_token_k():
    events = stream("malformed:2").events()
    broken = [at for at, event in enumerate(events) if isinstance(event, str)]
    assert broken[0] == 3  # behind the role and two tokens
    assert events[-1] == "[DONE]"
    with pytest.raises(msgspec.DecodeError):
        one("malformed").json()


@pytest.mark.parametrize(("shape", "member"), [("openai", "error"), ("vllm", "object")])
def test_an_error_in_the_stream_ends_it(shape, member):
    reply = stream(f"error after=4 shape={shape}")
    assert tokens(reply) == 4
    assert member in reply.events()[-1]
    assert reply.events()[-1].get("object", "error") == "error"
    assert reply.whole


def test_an_error_may_come_with_status_200():
    for reply in (one("ok_error"), stream("ok_error"), one("error")):
        assert reply.status == 200
        assert "error" in reply.json()


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_status_is_sent_before_any_work(status):
    async def run() -> None:
        async with engine(f"status:{status} retry_after=7") as running:
            reply = await chat(running, stream=True)
            assert (reply.status, reply.header("retry-after")) == (status, "7")
            assert "error" in reply.json()
            assert running.sim.pump.engine.readings().prompt_tokens == 0

    asyncio.run(run())
    assert b"<html>" in one(f"status:{status} body=html").body
    assert one(f"status:{status} body=empty").body == b""


def test_ends_of_a_stream(plain):
    assert "[DONE]" not in stream("no_done").events()
    assert stream("two_done").events()[-2:] == ["[DONE]", "[DONE]"]
    late = stream("after_done").events()
    assert late[-2] == "[DONE]"
    assert late[-1]["id"] == "late"
    silent = stream("no_finish").events()
    assert silent[-1] == "[DONE]"
    assert all(c["finish_reason"] is None for event in silent[:-1] for c in event["choices"])
    assert any(c["finish_reason"] for event in plain.events()[:-1] for c in event["choices"])


def test_usage_faults_reach_both_forms():
    asked = {"stream_options": {"include_usage": True}}
    assert not [e for e in stream("usage:missing", **asked).events()[:-1] if e.get("usage")]
    assert len([e for e in stream("usage:twice", **asked).events()[:-1] if e.get("usage")]) == 2
    assert "usage" not in one("usage:missing").json()
    assert one("usage:negative").json()["usage"]["completion_tokens"] < 0


def test_doubled_tokens_are_produced_or_reported(plain):
    assert tokens(stream("doubled")) == 2 * LENGTH
    assert one("doubled:reported").json()["usage"]["completion_tokens"] == 2 * LENGTH


@pytest.mark.parametrize("line", ["length", "length:-5", "bad_chunk", "cut"])
def test_framing_that_lies(line):
    reply = one(line)
    assert not reply.whole
    assert reply.status == 200


@pytest.mark.parametrize("line", ["length", "bad_chunk:3"])
def test_framing_of_a_stream_that_lies(line):
    assert not stream(line).whole


def test_a_compressed_answer(plain):
    reply = one("gzip")
    assert reply.header("content-encoding") == "gzip"
    assert b'"choices"' in gzip.decompress(reply.body)
    packed = stream("gzip")
    unpacked = zlib.decompress(packed.body, wbits=31)
    assert unpacked.count(b"data: ") == plain.body.count(b"data: ")


def test_a_giant_answer():
    assert len(one("giant:3000000").body) == 3_000_002
    reply = stream("giant:3000000 after=2")
    assert max(map(len, reply.body.split(b"\n\n"))) > 3_000_000
    assert reply.events()[-1] == "[DONE]"


def test_headers_that_should_not_pass():
    assert len(one("headers:500").headers) > 500
    assert one("inject").header("set-cookie") is not None
    assert stream("inject").header("location") is not None
    assert b"\nx-smuggled: yes\r\n" in one("bad_header").raw


@pytest.mark.parametrize("line", ["split", "crlf", "comments", "multiline"])
def test_odd_forms_hold_the_same_stream(plain, line):
    reply = stream(line)
    assert reply.body != plain.body
    assert reply.text() == plain.text()
    assert reply.events()[-1] == "[DONE]"
    assert reply.whole
    if line == "split":
        assert reply.raw.count(b"\r\n1\r\n") > 1000


def test_the_header_asks_for_a_fault_only_where_that_is_allowed():
    async def run(allowed: bool, line: str) -> Reply:
        async with engine(allow_fault_header=allowed) as running:
            return await chat(running, headers={"x-sim-fault": line})

    assert asyncio.run(run(True, "status:418")).status == 418
    assert asyncio.run(run(False, "status:418")).status == 200
    assert asyncio.run(run(True, "nonsense")).status == 400
