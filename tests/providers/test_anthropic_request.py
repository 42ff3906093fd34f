"""Conversations as requests to Anthropic's Messages."""

from typing import Any

import msgspec
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from msgspec import Raw, structs
from pydantic import TypeAdapter

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
from tidegate.providers._anthropic_request import Writer

OLDER, BETWEEN, NEWER = "claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-4-8"
_valid = TypeAdapter(MessageCreateParamsNonStreaming)
SCHEMA = Raw(b'{"type":"object","properties":{"n":{"type":"number","maximum":1.50}}}')
TOOL = Tool("f", "d", SCHEMA, True)
USER = Turn("user", (Text("hi"),))


def write(
    said: Conversation, model: str = OLDER, drop: bool = False, bound: int | None = None
) -> tuple[dict[str, Any], list[str]]:
    """(the body, held against Anthropic's own types; what was left out)."""
    losses = Losses(said, "anthropic", drop=drop)
    body = msgspec.json.decode(msgspec.json.encode(Writer(said, model, losses).body(bound)))
    _valid.validate_python(body)
    return body, losses.names


def refused(said: Conversation, model: str = OLDER) -> str | None:
    with pytest.raises(Refusal) as no:
        write(said, model)
    assert no.value.code.status == 400
    return no.value.param


def blocks(*parts: Part, role: Any = "user") -> list[dict[str, Any]]:
    body, _ = write(Conversation([Turn(role, parts)]))
    return body["messages"][0]["content"] if body["messages"] else []


def test_a_plain_request() -> None:
    said = Conversation([USER], [Text("be")], ceiling_tokens=50, temperature=0.5, top_p=0.9)
    said.top_k, said.stop, said.end_user, said.cache = 40, ["A"], "u", CacheMark("1h")
    body, names = write(said, "claude-sonnet-4")
    assert (body, names) == (
        {
            "model": "claude-sonnet-4",
            "max_tokens": 50,
            "system": [{"type": "text", "text": "be"}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 40,
            "stop_sequences": ["A"],
            "metadata": {"user_id": "u"},
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
        },
        [],
    )


def test_the_ceiling_is_ours_the_callers_or_the_models() -> None:
    said = Conversation([USER], ceiling_tokens=50)
    assert write(said, bound=20)[0]["max_tokens"] == 20
    assert write(said)[0]["max_tokens"] == 50
    assert write(Conversation([USER]))[0]["max_tokens"] == 64_000


def test_each_part_as_a_block() -> None:
    mark = CacheMark()
    marked = {"cache_control": {"type": "ephemeral"}}
    png = {"type": "base64", "media_type": "image/png", "data": "iVBO"}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    plain = {"type": "text", "media_type": "text/plain", "data": "plain"}
    assert blocks(
        Text("", mark),
        Text("a", mark),
        Image("iVBO", "image/png", cache=mark),
        Image(url="https://x/y.png"),
        Document("JVBE", "application/pdf", title="t", context="c"),
        Document(text="plain", cache=mark),
        Document(url="https://x/y.pdf"),
        ToolResult("t1", (Text("4 m"), Image("iVBO", "image/png")), True, mark),
        ToolResult("t2"),
    ) == [
        {"type": "text", "text": "a", **marked},
        {"type": "image", "source": png, **marked},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        {"type": "document", "source": pdf, "title": "t", "context": "c"},
        {"type": "document", "source": plain, **marked},
        {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}},
        {
            "type": "tool_result",
            "tool_use_id": "t1",
            "content": [{"type": "text", "text": "4 m"}, {"type": "image", "source": png}],
            "is_error": True,
            **marked,
        },
        {"type": "tool_result", "tool_use_id": "t2"},
    ]


def test_what_the_model_wrote_is_sent_back_to_the_byte() -> None:
    turn = Turn(
        "assistant",
        (
            Reasoning("hm", "s+/=", None, "anthropic"),
            Reasoning("", None, "EmwK+/=", "anthropic"),
            Refused("no"),
            ToolCall("t1", "f", '{"a": 1.50,"a":2}'),
            ToolCall("t2", "g", " "),
        ),
    )
    losses = Losses(Conversation([turn]), "anthropic", drop=False)
    body = msgspec.json.encode(Writer(Conversation([turn]), OLDER, losses).body(None))
    assert b'"input":{"a": 1.50,"a":2}' in body
    content = msgspec.json.decode(body)["messages"][0]["content"]
    assert content[:3] == [
        {"type": "thinking", "thinking": "hm", "signature": "s+/="},
        {"type": "redacted_thinking", "data": "EmwK+/="},
        {"type": "text", "text": "no"},
    ]
    assert content[4]["input"] == {}


