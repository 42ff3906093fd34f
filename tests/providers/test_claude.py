"""What Claude asks of a conversation: where instructions stand, and how much it may think."""

import pytest

from tidegate.core.conversation import (
    Conversation,
    Reasoning,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from tidegate.providers._claude import budget_tokens, lacks_thoughts, placed

FIRST, LATER = Text("first"), Text("later")
ASKED = Turn("user", (Text("hi"),))
CALLED = ToolCall("c", "t", "{}")
RESULT = Turn("user", (ToolResult("c"),))


def test_an_instruction_in_the_middle_stands_where_the_model_takes_it() -> None:
    said = Conversation([ASKED, Turn("system", (LATER,)), ASKED], instructions=[FIRST])
    assert placed(said, takes_system_turns=True) == ([FIRST], said.turns)
    assert placed(said, takes_system_turns=False) == ([FIRST, LATER], [ASKED, ASKED])


@pytest.mark.parametrize(
    ("thought", "lacks"),
    [
        ((), True),
        ((Reasoning("x", "s", None, "gemini"),), True),
        ((Reasoning("x", "s", None, "anthropic"),), False),
    ],
)
def test_after_a_call_it_wants_its_own_reasoning_back(
    thought: tuple[Reasoning, ...], lacks: bool
) -> None:
    turns = [ASKED, Turn("assistant", (*thought, CALLED)), RESULT]
    assert lacks_thoughts(Conversation(turns)) == lacks
    assert not lacks_thoughts(Conversation(turns[:2]))
    assert not lacks_thoughts(Conversation([]))


@pytest.mark.parametrize(
    ("wanted", "ceiling_tokens", "tokens"),
    [
        (Thinking(), None, 4096),
        (Thinking(effort="max"), None, 32_000),
        (Thinking(effort="high"), 8000, 4000),
        (Thinking(effort="low"), 1500, 1024),
        (Thinking(budget_tokens=9000), 4000, 3999),
        (Thinking(budget_tokens=9000), None, 9000),
    ],
)
def test_a_budget_leaves_room_for_the_answer(
    wanted: Thinking, ceiling_tokens: int | None, tokens: int
) -> None:
    assert budget_tokens(wanted, ceiling_tokens) == tokens
