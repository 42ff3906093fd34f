"""What a choice of OpenAI's chat wire says of its end, and how a call's arguments are read."""

from typing import Any

import pytest

from tidegate.core.outcome import Failure
from tidegate.providers._openai_wire import REASONS, WireChoice, decode_chunk, ending, text_of


@pytest.mark.parametrize("word", REASONS)
def test_every_known_end_has_its_reason(word: str) -> None:
    assert ending(WireChoice(finish_reason=word), called=False) == (REASONS[word], None)


@pytest.mark.parametrize("word", ["", "NEW_WORD", None])
def test_why_an_answer_ended_is_not_guessed(word: str | None) -> None:
    with pytest.raises(Failure):
        ending(WireChoice(finish_reason=word), called=False)


def test_a_stop_names_its_sequence_or_the_call_that_was_forced() -> None:
    stopped = WireChoice(finish_reason="stop", stop_reason="END")
    assert ending(stopped, called=True) == ("stop_sequence", "END")
    assert ending(WireChoice(finish_reason="stop", stop_reason=7), called=False) == ("stop", None)
    assert ending(WireChoice(finish_reason="stop"), called=True) == ("tool_calls", None)
    assert ending(WireChoice(finish_reason="length"), called=True) == ("length", None)


@pytest.mark.parametrize(
    ("told", "text"), [('{"n":1}', '{"n":1}'), ({"n": 1}, '{"n":1}'), (None, ""), ("", "")]
)
def test_arguments_are_text_also_where_an_engine_writes_the_object(told: Any, text: str) -> None:
    assert text_of(told) == text


def test_what_the_middle_has_no_word_for_is_not_read() -> None:
    chunk = decode_chunk(b'{"id":"a","new":[1],"choices":[{"delta":{"content":"x","odd":{}}}]}')
    (choice,) = chunk.choices
    assert choice.delta is not None
    assert (chunk.id, choice.index, choice.delta.content) == ("a", 0, "x")
