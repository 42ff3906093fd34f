"""How a user went on from an answer is read off what a later request carries."""

from typing import Any

import msgspec
import pytest

from tidegate.text.next_turn import NextTurn, Spoken, last_question, next_turn, spoken

ANSWER = "It is Canberra."
Q = "What is the capital of Australia?"


def talk(*said: str) -> list[Spoken]:
    """In turns, the user's first."""
    return [Spoken("answer" if n % 2 else "user", it) for n, it in enumerate(said)]


TOOL = Spoken("tool", "{}")
HI = ("hi", "hello")


@pytest.mark.parametrize(
    ("asked", "later", "found"),
    [
        (talk(Q), talk(Q, ANSWER, "and now?"), NextTurn("said", "and now?")),
        (talk(Q), talk(Q, ANSWER, "and now?", "a", "then?"), NextTurn("said", "and now?")),
        (talk(Q), talk(Q, "as it was shown", "and?"), NextTurn("said", "and?")),
        (talk(Q), [*talk(Q), Spoken("user", "and?")], NextTurn("said", "and?")),
        (talk(Q), talk(Q), NextTurn("again")),
        (talk(*HI, Q), talk(*HI, Q), NextTurn("again")),
        (talk(*HI, Q), talk(*HI, Q + " Now"), NextTurn("edited", Q + " Now")),
        (talk(*HI, Q), talk(*HI), None),
        (talk(Q), [*talk(Q, ANSWER), TOOL], None),
        ([*talk(Q), TOOL], talk(Q), NextTurn("again")),
        ([*talk(Q), TOOL], [*talk(Q), TOOL], NextTurn("again")),
        ([*talk(Q), TOOL], [*talk(Q), TOOL, TOOL], None),
        ([*talk(Q), TOOL], [*talk(Q), TOOL, *talk(Q, ANSWER, "x")[1:]], NextTurn("said", "x")),
        (talk(*HI, Q), talk(Q, ANSWER, "and?"), NextTurn("said", "and?")),
        (talk(*HI, Q), talk(Q, "another answer", "and?"), None),
        (talk(Q), talk("something else"), NextTurn("alone", "something else")),
        (talk(Q), talk("a", "b", "c"), None),
        (talk(Q), [], None),
        ([TOOL], talk(Q), None),
    ],
)
def test_it_is_found_where_it_is_known_who_talks(
    asked: list[Spoken], later: list[Spoken], found: NextTurn | None
) -> None:
    assert next_turn(asked, ANSWER, later, is_known=True) == found


@pytest.mark.parametrize(
    ("asked", "later", "found"),
    [
        (talk(Q), talk(Q, ANSWER, "and now?"), NextTurn("said", "and now?")),
        (talk(Q), talk(Q, "  It is\nCanberra. ", "so?"), NextTurn("said", "so?")),
        (talk(Q), talk(Q, "another answer", "and?"), NextTurn("perhaps")),
        (talk(Q), talk(Q), NextTurn("perhaps")),
        (talk(*HI, Q), talk(*HI, Q), NextTurn("again")),
        (talk(Q), talk("something else"), None),
    ],
)
def test_two_who_begin_alike_are_not_taken_for_one(
    asked: list[Spoken], later: list[Spoken], found: NextTurn | None
) -> None:
    assert next_turn(asked, ANSWER, later, is_known=False) == found


def test_an_answer_is_known_by_its_beginning_where_no_more_is_kept() -> None:
    kept = "word " * 100
    later = talk(Q, kept + "and the rest", "so?")
    assert next_turn(talk(Q), kept, later, is_known=False) == NextTurn("said", "so?")
    assert next_turn(talk(Q), "word", later, is_known=False) == NextTurn("perhaps")


@pytest.mark.parametrize(
    "wire",
    [
        [
            {"role": "system", "content": "be calm"},
            {"role": "developer", "content": "be calm"},
            {"role": "user", "content": " hi "},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]},
            {"role": "tool", "tool_call_id": "a", "content": "4 m"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": [{"type": "text", "text": "so?"}, {"type": "image_url"}]},
        ],
        [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a"}]},
            {"role": "user", "content": [{"type": "tool_result"}, {"type": "text", "text": "!"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "hello"}]},
            {"role": "user", "content": "so?"},
        ],
        [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "output": "4 m"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "hello"}]},
            {"role": "user", "content": "so?"},
        ],
    ],
    ids=["chat", "messages", "responses"],
)
def test_every_wire_is_read_alike(wire: list[dict[str, Any]]) -> None:
    told = spoken(msgspec.json.encode(wire).decode())
    assert told is not None
    assert [it.part for it in told] == ["user", "tool", "tool", "answer", "user"]
    assert [it.text for it in told if it.part != "tool"] == ["hi", "hello", "so?"]
    assert last_question(told) == 4


@pytest.mark.parametrize("messages", ["", "{}", "[", "[" * 100_000, "null"])
def test_what_is_no_conversation_is_told(messages: str) -> None:
    assert spoken(messages) is None
    assert spoken('[1, null, "x"]') == []
