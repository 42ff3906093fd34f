"""A chunk of OpenAI's chat or text completions: the few fields that say how far an answer is."""

from typing import Any

import msgspec
from msgspec import Struct

from tidegate.core.outcome import Failure
from tidegate.core.plugs import Follower


class Delta(Struct, gc=False):
    """What a choice goes on with: text of one kind or another, or calls of tools."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: Any = None
    function_call: Any = None


class Choice(Struct, gc=False):
    """One choice's part of a chunk: `delta` in a chat, `text` in a completion."""

    index: int = 0
    delta: Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class Chunk(Struct, gc=False):
    """What is read of a chunk; a dialect that says more adds members."""

    choices: list[Choice] = []
    usage: Any = None
    error: Any = None
    id: str | None = None
    model: str | None = None
    service_tier: Any = None
    system_fingerprint: Any = None


def text_of_calls(calls: Any) -> bytes:
    """What a model has written of calls of tools, whole or in part: names and arguments, without
    what its engine puts around them. All of a shape that is not known."""
    text = ""
    for call in calls if isinstance(calls, list) else [calls]:
        if not isinstance(call, dict):
            return msgspec.json.encode(calls)
        said = call.get("function", call.get("custom", call))
        if not isinstance(said, dict):
            return msgspec.json.encode(calls)
        for name in ("name", "arguments", "input"):
            part = said.get(name)
            if isinstance(part, str):
                text += part
            elif part is not None:
                return msgspec.json.encode(calls)
    return text.encode()


def calls_of(calls: Any) -> list[tuple[int, str, str]]:
    """(number, name, arguments) of each call of a tool, whole or in part. A free text that a
    custom tool takes is no arguments, and what has no known shape is passed over."""
    found = []
    for place, call in enumerate(calls if isinstance(calls, list) else [calls]):
        if not isinstance(call, dict):
            continue
        said = call.get("function", call)
        if isinstance(said, dict) and "custom" not in call:
            number, name, arguments = call.get("index"), said.get("name"), said.get("arguments")
            found.append(
                (
                    number if isinstance(number, int) else place,
                    name if isinstance(name, str) else "",
                    arguments if isinstance(arguments, str) else "",
                )
            )
    return found


def tell(follower: Follower, choice: int, content: str, calls: Any) -> Failure | None:
    """Tells of one chunk; the first thing that ends the answer."""
    failure = follower.content(choice, content) if content else None
    for number, name, arguments in calls_of(calls) if calls else ():
        failure = failure or follower.called(choice, number, name, arguments)
    return failure
