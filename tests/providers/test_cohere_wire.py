"""Cohere's words for how an answer ended."""

import pytest

from tidegate.core.outcome import Failure
from tidegate.providers._cohere_wire import REASONS, decode, decode_whole, ending


@pytest.mark.parametrize(("word", "reason"), REASONS.items())
def test_what_ends_an_answer(word: str, reason: str) -> None:
    assert ending(word, called=False) == reason


def test_calls_are_what_an_answer_with_calls_ends_by() -> None:
    assert ending("COMPLETE", called=True) == "tool_calls"
    assert ending("MAX_TOKENS", called=True) == "length"


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("ERROR", "upstream_error"),
        ("TIMEOUT", "upstream_timeout"),
        ("USER_CANCEL", "upstream_interrupted"),
        ("", "upstream_interrupted"),
    ],
)
def test_what_ends_none(word: str, code: str) -> None:
    with pytest.raises(Failure) as failed:
        ending(word, called=False)
    assert failed.value.code.name == code


def test_an_event_may_say_little_and_an_answer_may_not() -> None:
    assert decode(b'{"type":"debug","prompt":"x"}').type == "debug"
    with pytest.raises(ValueError, match="message"):
        decode_whole(b"{}")
