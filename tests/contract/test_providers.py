"""Every provider plug of OpenAI's shape, on bytes of its own: any cut of a stream, each fault, no
invention. What all plugs do for callers of another dialect is in test_spoken.py.

`tests/bytes/<plug>/` holds what the plug must read: `chat.sse`, `chat.json`, `error.json`, and
whatever else its dialect says in its own way (README.md there). `prompts.sse` is read by the
plug's own tests.
"""

import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from tests.contract.cuts import EVERY, places
from tests.providers import family

from tidegate.core import plugs
from tidegate.core.ask import Ask
from tidegate.core.outcome import Failure
from tidegate.core.plan import Replica, Target
from tidegate.core.plugs import Passthrough, Provider, StreamReader

BYTES = Path(__file__).resolve().parent.parent / "bytes"
NAMES = [
    name for name in family.CODECS if "openai_chat" in plugs.load("providers", name).passthrough
]
STREAMS = sorted(
    path
    for path in BYTES.glob("*/*.sse")
    if path.stem not in ("prompts", "overloaded")
    and path.parent.name in {*NAMES} - {*family.READ_AS_ANOTHER}
)
# It tells usage in the last chunk of a text completion whether or not anybody asked.
TELLS_UNASKED = [BYTES / "llama_cpp/completion.sse"]
FACTS = ("started", "finished", "terminal", "content_chunks", "surplus_events", "usage")
FACTS += ("finish_reason", "model_served", "model_fingerprint", "provider_request_id")
# An answer's `choices.sse` was asked for with n=2.
CHOICES = {"choices": 2}
TARGET = Target("t", "p", "d", "their-model", (Replica("r", "http", "h", 80, "/v1"),))


def stream_id(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def plug(name: str) -> Provider:
    return plugs.load("providers", name)


def passing(name: str) -> Passthrough:
    return plug(name).passthrough["openai_chat"]


def ask(body: bytes = b'{"model":"m","messages":[],"stream":true}', **more: Any) -> Ask:
    members = msgspec.json.decode(body, type=dict[str, Raw])
    model = msgspec.json.decode(members["model"])
    return Ask(**{"endpoint": "chat", "body": body, "members": members, "model": model, **more})


def reader_for(path: Path, **more: Any) -> StreamReader:
    endpoint = "completions" if path.stem == "completion" else "chat"
    asked = ask(stream=True, endpoint=endpoint, choices=CHOICES.get(path.stem, 1), **more)
    return passing(path.parent.name).reader(asked)


def follow(reader: StreamReader, parts: list[bytes]) -> tuple[bytes, Failure | None]:
    """(what the caller sees with the end that belongs to it, how it failed)."""
    shown = b"".join([reader.feed(part) for part in parts])
    failure = reader.end()
    return shown + (reader.terminal if failure is None else b""), failure


def facts(reader: StreamReader) -> tuple[object, ...]:
    return (*(getattr(reader, name) for name in FACTS), reader.text())


def test_every_plug_has_its_bytes() -> None:
    for name in NAMES:
        for file in ("chat.sse", "chat.json", "error.json"):
            assert (BYTES / name / file).is_file(), f"tests/bytes/{name}/{file} is missing"


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_a_stream_passes_byte_for_byte_to_a_caller_who_asked_for_all_of_it(path: Path) -> None:
    data = path.read_bytes()
    reader = reader_for(path, include_usage=True, continuous_usage=True)
    assert follow(reader, [data]) == (data, None)
    assert reader.started and reader.finished
    if path != BYTES / "vllm/unasked.sse":
        assert reader.usage is not None and not reader.usage.conflict


def same_however_cut(path: Path, cuts: Iterable[int], *, usage: bool) -> None:
    stream = path.read_bytes()
    whole, cut = (reader_for(path, include_usage=usage) for _ in range(2))
    parts = [stream[a:b] for a, b in itertools.pairwise(cuts)]
    assert follow(cut, parts) == follow(whole, [stream])
    assert facts(cut) == facts(whole)


@settings(max_examples=30)
@given(data=st.data())
@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
@pytest.mark.parametrize("usage", [True, False])
def test_any_cut_gives_the_same_bytes_and_facts(
    path: Path, usage: bool, data: st.DataObject
) -> None:
    stream = path.read_bytes()
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=12).map(sorted))
    same_however_cut(path, [0, *cuts, len(stream)], usage=usage)


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
@pytest.mark.parametrize("usage", [True, False])
def test_byte_by_byte_gives_the_same_bytes_and_facts(path: Path, usage: bool) -> None:
    same_however_cut(path, range(len(path.read_bytes()) + 1), usage=usage)


