"""OpenAI's Responses, as a caller's dialect. Nothing of an answer is stored here: what was said is
sent again, or a provider of the same wire stores it."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw

from tidegate.core.ask import OPENAI_RESPONSES, Ask
from tidegate.core.conversation import Conversation
from tidegate.core.ladder import History
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import Stamp
from tidegate.core.receipt import Endpoint
from tidegate.core.spoken import Choice, Spoken
from tidegate.dialects._openai_error import error_body, status_of
from tidegate.dialects._openai_responses_answer import ended, items_of, response
from tidegate.dialects._openai_responses_request import read
from tidegate.dialects._openai_responses_stream import OpenAIResponsesWriter
from tidegate.dialects._trimmed import left_out, trimmed
from tidegate.dialects._turns import with_turns
from tidegate.text.history import Speaker

_encode = msgspec.json.Encoder().encode
# How the kinds of item end that tell what a tool has said.
_RESULT: Final = "_call_output"
_IN_TEXT: Final = ("function_call_output", "custom_tool_call_output")


class OpenAIResponses:
    """core.plugs.Dialect."""

    name = OPENAI_RESPONSES
    paths: Mapping[bytes, Endpoint] = {b"/v1/responses": "chat", b"/responses": "chat"}
    count_paths: Mapping[bytes, str] = {path + b"/input_tokens": "input_tokens" for path in paths}
    content = "input"
    starts = b'["'
    ceiling = "max_output_tokens"
    needs_ceiling = False
    keep_alive = b": keepalive\n\n"
    passes: tuple[str, ...] = ()
    id_header = "x-request-id"

    def read(self, ask: Ask) -> Conversation:
        return read(ask)

    def writer(self, ask: Ask, stamp: Stamp) -> OpenAIResponsesWriter:
        return OpenAIResponsesWriter(ask, stamp)

    def whole(self, ask: Ask, stamp: Stamp, spoken: Spoken) -> bytes:
        choice = spoken.choices[0] if spoken.choices else Choice()
        begun = response(ask, stamp, spoken.model)
        return _encode(ended(begun, items_of(choice, stamp), spoken.usage, choice.reason))

    def with_turns(self, content: Raw, said: str, told: str) -> Raw:
        return with_turns(content, said, told)

    def trimmed(self, content: Raw, rule: History) -> Raw:
        return trimmed(content, rule, _speaker, _without_output)

    def status(self, no: Refusal | Failure) -> int:
        return status_of(no)

    def error(self, no: Refusal | Failure, request_id: str) -> bytes:
        return error_body(no)

    def error_event(self, no: Refusal | Failure, request_id: str, sequence: int) -> bytes:
        told = {"type": "error", "code": no.code.name, "message": no.message, "param": no.param}
        body = _encode({**told, "sequence_number": sequence})
        return b"event: error\ndata: %b\n\n" % body


def _speaker(item: dict[str, Any]) -> tuple[Speaker, tuple[str, ...]]:
    kind, role = str(item.get("type", "message")), item.get("role")
    call_id = item.get("call_id")
    ids = (call_id,) if isinstance(call_id, str) else ()
    if kind.endswith(_RESULT):
        return "tool", ids
    if kind != "message" or role == "assistant":
        return "model", ids
    return ("system" if role in ("system", "developer") else "user"), ()


def _without_output(item: dict[str, Any]) -> dict[str, Any]:
    """Of other tools of the provider's what they have said is no text."""
    return left_out(item, "output") if item.get("type") in _IN_TEXT else item


plug = OpenAIResponses()
