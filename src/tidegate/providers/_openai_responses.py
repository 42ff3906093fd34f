"""OpenAI's Responses where caller and provider both speak it: what its answers say of themselves.

What a provider keeps beyond its answer is not for callers here: the gateway could neither see what
it costs (`background`), nor tell whose it is (`conversation`, references to items).
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Answer, Ask, Outgoing, Said, Usage
from tidegate.core.outcome import Failure
from tidegate.core.plan import Target
from tidegate.providers._failures import interrupted, malformed, no_answer
from tidegate.providers._openai_error import failure_in_answer
from tidegate.providers._openai_usage import OpenAIUsage, read_usage
from tidegate.providers._usage import CONFLICT, has_no_output
from tidegate.text.strict_json import UNREADABLE

PATH: Final = b"/responses"
_FINISHES: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
_encode = msgspec.json.Encoder().encode


class _InputDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class _OutputDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class _Incomplete(Struct):
    reason: str | None = None


class Item(Struct):
    """An item of the output as far as it is read; `content` holds a message's parts."""

    type: str = ""
    name: str | None = None
    arguments: Any = None
    content: Any = None
    summary: Any = None


class Response(Struct):
    """The object, in an event or as a whole answer."""

    id: str | None = None
    status: str | None = None
    model: str | None = None
    service_tier: Any = None
    output: list[Item] | None = None
    usage: Any = None
    error: Any = None
    incomplete_details: _Incomplete | None = None


_decode = msgspec.json.Decoder(Response).decode


def encode(ask: Ask, target: Target) -> Outgoing:
    """The caller's body with the target's model, and our bound on its output."""
    bound = ask.output_bound_tokens
    if bound is None and ask.model == target.model:
        return Outgoing(PATH, ask.body)
    members = {**ask.members, "model": Raw(_encode(target.model))}
    if bound is not None:
        members["max_output_tokens"] = Raw(_encode(bound))
    return Outgoing(PATH, _encode(members))


def usage_of(told: Any) -> Usage | None:
    """A `usage` member, whatever that is; None where there is none."""
    if told is None:
        return None
    try:
        usage = msgspec.convert(told, _Usage)
        details = {
            "prompt_tokens_details": usage.input_tokens_details,
            "completion_tokens_details": usage.output_tokens_details,
        }
        same = msgspec.convert(
            {name: msgspec.to_builtins(one) for name, one in details.items() if one is not None},
            OpenAIUsage,
        )
    except msgspec.ValidationError:
        return CONFLICT
    same.prompt_tokens, same.completion_tokens = usage.input_tokens, usage.output_tokens
    same.total_tokens = usage.total_tokens
    return read_usage(same, wants_output=True)


def finish_of(response: Response) -> str | None:
    """Its name on the wire of chat: receipts of all targets speak alike."""
    if response.status == "incomplete":
        details = response.incomplete_details or _Incomplete()
        return _FINISHES.get(details.reason or "", details.reason)
    calls = any(item.type == "function_call" for item in response.output or ())
    return "tool_calls" if calls else "stop"


def failure_of(response: Response) -> Failure | None:
    """Why it is no answer; None where it is one."""
    if response.status in ("completed", "incomplete"):
        return None
    if response.error:
        return failure_in_answer(response.error)
    if response.status in ("failed", "cancelled"):
        return interrupted("the provider gave its answer up")
    return malformed("the provider's answer is not finished")


def read_answer(body: bytes) -> Answer:
    """Failure when the body is no answer."""
    try:
        response = _decode(body)
    except UNREADABLE:
        raise no_answer() from None
    if response.status is None and response.error:
        raise failure_in_answer(response.error)
    failure = failure_of(response)
    if failure is not None:
        raise failure
    if response.output is None:
        raise malformed("the provider's answer is empty")
    usage = usage_of(response.usage)
    text = b"".join(_text_of(item) for item in response.output)
    if usage is not None and text and has_no_output(usage):
        usage = CONFLICT
    if usage is not None and not usage.conflict:
        text = b""
    tier = response.service_tier if isinstance(response.service_tier, str) else None
    finish = finish_of(response)
    said = (_said(response.output),)
    return Answer(usage, finish, response.model, response.id, text, tier, said)


def _said(output: list[Item]) -> Said:
    """The content and the calls of an answer, and whether its model refused."""
    parts = [
        part
        for item in output
        if item.type == "message" and isinstance(item.content, list)
        for part in item.content
        if isinstance(part, dict)
    ]
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    calls = [
        (item.name or "", item.arguments if isinstance(item.arguments, str) else "")
        for item in output
        if item.type == "function_call"
    ]
    acts = any(is_act(item) for item in output)
    return Said("".join(texts), any("refusal" in part for part in parts), tuple(calls), acts)


def is_act(item: Item) -> bool:
    """It calls a tool that is no function, such as one of OpenAI's own."""
    return item.type.endswith("_call") and item.type != "function_call"


def _text_of(item: Item) -> bytes:
    parts = [item.name, item.arguments]
    for held in (item.content, item.summary):
        for part in held if isinstance(held, list) else ():
            if isinstance(part, dict):
                parts += [part.get("text"), part.get("refusal")]
    return b"".join(part.encode() for part in parts if isinstance(part, str))