@pytest.mark.parametrize("arguments", ['{"a":', "[]", '{},"x":1', "null", '{"a":1}}'])
def test_arguments_that_are_no_object_never_reach_a_body(arguments: str) -> None:
    said = Conversation([Turn("assistant", (ToolCall("t", "f", arguments),))])
    said.names = {"turns": "messages"}
    assert refused(said) == "messages"


def test_ids_in_signs_that_anthropic_does_not_take_stay_pairs() -> None:
    said = Conversation(
        [
            Turn("assistant", (ToolCall("f.x:0", "f", "{}"), ToolCall("f.x.0", "f", "{}"))),
            Turn("user", (ToolResult("f.x:0"), ToolResult("f.x.0"), ToolResult("y" * 99))),
        ]
    )
    body, _ = write(said)
    calls = [block["id"] for block in body["messages"][0]["content"]]
    results = [block["tool_use_id"] for block in body["messages"][1]["content"]]
    assert calls == results[:2] and len(set(results)) == 3
    assert all(len(one) <= 64 and set(one) <= set("abcdef0123456789fxy_") for one in results)


def test_reasoning_of_others_is_left_out_and_named() -> None:
    parts = (Reasoning("hm"), Reasoning("x", "s", None, "gemini"), Text("a"))
    body, names = write(Conversation([Turn("assistant", parts)]))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "a"}]
    assert names == ["reasoning"]


def test_an_instruction_in_the_middle() -> None:
    said = Conversation([USER, Turn("system", (Text("now"),)), USER], [Text("be")])
    body, _ = write(said, NEWER)
    assert [message["role"] for message in body["messages"]] == ["user", "system", "user"]
    body, _ = write(said, OLDER)
    assert [message["role"] for message in body["messages"]] == ["user", "user"]
    assert [text["text"] for text in body["system"]] == ["be", "now"]


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("any"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("named", "f"), None, {"type": "tool", "name": "f"}),
    ],
)
def test_tools_and_which_of_them(
    choice: ToolChoice | None, parallel: bool | None, expected: Any
) -> None:
    said = Conversation([USER], tools=[TOOL, Tool("g", cache=CacheMark())])
    said.tool_choice, said.parallel_tools = choice, parallel
    body, _ = write(said)
    first, second = body["tools"]
    assert first == {
        "name": "f",
        "description": "d",
        "strict": True,
        "input_schema": msgspec.json.decode(SCHEMA),
    }
    assert second["input_schema"] == {"type": "object", "properties": {}}
    assert second["cache_control"] == {"type": "ephemeral"}
    assert body.get("tool_choice") == expected


def test_the_answers_form() -> None:
    said = Conversation([USER], output=Output(SCHEMA, "n", "d", True))
    body, names = write(said)
    expected = {"type": "json_schema", "schema": msgspec.json.decode(SCHEMA)}
    assert (body["output_config"], names) == ({"format": expected}, [])
    assert refused(Conversation([USER], output=Output())) == "output"


@pytest.mark.parametrize(
    ("model", "wanted", "thinking", "effort"),
    [
        (OLDER, Thinking(False), {"type": "disabled"}, None),
        (OLDER, Thinking(True, None, 2000), {"type": "enabled", "budget_tokens": 2000}, None),
        (OLDER, Thinking(True, "low"), {"type": "enabled", "budget_tokens": 1024}, None),
        (OLDER, Thinking(True, "max"), {"type": "enabled", "budget_tokens": 5000}, None),
        (OLDER, Thinking(True, None, 99_999), {"type": "enabled", "budget_tokens": 9999}, None),
        (NEWER, Thinking(True, "minimal"), {"type": "adaptive"}, "low"),
        (NEWER, Thinking(True, "xhigh"), {"type": "adaptive"}, "xhigh"),
        (NEWER, Thinking(True), {"type": "adaptive"}, None),
        (
            NEWER,
            Thinking(True, None, 2000, False),
            {"type": "adaptive", "display": "omitted"},
            "low",
        ),
        (BETWEEN, Thinking(True, None, 2000), {"type": "enabled", "budget_tokens": 2000}, None),
        (BETWEEN, Thinking(True, "low"), {"type": "adaptive"}, "low"),
    ],
)
def test_how_much_to_think(model: str, wanted: Thinking, thinking: Any, effort: str | None) -> None:
    body, _ = write(Conversation([USER], ceiling_tokens=10_000, thinking=wanted), model)
    assert body["thinking"] == thinking
    assert body.get("output_config", {}).get("effort") == effort


