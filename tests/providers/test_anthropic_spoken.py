"""Anthropic's answers in the common middle: what its blocks, reasons and usage come to."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.dialects.grammar import hear, in_order
from tests.providers.messages import STOP, block, delta, end, sent, start, stop, text

from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Text, ToolCall
from tidegate.core.outcome import Failure
from tidegate.core.spoken import Began, Choice, Ended, Event, Spoken, Used, fold
from tidegate.providers._anthropic_spoken import (
    AnthropicSpokenReader,
    read_whole,
    spoken_of,
)
from tidegate.providers._anthropic_wire import REASONS

BYTES = Path(__file__).resolve().parent.parent / "bytes" / "anthropic"
SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds+/ab9cd=="
SEAL = "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP"


def heard(stream: bytes) -> tuple[list[Event], AnthropicSpokenReader]:
    reader = AnthropicSpokenReader()
    events = hear(reader, [stream])
    in_order(events, whole=reader.finished)
    return events, reader


def test_reasoning_to_the_byte() -> None:
    events, _ = heard((BYTES / "thinking.sse").read_bytes())
    assert fold(events) == Spoken(
        "msg_01R",
        "claude-sonnet-4-5-20250929",
        Usage(30, 0, 0, 20, 40),
        [
            Choice(
                [
                    Reasoning("First the port, then the tide.", SIGNATURE, None, "anthropic"),
                    Reasoning("", None, SEAL, "anthropic"),
                    Text("High water at 6."),
                ],
                "stop",
            )
        ],
    )


def test_calls_with_arguments_as_they_were_written() -> None:
    events, _ = heard((BYTES / "tools.sse").read_bytes())
    assert fold(events).choices[0].parts == [
        Text("Let me look."),
        ToolCall("toolu_01A", "tide", '{"port": "Hamburg", "days": 1.50}'),
        ToolCall("toolu_01B", "wind", "{}"),
    ]


def test_arguments_that_came_with_the_blocks_beginning() -> None:
    tool = block(0, "tool_use", id="t", name="f", input={"a": 1}) + stop(0)
    events, _ = heard(start() + tool + end("tool_use") + STOP)
    assert fold(events).choices[0].parts == [ToolCall("t", "f", '{"a":1}')]


def test_blocks_of_its_own_tools_are_no_part() -> None:
    found = block(1, "server_tool_use", id="s", name="web_search", input={})
    found += delta(1, "input_json_delta", partial_json='{"q":1}') + stop(1)
    stream = start() + text(0, "a") + found + text(2, "b") + end() + STOP
    assert fold(heard(stream)[0]).choices[0].parts == [Text("a"), Text("b")]


@pytest.mark.parametrize("kind", ["text", "tool_use", "thinking"])
@pytest.mark.parametrize(
    ("of", "more"),
    [
        ("text", {"text": "x"}),
        ("tool_use", {"partial_json": "{"}),
        ("thinking", {"thinking": "x"}),
        ("thinking", {"signature": "x"}),
    ],
)
def test_a_block_grows_only_by_what_it_is(kind: str, of: str, more: dict[str, str]) -> None:
    began = block(0, kind, id="a", name="f")
    _, reader = heard(start() + began + delta(0, "any", **more))
    failure = reader.failure
    assert failure is not None
    assert failure.kind == ("interrupted" if kind == of else "malformed")


def test_arguments_that_are_no_text_are_malformed() -> None:
    odd = block(0, "tool_use", id="a", name="f", input={"p": "?"}).replace(b"?", b"\xff")
    events, reader = heard(start() + odd + stop(0) + end("tool_use") + STOP)
    assert reader.failure is not None and reader.failure.kind == "malformed"
    assert fold(events).choices[0].reason is None
    body = (BYTES / "tools.json").read_bytes().replace(b"Hamburg", b"\xff")
    with pytest.raises(Failure) as failed:
        spoken_of(read_whole(body), "tool_calls")
    assert failed.value.kind == "malformed"


def test_a_block_that_was_not_closed_ends_with_its_message() -> None:
    stream = start() + block(0) + delta(0, text="a") + end() + STOP
    events, reader = heard(stream)
    assert reader.finished and fold(events).choices[0].parts == [Text("a")]


def test_the_reason_is_told_once_and_usage_as_it_grows() -> None:
    stream = start() + text(0, "a") + end(output_tokens=3) + end("max_tokens", output_tokens=4)
    events, _ = heard(stream + STOP)
    assert [event for event in events if isinstance(event, (Began, Ended, Used))] == [
        Began("msg", "served", Usage(7)),
        Ended(0, "stop"),
        Used(Usage(7, None, None, 3)),
        Used(Usage(7, None, None, 4)),
    ]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop_sequence"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "context_full"),
    ],
)
def test_stop_reasons(word: str, reason: str) -> None:
    events, _ = heard(start() + text(0, "a") + end(word, "END") + STOP)
    assert Ended(0, REASONS[word], "END") in events
    assert REASONS[word] == reason


def test_a_reason_that_nobody_knows_is_no_guess() -> None:
    events, reader = heard(start() + text(0, "a") + end("something_new") + STOP)
    assert reader.failure is not None and reader.failure.kind == "interrupted"
    assert not reader.finished
    assert not any(isinstance(event, Ended) for event in events)
    assert reader.feed(STOP) == [] and reader.end() == []


def test_an_error_inside_a_stream() -> None:
    events, reader = heard((BYTES / "overloaded.sse").read_bytes())
    assert reader.failure is not None and reader.failure.code.name == "upstream_overloaded"
    assert fold(events).choices[0].parts == [Text("Hel")]


def test_an_event_without_end_is_malformed() -> None:
    reader = AnthropicSpokenReader()
    assert reader.feed(b"data: " + b"x" * (5 * 1024 * 1024)) == []
    assert reader.failure is not None and reader.failure.kind == "malformed"


def message(**members: Any) -> bytes:
    told = {"type": "message", "content": [], "stop_reason": "end_turn"} | members
    return msgspec.json.encode(told)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html></html>", "malformed"),
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b'{"type":"message","content":' + b"[" * 100_000, "malformed"),
        (b'{"type":"message","content":[5],"stop_reason":"end_turn"}', "malformed"),
        (message(type="other"), "malformed"),
        (message(stop_reason=None), "malformed"),
        (sent("error")[:0] + b'{"type":"error","error":{"type":"api_error"}}', "unavailable"),
    ],
)
def test_an_answer_that_is_none(body: bytes, kind: str) -> None:
    with pytest.raises(Failure) as failed:
        read_whole(body)
    assert failed.value.kind == kind


def test_the_usage_of_a_whole_answer_may_be_doubtful_or_unknown() -> None:
    content = [{"type": "text", "text": "a"}]
    none = {"input_tokens": 7, "output_tokens": 0}
    doubtful = spoken_of(read_whole(message(content=content, usage=none)), "stop")
    assert doubtful.usage == Usage(conflict=True)
    assert spoken_of(read_whole(message(content=content)), "stop").usage is None
