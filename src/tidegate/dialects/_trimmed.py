"""A conversation made smaller, in its own wire: what stays, stays the bytes that came."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Raw

from tidegate.core.ladder import History
from tidegate.text.history import LEFT_OUT, Item, Speaker, answered, kept, squeezed

# Whose a message or item is, and the ids of calls that it makes or tells the results of.
Read = Callable[[dict[str, Any]], tuple[Speaker, tuple[str, ...]]]
# The same message with what a tool has said in it left out.
Blank = Callable[[dict[str, Any]], dict[str, Any]]
_raws: Final = msgspec.json.Decoder(list[Raw]).decode
_object: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder().encode
# What holds a text that a person, a model or a tool has written, by the name of its member.
_TEXTS: Final = ("content", "text", "output")


def trimmed(content: Raw, rule: History, read: Read, blank: Blank) -> Raw:
    """`content` by the rule. What is no array of objects is for its target to judge: it stays."""
    try:
        raws = _raws(content)
        turns = [_object(raw) for raw in raws]
        items = [Item(*_said(turn, raw, read)) for turn, raw in zip(turns, raws, strict=True)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return content
    stays = kept(items, rule)
    blanked = answered(items) if rule.drops_tool_results else [False] * len(items)
    out: list[Raw] = []
    for at, raw in enumerate(raws):
        if not stays[at]:
            continue
        turn = blank(turns[at]) if blanked[at] else turns[at]
        if rule.squeezes and items[at].speaker != "system":
            turn = _squeezed(turn)
        out.append(raw if turn is turns[at] else Raw(_encode(turn)))
    return Raw(_encode(out))


def parts_of(turn: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The blocks of one type in a message's content."""
    content = turn.get("content")
    blocks = content if isinstance(content, list) else []
    return [it for it in blocks if isinstance(it, dict) and it.get("type") == kind]


def left_out(turn: dict[str, Any], name: str) -> dict[str, Any]:
    """The message with that member told as left out."""
    return {**turn, name: LEFT_OUT}


def _said(turn: dict[str, Any], raw: Raw, read: Read) -> tuple[Speaker, int, tuple[str, ...]]:
    speaker, ids = read(turn)
    return speaker, memoryview(raw).nbytes, ids


def _squeezed(turn: dict[str, Any]) -> dict[str, Any]:
    """Itself where nothing of it is shorter."""
    found: dict[str, Any] = {name: _shorter(turn[name]) for name in _TEXTS if name in turn}
    same = all(turn[name] is value for name, value in found.items())
    return turn if same else {**turn, **found}


def _shorter(value: Any) -> Any:
    if isinstance(value, str):
        found = squeezed(value)
        return value if found == value else found
    if not isinstance(value, list):
        return value
    parts = [_squeezed(it) if isinstance(it, dict) else it for it in value]
    return value if all(a is b for a, b in zip(parts, value, strict=True)) else parts
