"""Conversations as requests in OpenAI's chat shape."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter
from tests.dialects.grammar import ask_of, target

from tidegate.core import plugs
from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Output,
    Part,
    Reasoning,
    Refused,
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
from tidegate.providers._manners import Manners
from tidegate.providers._openai_request import Writer

_valid = TypeAdapter(CompletionCreateParamsNonStreaming)
SCHEMA = Raw(b'{"type":"object"}')
USER = Turn("user", (Text("hi"),))
ALL = Manners(reasoning="reasoning_content", top_k=True)


def write(
    said: Conversation, manners: Manners = ALL, drop: bool = False, bound: int | None = None
) -> tuple[dict[str, Any], list[str]]:
    """(the body, held against OpenAI's own types; what was left out)."""
    losses = Losses(said, "openai_chat", drop=drop)
    told = Writer(said, manners, losses).body("their-model", bound)
    body = msgspec.json.decode(msgspec.json.encode(told))
    _valid.validate_python(body)
    return body, losses.names


def messages(*turns: Turn, manners: Manners = ALL) -> Any:
    return write(Conversation(list(turns)), manners)[0]["messages"]


def user(*parts: Part) -> Any:
    return messages(Turn("user", parts))


def test_a_plain_request() -> None:
    said = Conversation([USER], [Text("be"), Text("kind")], ceiling_tokens=50, temperature=0.5)
    said.top_p, said.top_k, said.stop, said.end_user, said.seed = 0.9, 40, ["A"], "u", 7
    said.choices, said.presence_penalty, said.frequency_penalty = 2, 0.1, 0.2
    assert write(said) == (
        {
            "model": "their-model",
            "messages": [
                {
                    "role": "system",
                    "content": [{"type": "text", "text": "be"}, {"type": "text", "text": "kind"}],
                },
                {"role": "user", "content": "hi"},
            ],
            "max_tokens": 50,
            "temperature": 0.5,
            "top_p": 0.9,
            "presence_penalty": 0.1,
            "frequency_penalty": 0.2,
            "stop": ["A"],
            "seed": 7,
            "n": 2,
            "user": "u",
            "top_k": 40,
        },
        [],
    )


def test_the_ceiling_is_ours_or_the_callers_under_the_targets_name_of_it() -> None:
    said = Conversation([USER], ceiling_tokens=50)
    assert write(said, Manners("max_completion_tokens"))[0]["max_completion_tokens"] == 50
    assert write(said, bound=20)[0]["max_tokens"] == 20
    assert "max_tokens" not in write(Conversation([USER]))[0]


def test_results_of_tools_are_messages_of_their_own_before_what_is_said() -> None:
    image = Image("iVBO", "image/png")
    turn = Turn(
        "user",
        (
            ToolResult("t1", (Text("4 m"),)),
            ToolResult("t2", (Text("a"), image, Text("b"))),
            ToolResult("t3"),
            Text("well?"),
        ),
    )
    url = {"url": "data:image/png;base64,iVBO"}
    assert messages(turn) == [
        {"role": "tool", "tool_call_id": "t1", "content": "4 m"},
        {
            "role": "tool",
            "tool_call_id": "t2",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
        {"role": "tool", "tool_call_id": "t3", "content": ""},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": url},
                {"type": "text", "text": "well?"},
            ],
        },
    ]


def test_an_error_of_a_tool_is_told_by_its_text_alone() -> None:
    said = Conversation([Turn("user", (ToolResult("t", (Text("boom"),), True),))])
    body, names = write(said)
    assert (body["messages"][0]["content"], names) == ("boom", ["is_error"])


def test_images_and_documents() -> None:
    pdf = {"file_data": "data:application/pdf;base64,JVBE", "filename": "t"}
    assert user(
        Image(url="https://x/y.png", detail="low"),
        Document("JVBE", "application/pdf", title="t"),
        Document(text="plain", title="t", context="c"),
    )[0]["content"] == [
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "file", "file": pdf},
        {"type": "text", "text": "t\n\nc\n\nplain"},
    ]


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (Image(file_id="f"), "file_id"),
        (Document(file_id="f"), "file_id"),
        (Document(url="https://x"), "url"),
        (Document("JVBE", "application/pdf", context="c"), "context"),
    ],
)
def test_what_cannot_be_carried(part: Any, name: str) -> None:
    said = Conversation([Turn("user", (part, Text("a")))])
    with pytest.raises(Refusal) as refused:
        write(said)
    assert refused.value.param == name
    assert write(said, drop=True)[1] == [name]


