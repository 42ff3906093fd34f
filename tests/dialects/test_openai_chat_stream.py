"""An answer as OpenAI's chunks: prefixes, choices, calls, usage, the end."""

from typing import Any

import msgspec
import pytest
from tests.dialects.grammar import STAMP, ask_of

from tidegate.core.ask import Usage
from tidegate.core.spoken import (
    Began,
    Ended,
    Event,
    PartBegan,
    PartEnded,
    PartGrew,
    Reason,
    Used,
)
from tidegate.dialects._openai_chat_stream import DONE, OpenAIChatWriter, usage_members

ASKED = {"messages": []}


def chunks(events: list[Event], **asked: Any) -> list[dict[str, Any]]:
    writer = OpenAIChatWriter(ask_of(ASKED, stream=True, **asked), STAMP)
    body = b"".join([writer.write([event]) for event in events]) + writer.close()
    assert body.endswith(DONE)
    told = body.removesuffix(DONE).split(b"\n\n")
    assert told.pop() == b""
    return [msgspec.json.decode(one.removeprefix(b"data: ")) for one in told]


def deltas(events: list[Event], **asked: Any) -> list[Any]:
    return [chunk["choices"][0]["delta"] for chunk in chunks([Began(), *events], **asked)]


def test_every_chunk_names_the_answer_and_the_first_the_role() -> None:
    told = chunks([Began('i"%d', "m%s"), PartBegan(0, 0, "text"), PartGrew(0, 0, "text", "é\n")])
    first, second = told
    assert {name: first[name] for name in ("id", "object", "created", "model")} == {
        "id": 'i"%d',
        "object": "chat.completion.chunk",
        "created": 1_795_000_000,
        "model": "m%s",
    }
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert second["choices"][0]["delta"] == {"content": "é\n"}
    assert second["id"] == first["id"] and "usage" not in first


def test_an_answer_without_a_name_gets_ours() -> None:
    first = chunks([Began()])[0]
    assert (first["id"], first["model"]) == ("chatcmpl-0198c0de", "asked-model")


def test_calls_are_numbered_and_named_once() -> None:
    events: list[Event] = [
        PartBegan(0, 0, "tool_call", "a", "f"),
        PartGrew(0, 0, "arguments", '{"x"'),
        PartBegan(0, 1, "tool_call", None, "g"),
        PartGrew(0, 1, "arguments", "{}"),
        PartGrew(0, 0, "arguments", ":1}"),
    ]
    calls = [delta["tool_calls"][0] for delta in deltas(events)[1:]]
    function = {"name": "f", "arguments": ""}
    assert calls == [
        {"index": 0, "id": "a", "type": "function", "function": function},
        {"index": 0, "function": {"arguments": '{"x"'}},
        {
            "index": 1,
            "id": "call_0198c0de_1",
            "type": "function",
            "function": {**function, "name": "g"},
        },
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 0, "function": {"arguments": ":1}"}},
    ]


def test_reasoning_is_shown_and_carried_once_whole() -> None:
    events: list[Event] = [
        PartBegan(0, 0, "reasoning", wire="anthropic"),
        PartGrew(0, 0, "text", "h"),
        PartGrew(0, 0, "text", "m"),
        PartGrew(0, 0, "signature", "si"),
        PartGrew(0, 0, "signature", "g="),
        PartEnded(0, 0),
        PartBegan(0, 1, "reasoning", wire="anthropic"),
        PartGrew(0, 1, "sealed", "XY"),
        PartEnded(0, 1),
        PartBegan(0, 2, "reasoning"),
        PartGrew(0, 2, "text", "unsigned"),
        PartEnded(0, 2),
    ]
    form = "anthropic-claude-v1"
    text = {"type": "reasoning.text", "index": 0, "text": "hm", "signature": "sig="}
    sealed = {"type": "reasoning.encrypted", "index": 1, "data": "XY", "format": form}
    assert deltas(events)[1:] == [
        {"reasoning_content": "h"},
        {"reasoning_content": "m"},
        {"reasoning_details": [{**text, "format": form}]},
        {"reasoning_details": [sealed]},
        {"reasoning_content": "unsigned"},
    ]


def test_each_choice_has_its_role_and_its_reason() -> None:
    events: list[Event] = [
        Began(),
        PartBegan(1, 0, "refusal"),
        PartGrew(1, 0, "text", "no"),
        PartEnded(1, 0),
        Ended(1, "refusal"),
        Ended(0, "stop"),
    ]
    told = [chunk["choices"][0] for chunk in chunks(events)]
    assert [(one["index"], one["delta"], one["finish_reason"]) for one in told] == [
        (0, {"role": "assistant", "content": ""}, None),
        (1, {"role": "assistant", "content": ""}, None),
        (1, {"refusal": "no"}, None),
        (1, {}, "content_filter"),
        (0, {}, "stop"),
    ]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("context_full", "length"),
        ("tool_calls", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause", "stop"),
    ],
)
def test_finish_reasons(reason: Reason, word: str) -> None:
    assert chunks([Began(), Ended(0, reason)])[-1]["choices"][0]["finish_reason"] == word


def test_usage_is_told_once_to_who_asked() -> None:
    events: list[Event] = [
        Began(usage=Usage(5)),
        Used(Usage(5, 2, 1, 3, 4)),
        Ended(0, "stop"),
        Used(Usage(5, 2, 1, 4, 4)),
    ]
    *before, last = chunks(events, include_usage=True)
    assert [chunk["usage"] for chunk in before] == [None, None]
    assert (last["choices"], last["usage"]) == (
        [],
        {
            "prompt_tokens": 8,
            "completion_tokens": 8,
            "total_tokens": 16,
            "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
    )
    assert all("usage" not in chunk for chunk in chunks(events))


@pytest.mark.parametrize("usage", [None, Usage(), Usage(5), Usage(conflict=True)])
def test_usage_that_nobody_knows_is_not_told(usage: Usage | None) -> None:
    events: list[Event] = [Began(usage=usage), Ended(0, "stop")]
    assert all(chunk["usage"] is None for chunk in chunks(events, include_usage=True))
    assert usage is None or usage_members(usage) is None


def test_a_class_that_is_unknown_is_left_out_and_zero_is_told() -> None:
    assert usage_members(Usage(5, 0, None, 3)) == {
        "prompt_tokens": 5,
        "completion_tokens": 3,
        "total_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
