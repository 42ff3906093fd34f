"""What is read of a chunk, and what is passed over."""

from typing import Any

import msgspec
import pytest

from tidegate.providers._openai_chunk import Choice, Chunk, Delta, calls_of, text_of_calls


def test_only_what_says_how_far_the_answer_is_is_read() -> None:
    told = {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "model": "m",
        "system_fingerprint": {"deep": [1]},
        "choices": [{"index": 1, "delta": {"role": "assistant", "content": "hi"}, "logprobs": {}}],
    }
    chunk = msgspec.json.decode(msgspec.json.encode(told), type=Chunk)
    odd = told["system_fingerprint"]
    assert chunk == Chunk([Choice(1, Delta("hi"))], id="c-1", model="m", system_fingerprint=odd)


@pytest.mark.parametrize("name", ["delta", "text", "finish_reason"])
def test_null_is_as_good_as_left_out(name: str) -> None:
    told = msgspec.json.encode({"choices": [{name: None}], "usage": None, "error": None})
    assert msgspec.json.decode(told, type=Chunk) == Chunk([Choice()])


@pytest.mark.parametrize("told", [b'{"choices":{}}', b'{"choices":[1]}', b"[]", b'{"id":7}'])
def test_what_has_not_the_shape_is_no_chunk(told: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(told, type=Chunk)


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        ([{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}], b"f{}"),
        ([{"function": {"arguments": "a"}}, {"custom": {"name": "b", "input": "c"}}], b"abc"),
        ({"name": "f", "arguments": None}, b"f"),
        ([{"index": 0}], b""),
        ([{"function": {"arguments": {"a": 1}}}], b'[{"function":{"arguments":{"a":1}}}]'),
        ([{"function": 7}], b'[{"function":7}]'),
        ([7], b"[7]"),
    ],
)
def test_of_calls_the_names_and_arguments_are_text_or_else_all(calls: Any, text: bytes) -> None:
    assert text_of_calls(calls) == text


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        (
            [{"index": 2, "id": "x", "function": {"name": "f", "arguments": "{"}}],
            [(2, "f", "{")],
        ),
        ([{"index": 2, "function": {"arguments": "}"}}], [(2, "", "}")]),
        ([{"function": {"name": "f"}}, {"function": {"name": "g"}}], [(0, "f", ""), (1, "g", "")]),
        ({"name": "f", "arguments": "{}"}, [(0, "f", "{}")]),
        ([{"index": 0, "custom": {"name": "f", "input": "free"}}], []),
        (
            [1, {"function": 2}, {"index": "x", "function": {"name": 3, "arguments": []}}],
            [(2, "", "")],
        ),
        ("odd", []),
    ],
)
def test_calls_are_told_by_number_name_and_arguments(calls: Any, found: Any) -> None:
    assert calls_of(calls) == found
