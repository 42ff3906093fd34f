"""OpenAI's wire as vLLM, SGLang, TGI, llama.cpp, Groq, Together and OpenRouter speak it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from tidegate.core import clock
from tidegate.core.ask import Answer, Ask, Outgoing
from tidegate.core.outcome import Failure
from tidegate.core.plan import Target
from tidegate.core.receipt import Endpoint
from tidegate.providers._openai_error import failure_in_answer, failure_of
from tidegate.providers._openai_stream import OpenAIStreamReader
from tidegate.providers._openai_usage import read_usage

PATHS: Mapping[Endpoint, bytes] = {
    "chat": b"/chat/completions",
    "completions": b"/completions",
    "embeddings": b"/embeddings",
}

_encode = msgspec.json.Encoder().encode
_INCLUDE_USAGE = Raw(b'{"include_usage":true}')


class _Message(Struct):
    content: Any = None
    tool_calls: Any = None
    reasoning_content: Any = None


class _AnswerChoice(Struct):
    message: _Message | None = None
    text: str | None = None
    finish_reason: str | None = None


class _WholeAnswer(Struct):
    choices: list[_AnswerChoice] = []
    data: Raw = Raw()
    usage: Any = None
    error: Any = None
    id: str | None = None
    model: str | None = None


_decode_answer = msgspec.json.Decoder(_WholeAnswer).decode


class OpenAICompatible:
    """core.plugs.Provider. A provider that differs only in address is a subclass of two lines."""

    base_url: str | None = None
    hosted = False
    endpoints: frozenset[Endpoint] = frozenset(PATHS)

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        """The caller's body with the target's model and, for a stream, usage asked for."""
        path = PATHS[ask.endpoint]
        asks_usage = not ask.stream or ask.include_usage
        if asks_usage and ask.model == target.model:
            return Outgoing(path, ask.body)
        members = dict(ask.members)
        members["model"] = Raw(_encode(target.model))
        if not asks_usage:
            members["stream_options"] = _with_usage(members.get("stream_options"))
        return Outgoing(path, _encode(members))

    def credential_header(self, secret: str) -> tuple[str, str]:
        return "authorization", f"Bearer {secret}"

    def reader(self, ask: Ask) -> OpenAIStreamReader:
        return OpenAIStreamReader(ask)

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        try:
            answer = _decode_answer(body)
        except (msgspec.DecodeError, RecursionError):
            raise Failure(
                "malformed", "upstream_malformed", "the provider's answer is not what was asked for"
            ) from None
        if answer.error:
            raise failure_in_answer(answer.error)
        wants_output = ask.endpoint != "embeddings"
        if not answer.choices and (wants_output or bytes(answer.data)[:1] != b"["):
            raise Failure("malformed", "upstream_malformed", "the provider's answer is empty")
        text = b"".join(_text_of(choice) for choice in answer.choices)
        usage = None
        if answer.usage is not None:
            usage = read_usage(answer.usage, has_output=bool(text), wants_output=wants_output)
        finish = answer.choices[-1].finish_reason if answer.choices else None
        return Answer(usage, finish, answer.model, answer.id, text)

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        return failure_of(status, headers, body, clock.wall_s())


def _with_usage(options: Raw | None) -> Raw:
    """The caller's `stream_options`, its other members kept, with usage asked for."""
    if options is None or bytes(options) == b"null":
        return _INCLUDE_USAGE
    members = msgspec.json.decode(options, type=dict[str, Raw])
    members["include_usage"] = Raw(b"true")
    return Raw(_encode(members))


def _text_of(choice: _AnswerChoice) -> bytes:
    message = choice.message
    if message is None:
        return (choice.text or "").encode("utf-8", "surrogatepass")
    parts = (message.reasoning_content, message.content, message.tool_calls)
    return b"".join(
        part.encode("utf-8", "surrogatepass") if isinstance(part, str) else _encode(part)
        for part in parts
        if part
    )


plug = OpenAICompatible()