@EVERY
@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_a_stream_cut_anywhere_is_a_failure_until_all_choices_are_finished(
    path: Path, every: bool
) -> None:
    stream = path.read_bytes()
    last_finish = stream.rindex(b'"finish_reason":"')
    finished_at = stream.index(b"}\n" if b"\r" not in stream else b"}\r", last_finish) + 1
    for size in places(stream, every=every):
        reader = reader_for(path)
        shown, failure = follow(reader, [stream[:size]] if size else [])
        if size < finished_at:
            assert failure is not None and failure.kind == "interrupted", size
            assert not reader.finished and b"[DONE]" not in shown
        else:  # what was asked for is here, only the closing mark is not
            assert failure is None
            assert b'"finish_reason":"' in shown and shown.rstrip().endswith(b"[DONE]")


@pytest.mark.parametrize("path", [p for p in STREAMS if p not in TELLS_UNASKED], ids=stream_id)
def test_usage_that_was_not_asked_for_is_not_shown(path: Path) -> None:
    shown, failure = follow(reader_for(path), [path.read_bytes()])
    assert failure is None
    for line in shown.splitlines():
        if line.startswith(b"data: {"):
            chunk = msgspec.json.decode(line[6:])
            # Azure tells in a chunk of its own what its filter thinks of the prompt.
            assert chunk["choices"] or "prompt_filter_results" in chunk
            assert chunk.get("usage") is None


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_whatever_follows_the_end_is_counted_and_dropped(path: Path) -> None:
    stream = path.read_bytes()
    reader = reader_for(path, include_usage=True, continuous_usage=True)
    assert follow(reader, [stream + b"data: [DONE]\n\n", b"data: late\n\n"]) == (stream, None)
    assert reader.surplus_events == 2


@pytest.mark.parametrize("path", STREAMS, ids=stream_id)
def test_the_official_client_reads_what_we_show(path: Path) -> None:
    shown, _ = follow(reader_for(path), [path.read_bytes()])
    client = openai_client(shown, "text/event-stream")
    told: dict[str, str] = {}
    content = ""
    if path.stem == "completion":
        for part in client.completions.create(model="m", prompt="p", stream=True):
            content += part.choices[0].text
    else:
        for chunk in client.chat.completions.create(model="m", messages=[], stream=True):
            for choice in chunk.choices:
                content += choice.delta.content or choice.delta.refusal or ""
                content += "".join(
                    call.function.arguments or ""
                    for call in choice.delta.tool_calls or ()
                    if call.function
                )
                told[str(choice.index)] = choice.finish_reason or ""
    assert content
    assert all(told.values())