def test_what_an_assistant_said() -> None:
    call = ToolCall("t1", "f", '{"a": 1.50')  # cut by a ceiling: it is text here
    said = Turn("assistant", (Reasoning("h"), Reasoning("m"), call))
    expected = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.50'}}
        ],
    }
    assert messages(said) == [{**expected, "reasoning_content": "hm"}]
    assert messages(said, manners=Manners()) == [expected]
    assert write(Conversation([said]), Manners())[1] == ["reasoning"]
    assert messages(Turn("assistant", (Text("a"), Refused("no"))))[0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "no"},
    ]
    assert messages(USER, Turn("system", (Text("now"),)))[1] == {"role": "system", "content": "now"}


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning("other", "s", None, "anthropic"),
        Reasoning("other", None, None, "gemini"),
        Reasoning("other", None, "sealed", "openai_responses", "rs_1"),
        Reasoning("other", "s"),
        Reasoning("other", None, "sealed"),
    ],
)
def test_nobody_else_is_shown_what_a_model_thought(thought: Reasoning) -> None:
    turn = Turn("assistant", (thought, Reasoning("own"), Text("a")))
    body, names = write(Conversation([turn]))
    assert body["messages"] == [{"role": "assistant", "content": "a", "reasoning_content": "own"}]
    assert names == ["reasoning"]


def test_a_turn_of_which_nothing_can_be_carried_is_left_out() -> None:
    turn = Turn("assistant", (Reasoning("cut", "s", None, "anthropic"),))
    assert messages(USER, turn, USER) == [{"role": "user", "content": "hi"}] * 2


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("any"), "required"),
        (ToolChoice("named", "f"), {"type": "function", "function": {"name": "f"}}),
        (None, None),
    ],
)
def test_tools_and_which_of_them(choice: ToolChoice | None, expected: Any) -> None:
    said = Conversation([USER], tools=[Tool("f", "d", SCHEMA, True), Tool("g")])
    said.tool_choice, said.parallel_tools = choice, False
    body, _ = write(said)
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
    assert [tool["function"] for tool in body["tools"]] == [function, {"name": "g"}]
    assert (body.get("tool_choice"), body["parallel_tool_calls"]) == (expected, False)


def test_the_answers_form() -> None:
    schema = {"name": "answer", "schema": {"type": "object"}, "strict": True}
    body, _ = write(Conversation([USER], output=Output(SCHEMA, strict=True)))
    assert body["response_format"] == {"type": "json_schema", "json_schema": schema}
    named = {"name": "n", "schema": {"type": "object"}, "description": "d"}
    body, _ = write(Conversation([USER], output=Output(SCHEMA, "n", "d")))
    assert body["response_format"]["json_schema"] == named
    body, _ = write(Conversation([USER], output=Output()))
    assert body["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("wanted", "effort"),
    [
        (Thinking(True, "high"), "high"),
        (Thinking(True, "max"), "xhigh"),
        (Thinking(None, "low"), "low"),
        (Thinking(True, None, 2_048), "low"),
        (Thinking(True, None, 8_192), "medium"),
        (Thinking(True, None, 30_000), "high"),
        (Thinking(True), None),
        (Thinking(False), None),
        (None, None),
    ],
)
def test_how_much_to_think(wanted: Thinking | None, effort: str | None) -> None:
    said = Conversation([USER], thinking=wanted)
    body, names = write(said)
    left_out = ["thinking"] if wanted is not None and wanted.enabled is False else []
    assert (body.get("reasoning_effort"), names) == (effort, left_out)
    body, names = write(said, Manners(effort=False))
    assert "reasoning_effort" not in body
    assert names == (["thinking"] if wanted is not None and wanted.enabled is not False else [])


def test_cache_marks_change_no_answer() -> None:
    for said in (
        Conversation([Turn("user", (Text("a", CacheMark()),))]),
        Conversation([USER], tools=[Tool("f", cache=CacheMark())]),
        Conversation([USER], [Text("s", CacheMark("1h"))]),
        Conversation([USER], cache=CacheMark()),
        Conversation([Turn("user", (ToolResult("t", cache=CacheMark()),))]),
    ):
        assert write(said)[1] == ["cache"]


def test_what_has_no_place_is_refused_or_left_out_and_named() -> None:
    said = Conversation([USER], top_k=5, unread={"container": Raw(b'"c"')})
    with pytest.raises(Refusal) as refused:
        write(said, Manners())
    assert refused.value.param == "top_k"
    body, names = write(said, Manners(), drop=True)
    assert names == ["top_k", "container"]
    assert body == write(Conversation([USER]))[0]


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
