"""OpenAI's chat completions, as a caller's dialect; its errors are those of all of OpenAI's API."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.conversation import Conversation, Refused, Text, ToolCall
from tidegate.core.ladder import History
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import Stamp
from tidegate.core.receipt import Endpoint
from tidegate.core.spoken import FINISH_REASONS, Choice, Spoken
from tidegate.dialects._carriers import call_details, details
from tidegate.dialects._openai_chat_request import read
from tidegate.dialects._openai_chat_stream import OpenAIChatWriter, usage_members
from tidegate.dialects._openai_error import error_body, status_of
from tidegate.dialects._openai_members import call_id_of
from tidegate.dialects._trimmed import left_out, trimmed
from tidegate.dialects._turns import with_turns
from tidegate.text.history import Speaker

_encode = msgspec.json.Encoder().encode


class OpenAIChat:
    """core.plugs.Dialect. Its paths are the gateway's own."""

    name = "openai_chat"
    paths: Mapping[bytes, Endpoint] = {}
    count_paths: Mapping[bytes, str] = {}
    content = "messages"
    starts = b"["
    ceiling = "max_completion_tokens"
    needs_ceiling = False
    keep_alive = b": keepalive\n\n"
    passes: tuple[str, ...] = ()
    id_header = "x-request-id"

    def read(self, ask: Ask) -> Conversation:
        return read(ask)

    def writer(self, ask: Ask, stamp: Stamp) -> OpenAIChatWriter:
        return OpenAIChatWriter(ask, stamp)

    def whole(self, ask: Ask, stamp: Stamp, spoken: Spoken) -> bytes:
        body: dict[str, Any] = {
            "id": spoken.id or f"chatcmpl-{stamp.id}",
            "object": "chat.completion",
            "created": int(stamp.at_s),
            "model": spoken.model or ask.model,
            "choices": [
                {
                    "index": index,
                    "message": _message(choice, stamp),
                    "logprobs": None,
                    "finish_reason": choice.reason and FINISH_REASONS[choice.reason],
                }
                for index, choice in enumerate(spoken.choices)
            ],
        }
        usage = None if spoken.usage is None else usage_members(spoken.usage)
        if usage is not None:
            body["usage"] = usage
        return _encode(body)

    def with_turns(self, content: Raw, said: str, told: str) -> Raw:
        return with_turns(content, said, told)

    def trimmed(self, content: Raw, rule: History) -> Raw:
        return trimmed(content, rule, _speaker, lambda turn: left_out(turn, "content"))

    def status(self, no: Refusal | Failure) -> int:
        return status_of(no)

    def error(self, no: Refusal | Failure, request_id: str) -> bytes:
        return error_body(no)

    def error_event(self, no: Refusal | Failure, request_id: str, sequence: int) -> bytes:
        return b"data: %b\n\n" % self.error(no, request_id)


def _speaker(turn: dict[str, Any]) -> tuple[Speaker, tuple[str, ...]]:
    role = turn.get("role")
    if role in ("system", "developer"):
        return "system", ()
    if role in ("tool", "function"):
        call_id = turn.get("tool_call_id")
        return "tool", (call_id,) if isinstance(call_id, str) else ()
    if role != "assistant":
        return "user", ()
    calls = turn.get("tool_calls")
    ids = [it.get("id") for it in calls if isinstance(it, dict)] if isinstance(calls, list) else []
    return "model", tuple(it for it in ids if isinstance(it, str))


def _message(choice: Choice, stamp: Stamp) -> dict[str, Any]:
    texts: list[str] = []
    refusals: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    carried: list[dict[str, Any]] = []
    for part in choice.parts:
        if isinstance(part, Text):
            texts.append(part.text)
        elif isinstance(part, Refused):
            refusals.append(part.text)
        elif isinstance(part, ToolCall):
            call_id = call_id_of(part.id, stamp, len(calls))
            function = {"name": part.name, "arguments": part.arguments}
            calls.append({"id": call_id, "type": "function", "function": function})
            if part.signature is not None:
                carried.append(call_details(call_id, part.signature, part.wire, len(carried)))
        else:
            thoughts.append(part.text)
            if part.signature is not None or part.sealed is not None:
                carried.append(details(part, len(carried)))
    refusal = "".join(refusals) if refusals else None
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts else None,
        "refusal": refusal,
    }
    if any(thoughts):
        message["reasoning_content"] = "".join(thoughts)
    if carried:
        message["reasoning_details"] = carried
    if calls:
        message["tool_calls"] = calls
    return message


plug = OpenAIChat()
