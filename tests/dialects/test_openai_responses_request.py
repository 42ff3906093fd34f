"""Requests of OpenAI's Responses in the common middle."""

from typing import Any

import msgspec
import openai.types.responses.response_create_params as params
import pytest
from tests.dialects.grammar import ask_of

from tidegate.core.conversation import (
    HINTS,
    Conversation,
    Output,
    Text,
    Thinking,
    ToolChoice,
    Turn,
)
from tidegate.core.outcome import Refusal
from tidegate.dialects import _openai_responses_shapes as shapes
from tidegate.dialects._openai_responses_request import read

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "number"}}}
# OpenAI's members for which the middle has no word: they are refused, or left out, by name.
UNREAD = {
    *("access_programs", "context_management", "image", "max_tool_calls", "moderation"),
    *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "top_logprobs"),
}


def said(input: Any = "hi", **members: Any) -> Conversation:
    return read(ask_of({"model": "m", "input": input, **members}, "openai_responses"))


def refused(input: Any = "hi", **members: Any) -> tuple[str, str | None]:
    with pytest.raises(Refusal) as no:
        said(input, **members)
    return no.value.code.name, no.value.param


def test_every_member_of_openai_s_own_types_is_known_or_left_to_the_target() -> None:
    told = set(params.ResponseCreateParamsBase.__annotations__)
    assert told - set(shapes.Body.__struct_fields__) == UNREAD


def test_a_text_alone() -> None:
    told = said("how high?", instructions="be brief", store=False)
    assert told.instructions == [Text("be brief")]
    assert told.turns == [Turn("user", (Text("how high?"),))]
    assert told.unread == {}
    assert (told.tools, told.tool_choice, told.output, told.thinking) == ([], None, None, None)


def test_what_bounds_and_samples() -> None:
    body = {"model": "m", "input": "x", "temperature": 0.5, "top_p": 0.25, "service_tier": "flex"}
    ask = ask_of(body, "openai_responses", output_ceiling_tokens=7, stream=True)
    told = read(ask)
    assert (told.temperature, told.top_p, told.service_tier) == (0.5, 0.25, "flex")
    assert (told.ceiling_tokens, told.choices, told.stream) == (7, 1, True)


def test_tools_and_how_they_are_chosen() -> None:
    tool = {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA}
    bare = {"type": "function", "name": "g", "parameters": None, "strict": True}
    told = said(tools=[tool, bare], tool_choice="required", parallel_tool_calls=False)
    first, second = told.tools
    assert (first.name, first.description, first.strict) == ("f", "d", None)
    assert first.schema is not None and msgspec.json.decode(first.schema) == SCHEMA
    assert (second.schema, second.strict) == (None, True)
    assert (told.tool_choice, told.parallel_tools) == (ToolChoice("any"), False)
    assert said(tool_choice="none").tool_choice == ToolChoice("none")
    named = {"type": "function", "name": "f"}
    assert said(tool_choice=named).tool_choice == ToolChoice("named", "f")


def test_the_form_of_the_answer() -> None:
    told = said(text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}).output
    assert told is not None and told.schema is not None
    assert (told.name, told.strict) == ("a", None)
    assert msgspec.json.decode(told.schema) == SCHEMA
    assert said(text={"format": {"type": "json_object"}}).output == Output()
    assert said(text={"format": {"type": "text"}, "verbosity": "medium"}).output is None
    assert said(text={"verbosity": "low"}).unread.keys() == {"text.verbosity", "store"}


@pytest.mark.parametrize(
    ("reasoning", "thinking"),
    [
        ({}, None),
        ({"effort": None, "summary": None}, None),
        ({"effort": "none"}, Thinking(False)),
        ({"effort": "low"}, Thinking(True, "low")),
        ({"effort": "high", "summary": "auto"}, Thinking(True, "high", shown=True)),
        ({"generate_summary": "concise"}, Thinking(True, shown=True)),
    ],
)
def test_how_much_is_thought(reasoning: Any, thinking: Thinking | None) -> None:
    assert said(reasoning=reasoning).thinking == thinking


def test_whose_it_is() -> None:
    told = said(user="u", metadata={"a": "b"}, safety_identifier="s")
    assert (told.end_user, told.metadata) == ("u", {"a": "b"})
    assert said(safety_identifier="s").end_user == "s"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1"}),
        ("background", True),
    ],
)
def test_what_only_a_keeper_of_answers_can_do_is_refused(name: str, value: Any) -> None:
    assert refused(**{name: value}) == ("unsupported_parameter", name)
    assert said(**{name: None}).unread.keys() == {"store"}


def test_that_nothing_is_stored_is_a_hint_unless_it_was_asked_for() -> None:
    assert said().unread.keys() == said(store=True).unread.keys() == {"store"}
    assert "store" in HINTS
    assert said(store=False, background=False).unread == {}


def test_what_the_middle_has_no_word_for() -> None:
    told = said(
        truncation="auto",
        include=["message.output_text.logprobs"],
        tools=[{"type": "web_search"}, {"type": "function", "name": "f"}],
        max_tool_calls=3,
        store=False,
    )
    assert set(told.unread) == {"truncation", "include", "tools[0]", "max_tool_calls"}
    assert [tool.name for tool in told.tools] == ["f"]
    told = said(truncation="disabled", include=["reasoning.encrypted_content"], store=False)
    assert told.unread == {}


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": 5}, "input"),
        ({"input": [5]}, "input[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"temperature": "warm"}, "temperature"),
        ({"reasoning": {"effort": "some"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.name"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], param: str) -> None:
    assert refused(**members)[1] == param
