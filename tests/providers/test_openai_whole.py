"""What a whole answer's choices say, and what was generated for them."""

import pytest

from tidegate.core.ask import Said
from tidegate.core.outcome import Failure
from tidegate.providers._openai_whole import (
    AnswerChoice,
    decode_answer,
    has_output,
    read_odd_answer,
    said_of,
    text_of,
)


def choice(message: bytes) -> AnswerChoice:
    [found] = decode_answer(b'{"choices": [{"message": ' + message + b"}]}").choices or []
    return found


@pytest.mark.parametrize(
    ("message", "said", "text"),
    [
        (b'{"content": "hi"}', Said("hi"), b"hi"),
        (b'{"content": "", "refusal": "no"}', Said("", True), b""),
        (b'{"content": null, "reasoning_content": "hm"}', Said(""), b"hm"),
        (b'{"content": "a", "reasoning": "b"}', Said("a"), b"ba"),
    ],
)
def test_what_is_said_and_what_was_generated(message: bytes, said: Said, text: bytes) -> None:
    assert said_of(choice(message)) == said
    assert text_of(choice(message)) == text
    assert has_output(choice(message)) is bool(text)


def test_a_call_is_told_and_what_is_none_acts_all_the_same() -> None:
    call = b'{"tool_calls": [{"id":"1","function":{"name":"f","arguments":"{}"}}]}'
    assert said_of(choice(call)) == Said("", False, (("f", "{}"),))
    assert said_of(choice(b'{"tool_calls": [7]}')).acts
    assert has_output(choice(call)) and b'"f"' in text_of(choice(call))


def test_usage_of_another_shape_is_an_answer_and_what_is_none_is_a_failure() -> None:
    assert read_odd_answer(b'{"choices": [{"text": "x"}], "usage": 3}').usage == 3
    with pytest.raises(Failure):
        read_odd_answer(b"<html>")
