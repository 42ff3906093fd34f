"""CPU of translating between dialects: a chunk of a stream, a whole request and answer.

Each figure is the least of several rounds, because others work on the machine too. A passthrough
reader on the same bytes stands beside it.
"""

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core import plugs
from tidegate.core.ask import Ask
from tidegate.core.plan import Replica, Target
from tidegate.core.plugs import Dialect, Provider, Stamp, StreamReader
from tidegate.core.translated import TranslatedReader

ROUNDS = 15
CHUNKS = 2_000
REQUESTS = 300
CHUNK_BAR_US = 15.0
REQUEST_BAR_US = 60.0
STAMP = Stamp("019a0000-0000-7000-8000-000000000000", 1_795_000_000.0)
SCHEMA = {"type": "object", "properties": {"port": {"type": "string"}}, "required": ["port"]}
TURNS = 6
SAID = "How high is the water at noon, and which way does the wind blow? " * 6
CALL = {"name": "tide", "description": "The tide at a port.", "schema": SCHEMA}

_encode = msgspec.json.Encoder().encode


def openai_request() -> bytes:
    """A conversation with tools: instructions, turns, calls and their results."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": SAID}]
    for at in range(TURNS):
        function = {"name": "tide", "arguments": '{"port":"Hamburg"}'}
        call = {"id": f"call_{at}", "type": "function", "function": function}
        messages += [
            {"role": "user", "content": SAID},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{at}", "content": "4.2 m, rising"},
        ]
    function = {"name": "tide", "description": CALL["description"], "parameters": SCHEMA}
    tools = [{"type": "function", "function": function}]
    members = {"model": "m", "messages": messages, "tools": tools, "max_tokens": 500}
    return _encode({**members, "temperature": 0.2, "stream": True})


def anthropic_request() -> bytes:
    messages: list[dict[str, Any]] = []
    for at in range(TURNS):
        call = {"type": "tool_use", "id": f"toolu_{at}", "name": "tide", "input": {"port": "H"}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{at}", "content": "4.2 m, rising"}
        messages += [
            {"role": "user", "content": SAID},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]
    tool = {"name": "tide", "description": CALL["description"], "input_schema": SCHEMA}
    members = {"model": "m", "system": SAID, "messages": messages, "tools": [tool]}
    return _encode({**members, "max_tokens": 500, "temperature": 0.2, "stream": True})


def openai_answer() -> bytes:
    function = {"name": "tide", "arguments": '{"port":"Hamburg"}'}
    call = {"id": "call", "type": "function", "function": function}
    message = {"role": "assistant", "content": SAID, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
    return _encode({"id": "c", "model": "m", "choices": [choice], "usage": usage})


def anthropic_answer() -> bytes:
    call = {"type": "tool_use", "id": "toolu", "name": "tide", "input": {"port": "Hamburg"}}
    content = [{"type": "text", "text": SAID}, call]
    members = {"id": "msg", "type": "message", "model": "m", "content": content}
    usage = {"input_tokens": 900, "output_tokens": 60}
    return _encode({**members, "stop_reason": "tool_use", "usage": usage})


def openai_chunks() -> Iterable[bytes]:
    head = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":['
    for at in range(CHUNKS):
        delta = _encode({"content": f" word{at}"})
        yield head + b'{"index":0,"delta":%b,"finish_reason":null}]}\n\n' % delta
    yield head + b'{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    usage = b'{"prompt_tokens":9,"completion_tokens":%d}' % CHUNKS
    yield head + b'],"usage":%b}\n\n' % usage
    yield b"data: [DONE]\n\n"


def anthropic_chunks() -> Iterable[bytes]:
    def event(name: str, **members: Any) -> bytes:
        told = _encode({"type": name, **members})
        return b"event: %b\ndata: %b\n\n" % (name.encode(), told)

    message = {"id": "msg", "model": "m", "usage": {"input_tokens": 9, "output_tokens": 1}}
    yield event("message_start", message=message)
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for at in range(CHUNKS):
        delta = {"type": "text_delta", "text": f" word{at}"}
        yield event("content_block_delta", index=0, delta=delta)
    yield event("content_block_stop", index=0)
    usage = {"output_tokens": CHUNKS}
    yield event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage)
    yield event("message_stop")


def least_us(work: Callable[[], None], times: int) -> float:
    """CPU of one of `times`, in the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best * 1e6 / times


def stream_us(make: Callable[[], StreamReader], chunks: list[bytes]) -> float:
    def work() -> None:
        reader = make()
        for chunk in chunks:
            reader.feed(chunk)
        if reader.end() is not None:
            raise SystemExit("the stream was not read to its end")

    return least_us(work, len(chunks))


def request_us(dialect: Dialect, provider: Provider, ask: Ask) -> float:
    replica = Replica("r", "http", "127.0.0.1", 80, "/v1")
    target = Target("t", "p", "d", "claude-sonnet-4-5", (replica,))

    def work() -> None:
        for _ in range(REQUESTS):
            provider.encode_conversation(dialect.read(ask), ask, target, False)

    return least_us(work, REQUESTS)


def answer_us(dialect: Dialect, provider: Provider, ask: Ask, body: bytes) -> float:
    def work() -> None:
        for _ in range(REQUESTS):
            dialect.whole(ask, STAMP, provider.read_spoken(ask, body))

    return least_us(work, REQUESTS)


def ask_of(body: bytes, dialect: str) -> Ask:
    members = msgspec.json.decode(body, type=dict[str, Raw])
    ask = Ask("chat", body, members, "m", True, True, dialect=dialect)
    ask.output_ceiling_tokens = 500
    return ask


def measure() -> list[tuple[str, float, float | None]]:
    """(what, microseconds, bar)."""
    rows: list[tuple[str, float, float | None]] = []
    directions = (
        ("openai_chat", openai_request(), "anthropic", anthropic_answer(), anthropic_chunks()),
        (
            "anthropic_messages",
            anthropic_request(),
            "openai_compatible",
            openai_answer(),
            openai_chunks(),
        ),
    )
    for caller, body, target, answer, stream in directions:
        chunks = list(stream)
        dialect: Dialect = plugs.load("dialects", caller)
        provider: Provider = plugs.load("providers", target)
        ask = ask_of(body, caller)

        def translated(
            provider: Provider = provider, dialect: Dialect = dialect, ask: Ask = ask
        ) -> StreamReader:
            return TranslatedReader(provider.spoken_reader(ask), dialect.writer(ask, STAMP))

        def passed(provider: Provider = provider, ask: Ask = ask) -> StreamReader:
            return next(iter(provider.passthrough.values())).reader(ask)

        name = f"{caller} -> {target}"
        rows.append((f"{name}: a chunk", stream_us(translated, chunks), CHUNK_BAR_US))
        request = request_us(dialect, provider, ask)
        whole = request + answer_us(dialect, provider, ask, answer)
        rows.append((f"{name}: a request of {3 * TURNS} messages", request, None))
        rows.append((f"{name}: the same and its whole answer", whole, REQUEST_BAR_US))
        rows.append((f"{target}: a chunk passed on", stream_us(passed, chunks), None))
    return rows


def run() -> int:
    """Prints the figures; 1 where a bar is not met."""
    missed = False
    for what, found_us, bar_us in measure():
        bar = "" if bar_us is None else f"  (bar {bar_us:g} us)"
        missed = missed or (bar_us is not None and found_us > bar_us)
        sys.stdout.write(f"{what:55} {found_us:7.2f} us{bar}\n")
    return int(missed)
