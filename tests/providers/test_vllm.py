"""Usage in every chunk: read, and cut out for a caller who did not ask for it."""

from pathlib import Path

import msgspec
import pytest
from msgspec import Raw
from tests.providers.streams import asked, choice, sent

from tidegate.core.ask import Usage
from tidegate.providers.vllm import plug

BYTES = Path(__file__).resolve().parent.parent / "bytes/vllm"

TOLD = {"prompt_tokens": 3, "total_tokens": 5, "completion_tokens": 2}


def chunk(text: str, **more: object) -> bytes:
    one = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return sent({"id": "c", "choices": [one], **more})


def test_a_cut_stream_tells_its_tokens() -> None:
    reader = plug.reader(asked())
    reader.feed(chunk("a", usage=TOLD))
    assert reader.end() is not None
    assert reader.usage == Usage(3, None, None, 2)


def test_only_the_usage_is_cut_out() -> None:
    reader = plug.reader(asked())
    text = 'a ,"usage":{"b":1}'
    assert reader.feed(chunk(text, usage=TOLD)) == chunk(text)
    assert reader.feed(choice(content="plain")) == choice(content="plain")


def test_usage_is_cut_out_wherever_it_stands() -> None:
    told = b'"usage":{"prompt_tokens":3,"completion_tokens":1}'
    content = b'"choices":[{"index":0,"delta":{"content":"x"},"n":1.50}]'
    for json in (told + b"," + content, content + b", " + told + b',"prompt_text":null'):
        shown = plug.reader(asked()).feed(b"data: {" + json + b"}\n\n")
        assert content in shown and b"usage" not in shown
        assert msgspec.json.decode(shown[6:])["choices"]
    assert plug.reader(asked()).feed(b"data: {" + told + b',"choices":[]}\n\n') == b""


@pytest.mark.parametrize("name", ["chat", "choices", "tools", "completion"])
@pytest.mark.parametrize("wants", [False, True])
def test_no_chunk_of_the_engine_s_own_shows_what_was_not_asked_for(name: str, wants: bool) -> None:
    endpoint = "completions" if name == "completion" else "chat"
    reader = plug.reader(asked(endpoint=endpoint, include_usage=wants))
    events = (BYTES / f"{name}.sse").read_bytes().split(b"\n\n")
    shown = [reader.feed(event + b"\n\n") for event in events[:-2]]
    assert not any(b'"usage"' in part for part in shown[:-1])
    assert (b'"usage"' in shown[-1]) == wants


@pytest.mark.parametrize("name", ["choices", "prompts"])
def test_a_cut_stream_of_several_answers_tells_them_all(name: str) -> None:
    stream = (BYTES / f"{name}.sse").read_bytes()
    more = {"choices": 2} if name == "choices" else {"endpoint": "completions"}
    members = {"prompt": Raw(b'["Say hello","Count"]')} if name == "prompts" else {}
    whole, cut = (plug.reader(asked(**more, members=members)) for _ in range(2))
    whole.feed(stream)
    cut.feed(stream[: stream.index(b"data: {", stream.rindex(b'"finish_reason":"'))])
    assert whole.finished and not cut.finished
    assert whole.usage is not None and whole.usage.output_tokens == 10
    assert cut.usage is not None
    told = (cut.usage.input_tokens, cut.usage.output_tokens)
    cached = whole.usage.cache_read_tokens or 0
    assert told == ((whole.usage.input_tokens or 0) + cached, whole.usage.output_tokens)


def test_who_asked_for_continuous_usage_sees_it() -> None:
    reader = plug.reader(asked(include_usage=True, continuous_usage=True))
    assert reader.feed(chunk("a", usage=TOLD)) == chunk("a", usage=TOLD)
