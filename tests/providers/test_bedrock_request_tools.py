"""What a Converse body says of tools: their calls, results and choice."""

from typing import Any

import msgspec
import pytest
from tests.providers.bedrock_bodies import ASKED, CALL, LLAMA, TOOL, refused, talk, written

from tidegate.core.conversation import Image, Text, Tool, ToolCall, ToolChoice, ToolResult, Turn
from tidegate.core.losses import Losses
from tidegate.core.outcome import Refusal
from tidegate.providers._bedrock_models import Traits
from tidegate.providers._bedrock_request import Body


def test_tools_calls_and_results() -> None:
    said = talk(
        ASKED,
        Turn("assistant", (Text("I look."), CALL, ToolCall("call 2?" + "x" * 80, "now", " "))),
        Turn(
            "user",
            (
                ToolResult("call_1", (Text("21 °C"), Image("AAAA", "image/png")), is_error=True),
                ToolResult("call 2?" + "x" * 80, (Text(""), Text(" "))),
            ),
        ),
        tools=[TOOL, Tool("now", "", None, True)],
        tool_choice=ToolChoice("any"),
    )
    body, lost = written(said)
    assert lost == []
    _, asks, answers = body["messages"]
    first, second = asks["content"][1:]
    assert first["toolUse"]["input"] == {"city": "Paris", "n": 1000.0}
    assert second["toolUse"]["input"] == {}
    told, empty = answers["content"]
    assert told["toolResult"] == {
        "toolUseId": "call_1",
        "content": [{"text": "21 °C"}, {"image": {"format": "png", "source": {"bytes": "AAAA"}}}],
        "status": "error",
    }
    # An id that Converse does not take is another one, and the same for call and result.
    assert empty["toolResult"] == {"toolUseId": second["toolUse"]["toolUseId"], "content": []}
    assert body["toolConfig"] == {
        "tools": [
            {
                "toolSpec": {
                    "name": "weather",
                    "description": "Looks.",
                    "inputSchema": {"json": {"type": "object"}},
                }
            },
            {
                "toolSpec": {
                    "name": "now",
                    "inputSchema": {"json": {"type": "object", "properties": {}}},
                    "strict": True,
                }
            },
        ],
        "toolChoice": {"any": {}},
    }


def test_arguments_go_as_the_bytes_that_the_model_wrote() -> None:
    said = talk(ASKED, Turn("assistant", (CALL,)), tools=[TOOL])
    raw = msgspec.json.encode(Body(said, Losses(said, "b", drop=False), Traits()).write(None))
    assert b'"input":{"city": "Paris", "n": 1e3}' in raw


@pytest.mark.parametrize(
    "arguments", ["{", "[]", "1", '{"a":nul}', '{"a":1}x', "{" * 100_000, "\ud800"]
)
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    said = talk(ASKED, Turn("assistant", (ToolCall("c", "t", arguments),)))
    said.names = {"turns": "input"}
    assert refused(said) == "input"
    with pytest.raises(Refusal):
        written(said, drop=True)


def test_tool_choices() -> None:
    for mode, name, sent in (
        ("auto", None, {"auto": {}}),
        ("any", None, {"any": {}}),
        ("named", "weather", {"tool": {"name": "weather"}}),
    ):
        choice: Any = ToolChoice(mode, name)  # type: ignore[arg-type]
        body, _ = written(talk(tools=[TOOL], tool_choice=choice))
        assert body["toolConfig"]["toolChoice"] == sent
    # No tool is the same as none to choose from, unless earlier turns speak of one.
    none = ToolChoice("none")
    assert "toolConfig" not in written(talk(tools=[TOOL], tool_choice=none))[0]
    spoken = talk(ASKED, Turn("assistant", (CALL,)), tools=[TOOL], tool_choice=none)
    assert refused(spoken) == "tool_choice"
    body, lost = written(spoken, drop=True)
    assert lost == ["tool_choice"] and "toolChoice" not in body["toolConfig"]
    assert "toolConfig" not in written(talk(tool_choice=ToolChoice("auto")))[0]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, {"type": "auto"}),
        (ToolChoice("auto"), {"type": "auto"}),
        (ToolChoice("any"), {"type": "any"}),
        (ToolChoice("named", "weather"), {"type": "tool", "name": "weather"}),
    ],
)
def test_one_tool_at_a_time_is_said_once(choice: ToolChoice | None, sent: dict[str, str]) -> None:
    """Both members together are refused by Bedrock."""
    body, lost = written(talk(tools=[TOOL], tool_choice=choice, parallel_tools=False))
    own = body["additionalModelRequestFields"]["tool_choice"]
    assert (own, lost) == ({**sent, "disable_parallel_tool_use": True}, [])
    assert "toolChoice" not in body["toolConfig"]


def test_one_tool_at_a_time_where_nobody_can_say_so() -> None:
    said = talk(tools=[TOOL], tool_choice=ToolChoice("any"), parallel_tools=False)
    assert refused(said, LLAMA) == "parallel_tools"
    body, lost = written(said, LLAMA, drop=True)
    assert lost == ["parallel_tools"] and body["toolConfig"]["toolChoice"] == {"any": {}}
    # Agents send it with no tools at all.
    assert "additionalModelRequestFields" not in written(talk(parallel_tools=False))[0]
