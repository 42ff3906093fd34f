"""Conversations as Converse bodies, which AWS's own model of the wire takes."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw
from tests.providers.bedrock_wire import operation, problems

from tidegate.core.conversation import Conversation, Text, Tool, ToolCall, Turn
from tidegate.core.losses import Losses
from tidegate.core.outcome import Refusal
from tidegate.providers._bedrock_models import traits_of
from tidegate.providers._bedrock_request import Body

CLAUDE = "eu.anthropic.claude-sonnet-4-6"
LLAMA = "meta.llama3-1-8b-instruct-v1:0"
ASKED = Turn("user", (Text("hi"),))
TOOL = Tool("weather", "Looks.", Raw(b'{"type":"object"}'))
CALL = ToolCall("call_1", "weather", ' {"city": "Paris", "n": 1e3}')


def written(
    said: Conversation, model: str = CLAUDE, ceiling: int | None = None, *, drop: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """(the body as JSON, what was left out). What AWS's model has against it is a failure."""
    losses = Losses(said, "bedrock", drop=drop)
    raw = msgspec.json.encode(Body(said, losses, traits_of(model)).write(ceiling))
    body = msgspec.json.decode(raw)
    assert problems(operation("Converse").input_shape, body) == []
    assert problems(operation("ConverseStream").input_shape, body) == []
    return body, losses.names


def refused(said: Conversation, model: str = CLAUDE) -> str | None:
    with pytest.raises(Refusal) as no:
        written(said, model)
    assert no.value.code.status == 400
    return no.value.param


def talk(*turns: Turn, **more: Any) -> Conversation:
    return Conversation(list(turns) or [ASKED], **more)
