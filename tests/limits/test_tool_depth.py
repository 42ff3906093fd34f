import pytest
from tests.limits.asks import demand, limit

from tidegate.core.outcome import Refusal
from tidegate.limits.tool_depth import plug, rounds

CALL = b'{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}'
OLD = b'{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}'
TOOL = b'{"role":"tool","content":"42","tool_call_id":"1"}'
USER = b'{"role":"user","content":"go on"}'
PLAIN = b'{"role":"assistant","content":"done","tool_calls":[]}'
USE = b'{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]}'
RESULT = b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]}'
SAID = b'{"role":"user","content":[{"type":"text","text":"a \\"tool_result\\" is what?"}]}'
NONE = b'{"role":"assistant","content":"done","tool_calls":null}'


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
def test_rounds_since_the_user_spoke(messages, depth):
    assert rounds(b"[" + b",".join(messages) + b"]") == depth


@pytest.mark.parametrize("messages", [b"[1]", b'[{"role":5}]', b"[" * 5000 + b"]" * 5000, b"{}"])
def test_what_is_no_conversation_has_no_rounds(messages):
    assert rounds(messages) == 0


def test_only_conversations_are_judged():
    calls = [{"role": "assistant", "tool_calls": [{}]}] * 2
    one = limit("tool_depth", 1)
    with pytest.raises(Refusal, match="2 rounds of tool calls"):
        plug.check(one, demand({"messages": calls}))
    plug.check(one, demand({"messages": calls}, "completions"))
    plug.check(one, demand({"prompt": "x"}, "completions"))
