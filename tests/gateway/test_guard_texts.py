"""Texts are found wherever they stand in a body; what is none is left, and no object is copied for
nothing."""

from typing import Any

import pytest

from tidegate.gateway.guard_texts import cleaned, cleaned_json


def loud(text: str) -> str:
    return text.upper()


def test_texts_are_texts_wherever_they_stand() -> None:
    said: Any = [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image", "source": {
            "type": "base64", "data": "b"}}]},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f",
            "arguments": '{"to": "d", "n": 1}'}}]},
        {"type": "tool_use", "id": "e", "name": "g", "input": {"id": "h", "type": "i"}},
        {"type": "tool_result", "tool_use_id": "j", "content": "k"},
        {"type": "thinking", "thinking": "l", "signature": "m"},
        {"type": "function_call_output", "call_id": "n", "output": "o"},
    ]  # fmt: skip
    assert cleaned(said, loud) == [
        {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "image", "source": {
            "type": "base64", "data": "b"}}]},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f",
            "arguments": '{"TO":"D","N":1}'}}]},
        {"type": "tool_use", "id": "e", "name": "g", "input": {"ID": "H", "TYPE": "I"}},
        {"type": "tool_result", "tool_use_id": "j", "content": "K"},
        {"type": "thinking", "thinking": "l", "signature": "m"},
        {"type": "function_call_output", "call_id": "n", "output": "O"},
    ]  # fmt: skip


def test_thinking_in_an_answer_is_changed_and_signed_no_more() -> None:
    block = {"type": "thinking", "thinking": "l", "signature": "m"}
    changed = {"type": "thinking", "thinking": "L", "signature": ""}
    assert cleaned(block, loud, keeps_sealed=False) == changed


@pytest.mark.parametrize("value", [[{"content": "A"}, 1, None, True, {"input": {"N": 5}}], "A", {}])
def test_what_stays_is_the_same_object(value: Any) -> None:
    assert cleaned(value, loud) is value


def test_numbers_of_anybody_s_json_are_looked_at() -> None:
    def card(text: str) -> str:
        return "<C>" if text[0] == "4" else text

    assert cleaned_json('{"card":4111111111111111}', card) == '{"card":"<C>"}'
    assert cleaned_json("[1,", loud) == "[1," and cleaned_json('"a"', loud) == '"A"'


def test_nothing_but_what_is_sealed_hides_behind_a_seal() -> None:
    said: Any = {"role": "user", "type": "thinking", "content": "a", "signature": "s"}
    assert cleaned(said, loud) == {**said, "content": "A"}
    assert cleaned({"type": ["thinking"], "text": "a"}, loud)["text"] == "A"


def test_arguments_without_end_are_a_text() -> None:
    deep = "[" * 600 + '"a"' + "]" * 600
    assert cleaned_json(deep, loud) == deep.upper()


def test_of_a_member_that_comes_twice_nothing_goes_out_unseen() -> None:
    def redacted(text: str) -> str:
        return text.replace("secret", "<S>")

    for hidden in ('{"a":"secret","a":"b"}', '{"a":"s\\u0065cret","a":"b"}'):
        assert cleaned_json(hidden, redacted) == '{"a":"b"}'
    assert cleaned_json('{"a": [{"a": 1}]}', redacted) == '{"a": [{"a": 1}]}'
