"""Conversations made smaller in each caller's own wire."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tidegate.core.ladder import History
from tidegate.dialects import anthropic_messages, openai_chat, openai_responses
from tidegate.text.history import LEFT_OUT

LAST = History(keep_last=1)
NO_RESULTS = History(drops_tool_results=True)


def trimmed(module, turns, rule):
    return msgspec.json.decode(module.plug.trimmed(Raw(msgspec.json.encode(turns)), rule))


def user(text):
    return {"role": "user", "content": text}


CHAT = [
    {"role": "system", "content": "Be kind."},
    user("one"),
    {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "type": "function"}]},
    {"role": "tool", "tool_call_id": "a", "content": "long"},
    {"role": "assistant", "content": "one  \n\n\n\nof two"},
    user("two"),
]
MESSAGES = [
    user("one"),
    {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "long"},
            {"type": "text", "text": "and  \nthen"},
        ],
    },
    {"role": "assistant", "content": "one"},
    user("two"),
]
RESPONSES = [
    user("one"),
    {"type": "reasoning", "id": "r", "summary": []},
    {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": "long"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "one"}]},
    user("two"),
]
ALL = [(openai_chat, CHAT), (anthropic_messages, MESSAGES), (openai_responses, RESPONSES)]
EACH = pytest.mark.parametrize(("module", "turns"), ALL, ids=["chat", "messages", "responses"])


@EACH
def test_the_last_turn_and_the_system_stay(module, turns):
    wanted = [it for it in turns if it.get("role") == "system"] + [user("two")]
    assert trimmed(module, turns, LAST) == wanted


@EACH
def test_what_stays_stays_the_bytes_that_came(module, turns):
    raw = Raw(msgspec.json.encode(turns))
    assert bytes(module.plug.trimmed(raw, History(keep_last=5))) == bytes(raw)


@EACH
def test_what_a_tool_has_said_goes_and_its_place_stays(module, turns):
    found = trimmed(module, turns, NO_RESULTS)
    assert len(found) == len(turns)
    text = msgspec.json.encode(found)
    assert b'"long"' not in text
    assert LEFT_OUT.encode() in text
    # While the model has not answered to it, it stays.
    until = turns[
        : turns.index(next(it for it in turns if b'"long"' in msgspec.json.encode(it))) + 1
    ]
    assert trimmed(module, until, NO_RESULTS) == until


def test_a_tools_result_is_no_turn_of_the_users():
    assert trimmed(anthropic_messages, MESSAGES[:3], LAST) == MESSAGES[:3]


def test_white_space():
    found = trimmed(openai_chat, CHAT, History(squeezes=True))
    assert found[4]["content"] == "one\n\nof two"
    found = trimmed(anthropic_messages, MESSAGES, History(squeezes=True))
    assert found[2]["content"][1]["text"] == "and\nthen"


@pytest.mark.parametrize("content", [b'"hello"', b"null", b"[1]", b'{"a": 1}', b"[", b'["\xff"]'])
def test_what_is_no_conversation_is_for_its_target_to_judge(content):
    for module, _ in ALL:
        assert bytes(module.plug.trimmed(Raw(content), LAST)) == content


def test_a_screenshot_is_no_text():
    turns = [
        user("look"),
        {"type": "computer_call", "call_id": "a"},
        {"type": "computer_call_output", "call_id": "a", "output": {"image_url": "x"}},
        {"type": "message", "role": "assistant", "content": []},
    ]
    assert trimmed(openai_responses, turns, NO_RESULTS) == turns


json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "call_id", "tool_calls", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(json, max_size=6))
def test_whatever_callers_write_nothing_breaks(turns):
    rule = History(keep_last=1, max_tokens=4, drops_tool_results=True, squeezes=True)
    for module, _ in ALL:
        trimmed(module, turns, rule)
