"""What differs by provider in a request of OpenAI's chat shape."""

import msgspec
import pytest
from tests.dialects.grammar import ask_of, target
from tests.providers.openai_asked import SCHEMA, USER, write

from tidegate.core import plugs
from tidegate.core.conversation import (
    Conversation,
    Output,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
)
from tidegate.core.outcome import Refusal


@pytest.mark.parametrize(("tier", "sent"), [("auto", "auto"), ("standard_only", "default")])
def test_service_tiers(tier: str, sent: str) -> None:
    assert write(Conversation([USER], service_tier=tier))[0]["service_tier"] == sent


@pytest.mark.parametrize(
    ("name", "reasoning", "ceiling", "options"),
    [
        ("openai", None, "max_completion_tokens", {"include_usage": True}),
        ("openai_compatible", None, "max_tokens", {"include_usage": True}),
        (
            "vllm",
            "reasoning",
            "max_tokens",
            {"include_usage": True, "continuous_usage_stats": True},
        ),
        ("llama_cpp", "reasoning_content", "max_tokens", {"include_usage": True}),
        (
            "sglang",
            "reasoning_content",
            "max_tokens",
            {"include_usage": True, "continuous_usage_stats": True},
        ),
        ("groq", "reasoning", "max_completion_tokens", {"include_usage": True}),
        ("deepseek", "reasoning_content", "max_tokens", {"include_usage": True}),
        ("xai", "reasoning_content", "max_completion_tokens", {"include_usage": True}),
    ],
)
def test_each_providers_manners(
    name: str, reasoning: str | None, ceiling: str, options: dict[str, bool]
) -> None:
    thought = Turn("assistant", (Reasoning("hm"), Text("a")))
    said = Conversation([USER, thought, USER], ceiling_tokens=50)
    ask = ask_of({"messages": []}, "anthropic_messages", stream=True)
    sent = plugs.load("providers", name).encode_conversation(said, ask, target(), False)
    body = msgspec.json.decode(sent.body)
    assert sent.path == b"/chat/completions"
    assert (body["model"], body["stream"], body[ceiling]) == ("their-model", True, 50)
    assert body["stream_options"] == options
    assert body["messages"][1].get(reasoning) == (reasoning and "hm")
    assert sent.dropped == (() if reasoning else ("reasoning",))


def test_openais_models_that_do_not_think_are_not_told_to() -> None:
    said = Conversation([USER], thinking=Thinking(True, "high"))
    ask, provider = ask_of({"messages": []}), plugs.load("providers", "openai")
    sent = provider.encode_conversation(said, ask, target(), False)
    assert (b"reasoning_effort" in sent.body, sent.dropped) == (False, ("thinking",))
    thinks = msgspec.structs.replace(target(), hides_reasoning=True)
    sent = provider.encode_conversation(said, ask, thinks, False)
    assert (b'"reasoning_effort":"high"' in sent.body, sent.dropped) == (True, ())


@pytest.mark.parametrize(
    ("name", "thinking", "members", "left_out"),
    [
        ("deepseek", Thinking(True, "high"), {"thinking", "reasoning_effort"}, ()),
        ("deepseek", Thinking(False), {"thinking"}, ()),
        ("zai", Thinking(True), {"thinking"}, ()),
        ("zai", Thinking(True, "high"), {"thinking"}, ("effort",)),
        ("dashscope", Thinking(True, None, 500), {"enable_thinking", "thinking_budget"}, ()),
        ("dashscope", Thinking(False), {"enable_thinking"}, ()),
        ("dashscope", Thinking(None, "low"), set(), ("effort",)),
        ("groq", Thinking(False), set(), ("thinking",)),
    ],
)
def test_whether_to_think_at_all(
    name: str, thinking: Thinking, members: set[str], left_out: tuple[str, ...]
) -> None:
    said = Conversation([USER], thinking=thinking)
    provider = plugs.load("providers", name)
    sent = provider.encode_conversation(said, ask_of({"messages": []}), target(), False)
    body = msgspec.json.decode(sent.body)
    assert body.keys() - {"model", "messages"} == members and sent.dropped == left_out
    if "thinking" in members:
        wanted = "disabled" if thinking.enabled is False else "enabled"
        assert body["thinking"] == {"type": wanted}
    if "enable_thinking" in members:
        assert body["enable_thinking"] == thinking.enabled


@pytest.mark.parametrize(
    ("said", "name", "member"),
    [
        (Conversation([USER], output=Output(SCHEMA)), "deepseek", "output"),
        (
            Conversation([USER], tools=[Tool("f")], tool_choice=ToolChoice("any")),
            "moonshot",
            "tool_choice",
        ),
        (
            Conversation([USER], tools=[Tool("f")], tool_choice=ToolChoice("named", "f")),
            "ollama",
            "tool_choice",
        ),
    ],
)
def test_what_a_provider_cannot_do_is_refused_by_name(
    said: Conversation, name: str, member: str
) -> None:
    provider = plugs.load("providers", name)
    with pytest.raises(Refusal) as no:
        provider.encode_conversation(said, ask_of({"messages": []}), target(), False)
    assert no.value.param == member
    sent = provider.encode_conversation(said, ask_of({"messages": []}), target(), True)
    assert sent.dropped == (member,)
    assert b'"tool_choice"' not in sent.body and b'"response_format"' not in sent.body
