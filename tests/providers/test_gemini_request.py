"""A conversation as Gemini's body: each member in its place, and what has none named."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Output,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
)
from tidegate.core.losses import Losses
from tidegate.core.outcome import Refusal
from tidegate.providers._gemini_request import body_of

SCHEMA = Raw(b'{"type": "object", "properties": {"a": {"type": "number", "minimum": 1.50}}}')
STRICT = Tool("look", "Looks.", SCHEMA, strict=True)


def body(
    *, ceiling_tokens: int | None = None, model: str = "gemini-2.5-flash", **more: Any
) -> tuple[Any, list[str]]:
    """(the body, what is left out)."""
    drop = more.pop("drop", False)
    said = Conversation([Turn("user", (Text("a"),))], **more)
    losses = Losses(said, "gemini", drop=drop)
    written = msgspec.json.encode(body_of(said, ceiling_tokens, model, losses))
    return msgspec.json.decode(written), losses.names


def generation(**more: Any) -> Any:
    return body(**more)[0].get("generationConfig", {})


def test_nothing_is_sent_that_was_not_said() -> None:
    assert body() == ({"contents": [{"role": "user", "parts": [{"text": "a"}]}]}, [])


def test_what_is_said_of_the_sampling_has_its_place() -> None:
    assert generation(
        ceiling_tokens=50,
        temperature=0.0,
        top_p=0.5,
        top_k=7,
        presence_penalty=0.25,
        frequency_penalty=-1.0,
        stop=["END", ""],
        seed=0,
        choices=3,
    ) == {
        "maxOutputTokens": 50,
        "temperature": 0.0,
        "topP": 0.5,
        "topK": 7,
        "presencePenalty": 0.25,
        "frequencyPenalty": -1.0,
        "stopSequences": ["END"],
        "seed": 0,
        "candidateCount": 3,
    }


def test_instructions_stand_apart() -> None:
    told, _ = body(instructions=[Text("be kind")])
    assert told["systemInstruction"] == {"parts": [{"text": "be kind"}]}


def test_tools_keep_their_schemas_byte_for_byte() -> None:
    said = Conversation([], tools=[STRICT, Tool("time")])
    losses = Losses(said, "gemini", drop=False)
    written = msgspec.json.encode(body_of(said, None, "gemini-2.5-flash", losses))
    assert b'"parametersJsonSchema":' + bytes(SCHEMA) in written
    assert msgspec.json.decode(written)["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "look",
                    "description": "Looks.",
                    "parametersJsonSchema": msgspec.json.decode(SCHEMA),
                },
                {"name": "time"},
            ]
        }
    ]


@pytest.mark.parametrize(
    ("tool", "choice", "config"),
    [
        (Tool("look"), None, None),
        (Tool("look"), ToolChoice("auto"), {"mode": "AUTO"}),
        (Tool("look"), ToolChoice("none"), {"mode": "NONE"}),
        (Tool("look"), ToolChoice("any"), {"mode": "ANY"}),
        (
            Tool("look"),
            ToolChoice("named", "look"),
            {"mode": "ANY", "allowedFunctionNames": ["look"]},
        ),
        (STRICT, None, {"mode": "VALIDATED"}),
        (STRICT, ToolChoice("auto"), {"mode": "VALIDATED"}),
        (STRICT, ToolChoice("none"), {"mode": "NONE"}),
        (STRICT, ToolChoice("any"), {"mode": "ANY"}),
    ],
)
def test_which_tool_is_called(tool: Tool, choice: ToolChoice | None, config: Any) -> None:
    told, _ = body(tools=[tool], tool_choice=choice)
    expected = None if config is None else {"functionCallingConfig": config}
    assert told.get("toolConfig") == expected


def test_the_form_of_an_answer() -> None:
    json = {"responseMimeType": "application/json"}
    schema = msgspec.json.decode(SCHEMA)
    assert generation(output=Output()) == json
    assert generation(output=Output(SCHEMA, "n")) == {**json, "responseJsonSchema": schema}
    described = generation(output=Output(SCHEMA, "n", "an a"))["responseJsonSchema"]
    assert described == {**schema, "description": "an a"}
    own = Output(Raw(b'{"description":"own"}'), "n", "an a")
    assert generation(output=own)["responseJsonSchema"] == {"description": "own"}
    assert generation(output=Output(Raw(b"true"), "n", "an a"))["responseJsonSchema"] is True


@pytest.mark.parametrize(
    ("wanted", "model", "config"),
    [
        (Thinking(False), "gemini-2.5-flash", {"thinkingBudget": 0}),
        (
            Thinking(),
            "gemini-2.5-flash",
            {"includeThoughts": True, "thinkingBudget": -1},
        ),
        (Thinking(), "gemini-3-pro-preview", {"includeThoughts": True}),
        (
            Thinking(effort="low", shown=False),
            "models/gemini-2.5-pro",
            {"includeThoughts": False, "thinkingBudget": 1024},
        ),
        (
            Thinking(effort="max"),
            "gemini-2.5-pro",
            {"includeThoughts": True, "thinkingBudget": 24_576},
        ),
        (
            Thinking(effort="low"),
            "gemini-3-pro-preview",
            {"includeThoughts": True, "thinkingLevel": "LOW"},
        ),
        (
            Thinking(effort="max"),
            "gemini-3-flash-preview",
            {"includeThoughts": True, "thinkingLevel": "HIGH"},
        ),
        (
            Thinking(effort="max"),
            "gemini-3.8-flash",
            {"includeThoughts": True, "thinkingLevel": "XHIGH"},
        ),
        (
            Thinking(budget_tokens=512),
            "gemini-3-pro-preview",
            {"includeThoughts": True, "thinkingBudget": 512},
        ),
    ],
)
def test_how_much_is_thought(wanted: Thinking, model: str, config: Any) -> None:
    assert generation(thinking=wanted, model=model) == {"thinkingConfig": config}


@pytest.mark.parametrize(
    ("model", "config"),
    [
        ("gemini-2.5-pro", {"thinkingBudget": 128}),
        ("gemini-3-pro-preview", {"thinkingLevel": "LOW"}),
    ],
)
def test_who_cannot_but_think_does_so_as_little_as_it_can(model: str, config: Any) -> None:
    told, names = body(thinking=Thinking(False), model=model)
    assert (told["generationConfig"]["thinkingConfig"], names) == (config, ["thinking"])


def test_a_budget_goes_before_an_effort() -> None:
    both = Thinking(effort="high", budget_tokens=512)
    with pytest.raises(Refusal):
        body(thinking=both)
    told, names = body(thinking=both, drop=True)
    thinking = told["generationConfig"]["thinkingConfig"]
    assert thinking == {"includeThoughts": True, "thinkingBudget": 512}
    assert names == ["effort"]


@pytest.mark.parametrize(
    ("wanted", "tier"),
    [
        (None, None),
        ("auto", None),
        ("default", "standard"),
        ("standard_only", "standard"),
        ("flex", "flex"),
        ("priority", "priority"),
    ],
)
def test_service_tiers(wanted: str | None, tier: str | None) -> None:
    assert body(service_tier=wanted)[0].get("serviceTier") == tier


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"service_tier": "scale"}, "service_tier"),
        ({"parallel_tools": False}, "parallel_tool_calls"),
        ({"unread": {"logprobs": Raw(b"true")}}, "logprobs"),
    ],
)
def test_what_has_no_place_is_refused_or_left_out(more: dict[str, Any], name: str) -> None:
    names = {"parallel_tools": "parallel_tool_calls"}
    with pytest.raises(Refusal) as refused:
        body(**more, names=names)
    assert (refused.value.code.name, refused.value.param) == ("unsupported_parameter", name)
    told, left_out = body(**more, names=names, drop=True)
    assert left_out == [name]
    assert told == body()[0]


def test_what_changes_no_answer_is_left_out_and_named() -> None:
    told, names = body(
        end_user="u",
        metadata={"a": "b"},
        cache=CacheMark(),
        parallel_tools=True,
        names={"end_user": "user"},
    )
    assert told == body()[0]
    assert names == ["user", "metadata", "cache"]
    assert body(tools=[Tool("f", cache=CacheMark())])[1] == ["cache"]
