import pytest
from tests.dialects.grammar import ask_of

from tidegate.core.ask import Ask
from tidegate.text.rounds import rounds

CALL = b'{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}'
OLD = b'{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}'
TOOL = b'{"role":"tool","content":"42","tool_call_id":"1"}'
USER = b'{"role":"user","content":"go on"}'
PLAIN = b'{"role":"assistant","content":"done","tool_calls":[]}'
USE = b'{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]}'
RESULT = b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]}'
SAID = b'{"role":"user","content":[{"type":"text","text":"a \\"tool_result\\" is what?"}]}'
NONE = b'{"role":"assistant","content":"done","tool_calls":null}'
FUNCTION = b'{"type":"function_call","call_id":"1"}'
OUTPUT = b'{"type":"function_call_output","call_id":"1"}'
THOUGHT = b'{"type":"reasoning","summary":[]}'
SYSTEM = b'{"role":"system","content":"x"}'


def of(turns: bytes, dialect: str, **more: int) -> int:
    name = "input" if dialect == "openai_responses" else "messages"
    return rounds(ask_of(b'{"%b":%b}' % (name.encode(), turns), dialect, **more))


@pytest.mark.parametrize(
    ("messages", "depth"),
    [
        ([], 0),
        ([USER], 0),
        ([USER, CALL, TOOL], 1),
        ([USER, CALL, TOOL, CALL, TOOL, TOOL], 2),
        ([USER, CALL, TOOL, PLAIN, USER], 0),
        ([USER, CALL, TOOL, PLAIN, NONE, CALL], 2),
        ([CALL, CALL], 2),
        ([USER, OLD, OLD, CALL], 3),
        ([USER, USE, RESULT, USE, RESULT], 2),
        ([USER, USE, RESULT, SAID], 0),
    ],
)
def test_since_the_user_spoke(messages: list[bytes], depth: int) -> None:
    assert of(b"[" + b",".join(messages) + b"]", "openai_chat", rounds_before=7) == depth


@pytest.mark.parametrize(
    ("items", "depth"),
    [
        ([USER], 0),
        ([USER, FUNCTION, OUTPUT], 1),
        ([USER, THOUGHT, FUNCTION, FUNCTION, OUTPUT, OUTPUT], 1),
        ([USER, FUNCTION, OUTPUT, THOUGHT, FUNCTION, OUTPUT], 2),
        ([USER, FUNCTION, OUTPUT, PLAIN, FUNCTION, SYSTEM], 2),
        ([USER, FUNCTION, OUTPUT, USER], 0),
        ([OUTPUT], 4),
        ([SYSTEM, OUTPUT, OUTPUT, THOUGHT, FUNCTION, OUTPUT], 5),
        ([FUNCTION, OUTPUT], 4),
        ([], 3),
    ],
)
def test_in_responses_with_those_that_are_kept_elsewhere(items: list[bytes], depth: int) -> None:
    assert of(b"[" + b",".join(items) + b"]", "openai_responses", rounds_before=3) == depth


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses"])
@pytest.mark.parametrize("turns", [b"[1]", b'[{"role":5}]', b"[" * 900 + b"]" * 900, b"{}", b'"x"'])
def test_what_is_no_conversation_has_none(turns: bytes, dialect: str) -> None:
    assert of(turns, dialect, rounds_before=3) == 0


def test_other_endpoints_have_none() -> None:
    assert rounds(Ask("completions", b"", {}, "m")) == 0
    assert rounds(Ask("chat", b"", {}, "m")) == 0