def openai_client(body: bytes, kind: str) -> openai.OpenAI:
    answer = httpx2.Response(200, content=body, headers={"content-type": kind})
    transport = httpx2.MockTransport(lambda _: answer)
    return openai.OpenAI(
        api_key="x", base_url="http://x/v1", http_client=httpx2.Client(transport=transport)
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_answer_is_read(name: str) -> None:
    body = (BYTES / name / "chat.json").read_bytes()
    answer = passing(name).read_answer(ask(), body)
    told = msgspec.json.decode(body)["usage"]
    cached = told["prompt_tokens_details"]["cached_tokens"]
    thought = (told.get("completion_tokens_details") or {}).get("reasoning_tokens")
    assert cached > 0
    assert answer.finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.input_tokens == told["prompt_tokens"] - cached
    assert answer.usage.cache_read_tokens == cached
    assert answer.usage.output_tokens == told["completion_tokens"] - (thought or 0)
    assert answer.usage.reasoning_tokens == thought
    assert (
        openai_client(body, "application/json")
        .chat.completions.create(model="m", messages=[])
        .choices
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_text_of_an_answer_without_usage_is_kept_to_be_counted(name: str) -> None:
    body = msgspec.json.decode((BYTES / name / "chat.json").read_bytes())
    del body["usage"]
    answer = passing(name).read_answer(ask(), msgspec.json.encode(body))
    message = body["choices"][0]["message"]
    thought = message.get("reasoning") or message.get("reasoning_content") or ""
    assert message["content"]
    assert (answer.usage, answer.text) == (None, (thought + message["content"]).encode())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("status", "kind", "code", "shown"),
    [
        (400, "rejected", "rejected_by_provider", 400),
        (422, "rejected", "rejected_by_provider", 422),
        (413, "rejected", "rejected_by_provider", 413),
        (418, "rejected", "rejected_by_provider", 400),
        (401, "unavailable", "upstream_auth", 502),
        (402, "unavailable", "upstream_auth", 502),
        (403, "unavailable", "upstream_auth", 502),
        (404, "unavailable", "upstream_error", 502),
        (408, "timeout", "upstream_timeout", 504),
        (504, "timeout", "upstream_timeout", 504),
        (429, "rate_limited", "upstream_rate_limited", 429),
        (500, "unavailable", "upstream_error", 502),
        (502, "unavailable", "upstream_error", 502),
        (503, "unavailable", "upstream_overloaded", 503),
        (529, "unavailable", "upstream_overloaded", 503),
        (302, "unavailable", "upstream_error", 502),
    ],
)
def test_each_fault_means_what_its_status_says(
    name: str, status: int, kind: str, code: str, shown: int
) -> None:
    for body in (*((BYTES / name / f).read_bytes() for f in ("error.json",)), b"", b"\xff", b"[]"):
        failure = plug(name).fault(status, {"retry-after": "7"}, body)
        assert (failure.kind, failure.code.name, failure.status) == (kind, code, shown)
        assert "<html" not in failure.message


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(BYTES.glob("*/overflow*.json")) if p.parent.name in NAMES],
    ids=stream_id,
)
def test_too_long_a_context_is_told_apart(path: Path) -> None:
    failure = plug(path.parent.name).fault(400, {}, path.read_bytes())
    assert (failure.kind, failure.code.name) == ("overflow", "context_length_exceeded")


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_needs_no_change_is_sent_as_it_came(name: str) -> None:
    body = b'{ "model":"their-model", "messages":[], "seed":1.0e+2,"x":{"y":[1e3]} }'
    assert passing(name).encode(ask(body), TARGET).body == body


@pytest.mark.parametrize("name", NAMES)
def test_only_what_must_change_changes(name: str) -> None:
    body = (
        b'{"temperature":1.50,"model":"m","messages":[{"x": 1e+3}],"stream":true,'
        b'"stream_options":{"own":0.10,"include_usage":false},"zzz":123456789012345678901}'
    )
    sent = passing(name).encode(ask(body, stream=True), TARGET).body
    before = msgspec.json.decode(body, type=dict[str, Raw])
    after = msgspec.json.decode(sent, type=dict[str, Raw])
    changed = {k for k in before if bytes(before[k]) != bytes(after[k])}
    assert changed == {"model", "stream_options"}
    assert bytes(after["model"]) == b'"their-model"'
    options = msgspec.json.decode(after["stream_options"], type=dict[str, Raw])
    assert bytes(options["own"]) == b"0.10"
    assert bytes(options["include_usage"]) == b"true"


BAD_ANSWERS: dict[str, Callable[[], bytes]] = {
    "HTML": lambda: b"<html></html>",
    "nothing": lambda: b"",
    "no choices": lambda: b'{"choices":[]}',
    "an array": lambda: b"[]",
    "deep": lambda: b'{"choices":' + b"[" * 100_000,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", BAD_ANSWERS)
def test_an_answer_that_is_none_is_malformed(name: str, bad: str) -> None:
    with pytest.raises(Failure) as failed:
        passing(name).read_answer(ask(), BAD_ANSWERS[bad]())
    assert failed.value.kind == "malformed"


@pytest.mark.parametrize("name", NAMES)
def test_an_error_inside_a_good_status_is_a_failure(name: str) -> None:
    told = b'{"error":{"message":"boom sk-aaaaaaaaaaaaaaaaaaaa","type":"server_error","code":500}}'
    with pytest.raises(Failure) as failed:
        passing(name).read_answer(ask(), told)
    reader = passing(name).reader(ask(stream=True))
    shown, failure = follow(reader, [b"data: " + told + b"\n\ndata: [DONE]\n\n"])
    assert failure is not None
    assert shown == b""
    for one in (failure, failed.value):
        assert (one.kind, one.code.name) == ("unavailable", "upstream_error")
        assert "sk-" not in one.message
