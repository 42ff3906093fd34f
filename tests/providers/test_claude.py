"""What Claude asks of a conversation: where instructions stand, and how much it may think."""

import pytest

from tidegate.core.conversation import (
    Conversation,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.providers._anthropic_models import Samples
from tidegate.providers._claude import (
    Sampling,
    budget_tokens,
    lacks_thoughts,
    must_call,
    placed,
    sampling,
    stops,
)

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


def test_of_several_calls_the_first_has_been_thought_about() -> None:
    thought = Reasoning("x", "s", None, "anthropic")
    first, again = Turn("assistant", (thought, CALLED)), Turn("assistant", (CALLED,))
    assert not lacks_thoughts(Conversation([ASKED, first, RESULT, again, RESULT]))
    assert lacks_thoughts(Conversation([ASKED, first, RESULT, ASKED, again, RESULT]))


def test_a_call_that_must_be_made() -> None:
    def forced(mode: str | None, *tools: Tool) -> bool:
        choice = None if mode is None else ToolChoice(mode)  # type: ignore[arg-type]
        return must_call(Conversation([ASKED], tools=list(tools), tool_choice=choice))

    assert forced("any", Tool("t")) and forced("named", Tool("t"))
    assert not (forced("any") or forced("auto", Tool("t")) or forced(None, Tool("t")))


@pytest.mark.parametrize(
    ("how", "thinks", "asked", "told", "lost"),
    [
        ("freely", True, (0.5, 0.5, 5), (0.5, 0.5, 5), []),
        ("freely", False, (1.5, 1.0, None), (None, 1.0, None), ["temperature"]),
        ("claude", False, (0.5, 0.5, 5), (0.5, 0.5, 5), []),
        ("claude", True, (0.5, 0.5, 5), (None, None, None), ["temperature", "top_k", "top_p"]),
        ("claude", True, (1.0, 0.95, None), (None, 0.95, None), []),
        ("one", False, (0.5, 0.5, 5), (0.5, None, 5), ["top_p"]),
        ("one", False, (0.5, 1.0, None), (0.5, None, None), []),
        ("one", False, (None, 0.5, None), (None, 0.5, None), []),
        ("never", False, (0.5, 0.99, 5), (None, None, None), ["temperature", "top_k", "top_p"]),
        ("never", True, (1.0, 1.0, None), (None, None, None), []),
        ("never", False, (None, None, None), (None, None, None), []),
    ],
)
def test_how_a_model_may_be_told_to_sample(
    how: Samples,
    thinks: bool,
    asked: tuple[float | None, float | None, int | None],
    told: tuple[float | None, float | None, int | None],
    lost: list[str],
) -> None:
    said = Conversation([ASKED], temperature=asked[0], top_p=asked[1], top_k=asked[2])
    losses = Losses(said, "anthropic", drop=True)
    assert sampling(said, how, losses, thinks=thinks) == Sampling(*told)
    assert losses.names == lost


def test_a_stop_must_be_seen() -> None:
    losses = Losses(Conversation([]), "anthropic", drop=True)
    assert (stops(["a", ""], losses), losses.names) == (["a"], [])
    assert (stops(["\n", "a "], losses), losses.names) == (["a "], ["stop"])


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
