"""The objects and items of OpenAI's Responses, against the official client's own types."""

from typing import Any

import msgspec
import pytest
from openai.types.responses import Response
from tests.dialects.grammar import STAMP, ask_of

from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Refused, Text, ToolCall
from tidegate.core.spoken import Choice, Reason
from tidegate.dialects._openai_responses_answer import ended, items_of, response, usage_members


def whole(choice: Choice, usage: Usage | None = None, **members: Any) -> dict[str, Any]:
    """The object, held against OpenAI's own type."""
    ask = ask_of({"model": "m", "input": "x", **members}, "openai_responses")
    told = ended(response(ask, STAMP, "served"), items_of(choice, STAMP), usage, choice.reason)
    body = msgspec.json.encode(told)
    Response.model_validate_json(body)
    return msgspec.json.decode(body)


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("stop_sequence", "completed", None),
        ("tool_calls", "completed", None),
        ("pause", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("context_full", "incomplete", {"reason": "max_output_tokens"}),
        ("refusal", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_how_an_answer_ended(reason: Reason, status: str, details: Any) -> None:
    told = whole(Choice([Text("a"), Text("b")], reason))
    assert (told["status"], told["incomplete_details"]) == (status, details)
    cut = "incomplete" if details == {"reason": "max_output_tokens"} else "completed"
    assert [item["status"] for item in told["output"]] == ["completed", cut]


def test_each_kind_of_part_is_an_item() -> None:
    parts = [
        Reasoning("thought", "SIG", None, "anthropic"),
        Text("hi"),
        Refused("no"),
        ToolCall("", "f", "{}", "GSIG", "gemini"),
        Text(""),
        Reasoning(),
    ]
    told = whole(Choice(parts, "tool_calls"))["output"]
    assert [item["id"] for item in told] == [
        f"{prefix}_0198c0de_{at}" for at, prefix in enumerate(["rs", "msg", "msg", "fc", "rs"])
    ]
    assert told[0]["encrypted_content"] == "tidegate:anthropic:signature::SIG"
    assert told[1]["content"][0]["text"] == "hi"
    assert told[2]["content"] == [{"type": "refusal", "refusal": "no"}]
    assert told[3]["call_id"] == "call_0198c0de_3"
    assert told[4]["encrypted_content"] == "tidegate:gemini:call:call_0198c0de_3:GSIG"


def test_what_was_asked_for_is_told_again_and_that_nothing_is_stored() -> None:
    tools = [{"type": "function", "name": "f", "parameters": {}, "strict": False}]
    told = whole(
        Choice(), tools=tools, temperature=0.5, store=True, truncation="auto", instructions=None
    )
    assert (told["tools"], told["temperature"], told["instructions"]) == (tools, 0.5, None)
    assert (told["store"], told["truncation"], told["background"]) == (False, "disabled", False)
    assert (told["id"], told["created_at"]) == ("resp_0198c0de", 1_795_000_000)
    assert told["model"] == "served"


def test_usage_has_cached_and_reasoned_tokens_in_it() -> None:
    assert usage_members(Usage(1, 2, 4, 8, 16)) == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 4},
        "output_tokens": 24,
        "output_tokens_details": {"reasoning_tokens": 16},
        "total_tokens": 31,
    }


@pytest.mark.parametrize(
    "usage", [None, Usage(conflict=True), Usage(1), Usage(None, output_tokens=1)]
)
def test_usage_that_nobody_knows_is_none(usage: Usage | None) -> None:
    assert usage_members(usage) is None
