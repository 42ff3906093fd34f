"""Conversations written as requests of OpenAI's chat shape, held against its own types."""

from typing import Any

import msgspec
from msgspec import Raw
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from tidegate.core.conversation import (
    Conversation,
    Part,
    Text,
    Turn,
)
from tidegate.core.losses import Losses
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