def test_where_a_model_may_not_think() -> None:
    thinking = Thinking(True, "high")
    forced = Conversation([USER], tools=[TOOL], tool_choice=ToolChoice("any"), thinking=thinking)
    assert refused(forced) == "thinking"
    assert refused(Conversation([USER], ceiling_tokens=1000, thinking=thinking)) == "thinking"
    call, result = ToolCall("t", "f", "{}"), Turn("user", (ToolResult("t"),))
    said = Conversation([USER, Turn("assistant", (call,)), result], thinking=thinking)
    body, names = write(said)
    assert ("thinking" not in body, names) == (True, ["thinking"])
    kept = Turn("assistant", (Reasoning("hm", "s", None, "anthropic"), call))
    body, names = write(structs.replace(said, turns=[USER, kept, result]))
    assert (body["thinking"]["type"], names) == ("enabled", [])
    # Where it measures its thoughts itself, it takes a turn without any.
    body, names = write(said, BETWEEN)
    assert (body["thinking"]["type"], names) == ("adaptive", [])


def test_an_effort_beside_a_budget() -> None:
    said = Conversation([USER], thinking=Thinking(True, "low", 2000))
    body, names = write(said, BETWEEN)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert (body["output_config"], names) == ({"effort": "low"}, [])
    body, names = write(said)
    assert ("output_config" in body, names) == (False, ["effort"])


def test_a_model_that_always_thinks_is_not_told_to_stop() -> None:
    body, names = write(Conversation([USER], thinking=Thinking(False)), "claude-fable-5")
    assert ("thinking" in body, names) == (False, ["thinking"])


def test_what_a_thinking_model_samples_by_is_its_own() -> None:
    said = Conversation([USER], thinking=Thinking(True, "low"), temperature=0.5)
    assert refused(said, OLDER) == refused(said, BETWEEN) == "temperature"
    body, names = write(said, drop=True)
    assert ("temperature" in body, body["thinking"]["type"]) == (False, "enabled")
    assert names == ["temperature"]
    assert write(structs.replace(said, thinking=Thinking(False)))[0]["temperature"] == 0.5


@pytest.mark.parametrize("stop", ["\n", " \t"])
def test_a_stop_of_nothing_to_be_seen_has_no_place(stop: str) -> None:
    said = Conversation([USER], stop=[stop, "END"])
    assert refused(said) == "stop"
    body, names = write(said, drop=True)
    assert (body["stop_sequences"], names) == (["END"], ["stop"])


LOST: list[tuple[str, Any]] = [
    ("seed", 7),
    ("choices", 2),
    ("presence_penalty", 0.5),
    ("frequency_penalty", 0.5),
    ("temperature", 1.5),
    ("service_tier", "flex"),
    ("unread", {"logprobs": Raw(b"true")}),
]


@pytest.mark.parametrize(("field", "value"), LOST)
def test_what_anthropic_cannot_do_is_refused_or_left_out_and_named(field: str, value: Any) -> None:
    said = structs.replace(Conversation([USER], names={"choices": "n"}), **{field: value})
    name = {"choices": "n", "unread": "logprobs"}.get(field, field)
    assert refused(said) == name
    body, names = write(said, drop=True)
    assert names == [name]
    assert body == write(Conversation([USER]))[0]


def test_what_changes_no_answer_is_left_out_and_named_under_either_rule() -> None:
    said = Conversation([USER], metadata={"a": "b"}, unread={"prompt_cache_key": Raw(b'"k"')})
    parts = (Image(url="https://x", detail="low"),)
    said.turns.append(Turn("user", parts))
    assert write(said)[1] == ["detail", "metadata", "prompt_cache_key"]


@pytest.mark.parametrize(
    "part", [Image(file_id="f"), Document(file_id="f"), Document("UEsD", "application/zip")]
)
def test_files_that_cannot_be_carried(part: Any) -> None:
    said = Conversation([Turn("user", (part, Text("a")))])
    assert refused(said) in ("file_id", "file_data")
    body, _ = write(said, drop=True)
    assert [block["type"] for block in body["messages"][0]["content"]] == ["text"]


@pytest.mark.parametrize(("tier", "sent"), [("auto", "auto"), ("default", "standard_only")])
def test_service_tiers(tier: str, sent: str) -> None:
    assert write(Conversation([USER], service_tier=tier))[0]["service_tier"] == sent
