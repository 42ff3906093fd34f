"""How each family is told to think."""

from typing import Any

import pytest

from tidegate.core.conversation import (
    Conversation,
    Effort,
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
from tidegate.core.outcome import Refusal
from tidegate.providers._bedrock_models import traits_of
from tidegate.providers._bedrock_thinking import Limits, think

OLD = "anthropic.claude-3-5-sonnet-20240620-v1:0"
BUDGETS = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ADAPTIVE = "global.anthropic.claude-opus-4-6-v1"
NOVA = "us.amazon.nova-2-lite-v1:0"
OSS = "openai.gpt-oss-20b-1:0"
GPT = "us.openai.gpt-5.6-terra"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
ASKED = [Turn("user", (Text("hi"),))]


def told(
    model: str, wanted: Thinking, ceiling: int | None = None, turns: list[Turn] = ASKED
) -> tuple[dict[str, Any], Effort | None, list[str]]:
    said = Conversation(turns, thinking=wanted)
    losses, fields = Losses(said, "bedrock", drop=True), {}
    effort = think(said, fields, losses, Limits(traits_of(model), ceiling))
    return fields, effort, losses.names


def test_an_effort_in_the_words_of_each_family() -> None:
    wanted = Thinking(effort="minimal")
    budget = {"type": "enabled", "budget_tokens": 1024}
    assert told(BUDGETS, wanted) == ({"thinking": budget}, None, [])
    assert told(ADAPTIVE, wanted) == ({"thinking": {"type": "adaptive"}}, "low", [])
    nova = {"type": "enabled", "maxReasoningEffort": "low"}
    assert told(NOVA, wanted) == ({"reasoningConfig": nova}, None, [])
    assert told(OSS, wanted) == ({"reasoning_effort": "low"}, None, [])
    assert told(GPT, wanted) == ({"reasoning": {"effort": "low"}}, None, [])
    assert told(ARN, wanted) == ({}, "low", [])
    assert told(OLD, wanted) == ({}, None, ["thinking"])


def test_more_than_a_family_has_is_its_most() -> None:
    wanted = Thinking(effort="max")
    assert told(BUDGETS, wanted)[0]["thinking"]["budget_tokens"] == 32_000
    assert told(ADAPTIVE, wanted)[1] == "max"
    assert told(NOVA, wanted)[0]["reasoningConfig"]["maxReasoningEffort"] == "high"
    assert told(OSS, wanted)[0] == {"reasoning_effort": "high"}
    assert told(GPT, wanted)[0] == {"reasoning": {"effort": "max"}}


def test_no_thinking_is_said_where_there_would_be_some() -> None:
    off = Thinking(False)
    assert told(BUDGETS, off) == ({"thinking": {"type": "disabled"}}, None, [])
    assert told(ADAPTIVE, off) == ({"thinking": {"type": "disabled"}}, None, [])
    assert told(NOVA, off) == ({"reasoningConfig": {"type": "disabled"}}, None, [])
    assert told(GPT, off) == ({"reasoning": {"effort": "none"}}, None, [])
    assert told(OSS, off) == ({}, None, ["thinking"])
    for model in (OLD, ARN):
        assert told(model, off) == ({}, None, [])


def test_an_effort_alone_is_no_wish_to_think() -> None:
    wanted = Thinking(None, "low")
    assert told(ADAPTIVE, wanted) == ({}, "low", [])
    assert told(ADAPTIVE, Thinking(False, "low")) == ({"thinking": {"type": "disabled"}}, "low", [])
    assert told(BUDGETS, wanted) == ({}, None, ["effort"])
    assert told(OSS, wanted) == ({"reasoning_effort": "low"}, None, [])
    assert told(GPT, wanted) == ({"reasoning": {"effort": "low"}}, None, [])
    assert told(ARN, wanted) == ({}, "low", [])


def test_thinking_that_the_model_measures_itself() -> None:
    wanted = Thinking()
    assert told(ADAPTIVE, wanted) == ({"thinking": {"type": "adaptive"}}, None, [])
    assert told(BUDGETS, wanted)[0]["thinking"]["budget_tokens"] == 4096
    assert told(NOVA, wanted)[0]["reasoningConfig"]["maxReasoningEffort"] == "medium"
    for model in (GPT, ARN):
        assert told(model, wanted) == ({}, None, [])


def test_a_budget_is_the_callers_and_less_than_the_answer_may_have() -> None:
    wanted = Thinking(budget_tokens=5000)
    assert told(ADAPTIVE, wanted)[0]["thinking"] == {"type": "enabled", "budget_tokens": 5000}
    assert told(BUDGETS, wanted, 4000)[0]["thinking"]["budget_tokens"] == 3999
    # An effort's own budget leaves half for the answer.
    assert told(BUDGETS, Thinking(effort="high"), 8000)[0]["thinking"]["budget_tokens"] == 4000
    assert told(BUDGETS, Thinking(effort="high"), 1025)[0]["thinking"]["budget_tokens"] == 1024
    assert told(BUDGETS, Thinking(effort="high"), 1024) == ({}, None, ["thinking"])
    assert told(BUDGETS, Thinking(effort="low", shown=False))[0]["thinking"]["display"] == "omitted"


@pytest.mark.parametrize("model", [NOVA, OSS, GPT, ARN, OLD])
def test_a_budget_that_nobody_keeps_is_refused_under_either_rule(model: str) -> None:
    with pytest.raises(Refusal) as no:
        told(model, Thinking(budget_tokens=5000))
    assert no.value.param == "budget_tokens"


def test_an_effort_beside_a_budget() -> None:
    both = Thinking(True, "low", 5000)
    enabled = {"type": "enabled", "budget_tokens": 5000}
    assert told(ADAPTIVE, both) == ({"thinking": enabled}, "low", [])
    assert told(BUDGETS, both) == ({"thinking": enabled}, None, ["effort"])


def test_after_a_call_without_its_reasoning_it_does_not_think() -> None:
    call, result = ToolCall("c", "t", "{}"), Turn("user", (ToolResult("c"),))
    thought = Reasoning("hm", "sig", None, "anthropic")
    without = [*ASKED, Turn("assistant", (call,)), result]
    assert told(BUDGETS, Thinking(effort="low"), turns=without) == ({}, None, ["thinking"])
    assert told(ADAPTIVE, Thinking(effort="low"), turns=without)[1:] == ("low", [])
    kept = [*ASKED, Turn("assistant", (thought, call)), result]
    assert told(BUDGETS, Thinking(effort="low"), turns=kept)[2] == []
    assert told(GPT, Thinking(effort="low"), turns=without)[0] == {"reasoning": {"effort": "low"}}


def test_a_later_model_takes_its_budget_as_an_effort() -> None:
    later = "anthropic.claude-opus-4-7"
    assert told(later, Thinking(budget_tokens=5000)) == (
        {"thinking": {"type": "adaptive"}},
        "medium",
        [],
    )
    assert told("us.anthropic.claude-fable-5", Thinking(False)) == ({}, None, ["thinking"])


@pytest.mark.parametrize("model", [BUDGETS, ADAPTIVE])
def test_who_must_call_a_tool_may_not_think(model: str) -> None:
    said = Conversation(ASKED, tools=[Tool("t")], tool_choice=ToolChoice("any"))
    said.thinking = Thinking(effort="low")
    with pytest.raises(Refusal) as no:
        think(said, {}, Losses(said, "bedrock", drop=False), Limits(traits_of(model), None))
    assert no.value.param == "thinking"
    fields: dict[str, Any] = {}
    losses = Losses(said, "bedrock", drop=True)
    assert think(said, fields, losses, Limits(traits_of(model), None)) is None
    assert (fields, losses.names) == ({}, ["thinking"])
