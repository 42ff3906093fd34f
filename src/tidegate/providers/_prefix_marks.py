"""Marks for Claude's cache at the end of a prompt's stable beginning: its tools, and its system
prompt behind them. A caller's own marks win: where there is one, nothing is added, and of the four
that a request may have at most two are ours."""

import re
from typing import Any, Final

import msgspec
from msgspec import Raw, structs

from tidegate.core.ask import Ask
from tidegate.core.conversation import CacheMark, Conversation, Part, ToolResult
from tidegate.core.plan import PrefixTtl
from tidegate.providers._anthropic_models import caches_for_an_hour, least_cached_tokens
from tidegate.text import tokens

# The name as it stands, or with a letter of it escaped, so that it may be there.
_MARKED: Final = re.compile(rb'"cache_control"|\\u00(?:[67]|5[fF])')
_UNSAID: Final = (b"", b"null")
_encode: Final = msgspec.json.Encoder().encode
_objects: Final = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_text: Final = msgspec.json.Decoder(str).decode


def marked(
    said: Conversation, model: str, ttl: PrefixTtl, *, on_bedrock: bool = False
) -> Conversation:
    """The conversation with marks, or as it is where it has its own or is too short for them."""
    least = least_cached_tokens(model, on_bedrock=on_bedrock)
    if least is None or _is_marked(said):
        return said
    hour = ttl == "1h" and caches_for_an_hour(model, on_bedrock=on_bedrock)
    mark = CacheMark("1h") if hour else CacheMark()
    found, size = said, 0
    if said.tools:
        size = sum(len(it.name) + len(it.description or "") + _size(it.schema) for it in said.tools)
        if tokens.estimate(size) >= least:
            last = structs.replace(said.tools[-1], cache=mark)
            found = structs.replace(found, tools=[*said.tools[:-1], last])
    size += sum(len(it.text.encode()) for it in said.instructions)
    at = next((n for n, it in reversed([*enumerate(said.instructions)]) if it.text.strip()), None)
    if at is not None and tokens.estimate(size) >= least:
        instructions = list(said.instructions)
        instructions[at] = structs.replace(instructions[at], cache=mark)
        found = structs.replace(found, instructions=instructions)
    return found


def marked_members(ask: Ask, model: str) -> dict[str, Raw]:
    """Of a request in Anthropic's own wire, the members that are others with marks. What is wrong
    in them is for the provider to say."""
    least = least_cached_tokens(model)
    if least is None or _MARKED.search(ask.body) is not None:
        return {}
    mark = {"type": "ephemeral", "ttl": "1h"} if ask.prefix_ttl == "1h" else {"type": "ephemeral"}
    control, size, found = Raw(_encode(mark)), 0, {}
    for name in ("tools", "system"):
        raw = ask.members.get(name)
        if raw is None or bytes(raw).strip() in _UNSAID:
            continue
        size += len(bytes(raw))
        if tokens.estimate(size) < least:
            continue
        try:
            written = _with_mark(raw, control, _of_tools if name == "tools" else _of_system)
        except (msgspec.DecodeError, RecursionError):
            continue
        if written is not None:
            found[name] = written
    return found


def _is_marked(said: Conversation) -> bool:
    return (
        said.cache is not None
        or any(it.cache is not None for it in said.instructions)
        or any(it.cache is not None for it in said.tools)
        or any(_is_marked_part(part) for turn in said.turns for part in turn.parts)
    )


def _is_marked_part(part: Part) -> bool:
    if getattr(part, "cache", None) is not None:
        return True
    return isinstance(part, ToolResult) and any(it.cache is not None for it in part.parts)


def _size(schema: Any) -> int:
    return 0 if schema is None else len(bytes(schema))


def _with_mark(raw: Raw, control: Raw, place: Any) -> Raw | None:
    """The array with a mark in the object that `place` finds; None where no mark may stand."""
    if bytes(raw).lstrip()[:1] == b'"':
        text = _text(raw)
        block = {"type": "text", "text": text, "cache_control": control}
        return Raw(_encode([block])) if text.strip() else None
    objects = _objects(raw)
    at = place(objects)
    if at is None:
        return None
    objects[at] = {**objects[at], "cache_control": control}
    return Raw(_encode(objects))


def _of_tools(objects: list[dict[str, Raw]]) -> int | None:
    """The last; none where some are the provider's own, or are looked for before they are read."""
    usual = all("defer_loading" not in it and _said(it, "type") in ("", "custom") for it in objects)
    return len(objects) - 1 if objects and usual else None


def _of_system(objects: list[dict[str, Raw]]) -> int | None:
    """The last text that is one: an empty one takes no mark."""
    for at in range(len(objects) - 1, -1, -1):
        if _said(objects[at], "type") == "text" and _said(objects[at], "text").strip():
            return at
    return None


def _said(one: dict[str, Raw], name: str) -> str:
    raw = one.get(name)
    return "" if raw is None else _text(raw)
