import pytest
from tests.limits.asks import demand, limit

from tidegate.core.outcome import Refusal
from tidegate.limits.tool_depth import plug


def test_only_conversations_are_judged():
    calls = [{"role": "assistant", "tool_calls": [{}]}] * 2
    one = limit("tool_depth", 1)
    with pytest.raises(Refusal, match="2 rounds of tool calls"):
        plug.check(one, demand({"messages": calls}))
    plug.check(one, demand({"messages": calls}, "completions"))
    plug.check(one, demand({"prompt": "x"}, "completions"))
