"""Answers in the wires of callers and providers, and the ways from one to another."""

from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core import plugs
from tidegate.core.ask import Ask, Usage
from tidegate.core.plugs import Dialect, Stamp
from tidegate.core.spoken import (
    Began,
    Ended,
    Event,
    Kind,
    PartBegan,
    PartEnded,
    PartGrew,
    Reason,
    Used,
    fold,
)

SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
STAMP = Stamp("019a0000-0000-7000-8000-000000000000", 1_795_000_000.0)
# A caller's dialect, the provider's wire (as the dialect that writes it), and its plug.
WAYS = [
    ("openai_chat", "openai_chat", "openai_compatible"),
    ("openai_chat", "anthropic_messages", "anthropic"),
    ("anthropic_messages", "anthropic_messages", "anthropic"),
    ("anthropic_messages", "openai_chat", "openai_compatible"),
    ("openai_responses", "openai_responses", "openai"),
    ("openai_responses", "openai_chat", "openai_compatible"),
    ("openai_responses", "anthropic_messages", "anthropic"),
]
TOOLS: dict[str, Any] = {
    "openai_chat": {"type": "function", "function": {"name": "add", "parameters": SCHEMA}},
    "anthropic_messages": {"name": "add", "input_schema": SCHEMA},
    "openai_responses": {"type": "function", "name": "add", "parameters": SCHEMA},
}
Part = tuple[Kind, str | None, list[str]]


def text(*pieces: str) -> Part:
    return "text", None, list(pieces)


def call(name: str, *pieces: str) -> Part:
    return "tool_call", name, list(pieces)


def told(parts: list[Part], reason: Reason) -> list[Event]:
    events: list[Event] = [Began("a1", "m", Usage(7))]
    for at, (kind, name, pieces) in enumerate(parts):
        events.append(PartBegan(0, at, kind, f"call_{at}" if name else None, name))
        grown = "arguments" if kind == "tool_call" else "text"
        events += [PartGrew(0, at, grown, piece) for piece in pieces]  # type: ignore[arg-type]
        events.append(PartEnded(0, at))
    return [*events, Ended(0, reason), Used(Usage(7, output_tokens=5))]


def asked(dialect: str) -> Ask:
    members = {"model": Raw(b'"m"'), "tools": Raw(msgspec.json.encode([TOOLS[dialect]]))}
    body = msgspec.json.encode(members)
    return Ask("chat", body, members, "m", True, include_usage=True, dialect=dialect)


def written(wire: str, events: list[Event]) -> bytes:
    """What a provider of that wire sends."""
    dialect: Dialect = plugs.load("dialects", wire)
    writer = dialect.writer(asked(wire), STAMP)
    return writer.write(events) + writer.close()


def whole_body(wire: str, events: list[Event]) -> bytes:
    """The same in one piece."""
    dialect: Dialect = plugs.load("dialects", wire)
    return dialect.whole(asked(wire), STAMP, fold(events))
