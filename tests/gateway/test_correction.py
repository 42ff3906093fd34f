"""A request that is sent once more, with what was wrong with its answer."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw
from tests.gateway.test_contract import SCHEMA, TOOL

from tidegate.core import plugs
from tidegate.core.ask import Ask
from tidegate.core.plan import Contract
from tidegate.gateway.contract import Following, PreparedContract
from tidegate.gateway.correction import MAX_SCHEMA_CHARS, MAX_SHOWN_CHARS, corrected

CHAT = plugs.load("dialects", "openai_chat")
MEMBERS = {
    "model": Raw(b'"m"'),
    "messages": Raw(b'[{"role":"user","content":"hi"}]'),
    "tools": Raw(msgspec.json.encode([TOOL])),
    "temperature": Raw(b"0.10"),
}


def again(feed: Any, *, truncated: bool = False, **fields: Any) -> tuple[Ask, str, str]:
    """(the request, what the model is said to have said, what it is told)."""
    ask = Ask("chat", msgspec.json.encode(MEMBERS), MEMBERS, "m")
    following = PreparedContract(Contract(on_violation="retry", **fields)).follow(ask)
    called = feed(following)
    following.end(truncated=truncated, called=bool(called), ended_twice=False)
    new = corrected(ask, CHAT, following)
    assert msgspec.json.decode(new.body) == msgspec.json.decode(msgspec.json.encode(new.members))
    assert ask.members is MEMBERS and bytes(MEMBERS["messages"]).endswith(b'"hi"}]')
    turns = msgspec.json.decode(new.body)["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    return new, turns[1]["content"], turns[2]["content"]


def saying(*texts: str) -> Any:
    def feed(following: Following) -> None:
        for text in texts:
            following.content(0, text)

    return feed


def calling(name: str, arguments: str) -> Any:
    def feed(following: Following) -> bool:
        following.called(0, 0, name, arguments)
        return True

    return feed


def test_the_answer_and_what_is_wrong_with_it_are_shown():
    new, said, told = again(saying('{"n": ', '"4"}'), json_schema=SCHEMA)
    assert said == '{"n": "4"}'
    assert "the rule `type` at /n" in told and SCHEMA in told
    assert bytes(new.members["temperature"]) == b"0.10", "nothing else is changed"
    assert new.body.startswith(b'{"model":"m","messages":[{"role":"user","content":"hi"},')


@pytest.mark.parametrize(
    ("feed", "fields", "what"),
    [
        (saying("Sure! {}"), {"json": True}, "not valid JSON from byte 0 on"),
        (saying(), {"json": True}, "it was empty"),
        (saying("abc"), {"regex": "^[0-9]+$"}, "the rule `pattern`. It must match"),
        (saying("abc"), {"max_chars": 2}, "rule `maxLength`. It must be no longer than 2 char"),
        (calling("sub", "{}"), {"tools": True}, "rule `enum` at /tool_calls/0/name"),
        (calling("add", "{]"), {"tools": True}, "at /tool_calls/0/arguments from byte 1 on"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(feed, fields, what):
    _, said, told = again(feed, **fields)
    assert what in told
    assert said.strip(), "some wires take no empty turn"


def test_a_cut_answer_is_asked_to_be_shorter():
    _, _, told = again(saying('{"n"'), truncated=True, json=True)
    assert "a shorter one is wanted" in told


def test_a_call_is_shown_as_text():
    _, said, told = again(calling("add", '{"a": "x"}'), tools=True)
    assert said == 'add({"a": "x"})'
    assert "with arguments that fit their schemas" in told


def test_only_the_choice_that_broke_it_is_shown():
    def feed(following: Following) -> None:
        following.content(0, "{}")
        following.content(1, "two")

    assert again(feed, json=True)[1] == "two"


def test_what_is_shown_is_bounded():
    long = '"' + "a" * 50_000 + "\x01"
    _, said, _ = again(saying(long), json=True)
    assert len(said) < MAX_SHOWN_CHARS + 20
    assert said.startswith('"aaa') and "\n[...]\n" in said and said.endswith("a\x01")
    wide = msgspec.json.encode({"description": "x" * MAX_SCHEMA_CHARS, "type": "null"}).decode()
    _, _, told = again(saying("[]"), json_schema=wide)
    assert len(told) < 500
