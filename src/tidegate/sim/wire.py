"""Answers in OpenAI's shape: whole bodies, and the events of a stream."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from tidegate.sim.generation import Choice, Job

_encode = msgspec.json.encode
Kind = Literal["chat", "completions"]


class Shape:
    """The envelope that all parts of one answer share."""

    def __init__(self, kind: Kind, answer_id: str, created_s: int, model: str) -> None:
        self.chat = kind == "chat"
        prefix = "chatcmpl" if self.chat else "cmpl"
        name = "chat.completion" if self.chat else "text_completion"
        self._head = {
            "id": f"{prefix}-{answer_id}",
            "object": name,
            "created": created_s,
            "model": model,
        }
        chunk = {**self._head, "object": f"{name}.chunk" if self.chat else name}
        self._chunk = _encode(chunk)[:-1] + b',"choices":['
        self._tail = b"]}"

    def expect_usage(self) -> None:
        """Every event before the last one carries `usage: null`, because usage was asked for."""
        self._tail = b'],"usage":null}'

    # events

    def role(self, index: int) -> bytes:
        return self._delta(index, b'{"role":"assistant","content":""}')

    def token(self, index: int, choice: Choice, at: int) -> bytes:
        """The event of the choice's token number `at`. A token may show nothing."""
        if choice.calls:
            return self._delta(index, _call_delta(choice, at))
        shown = _encode(choice.tokens[at]) if at < len(choice.tokens) else b'""'
        if self.chat:
            return self._delta(index, b'{"content":%b}' % shown)
        return b'%b{"index":%d,"text":%b,"logprobs":null,"finish_reason":null}%b' % (
            self._chunk,
            index,
            shown,
            self._tail,
        )

    def finish(self, index: int, reason: str) -> bytes:
        if self.chat:
            return self._delta(index, b"{}", b'"%b"' % reason.encode())
        return b'%b{"index":%d,"text":"","logprobs":null,"finish_reason":"%b"}%b' % (
            self._chunk,
            index,
            reason.encode(),
            self._tail,
        )

    def usage(self, report: dict[str, Any]) -> bytes:
        return b'%b],"usage":%b}' % (self._chunk, _encode(report))

    def _delta(self, index: int, delta: bytes, reason: bytes = b"null") -> bytes:
        return b'%b{"index":%d,"delta":%b,"logprobs":null,"finish_reason":%b}%b' % (
            self._chunk,
            index,
            delta,
            reason,
            self._tail,
        )

    # the whole

    def whole(self, choices: Sequence[Choice], reports: Sequence[dict[str, Any]]) -> bytes:
        """The body of an answer that is not streamed. No report, no `usage` member."""
        body: dict[str, Any] = dict(self._head)
        body["choices"] = [
            self._whole_choice(index, choice) for index, choice in enumerate(choices)
        ]
        if reports:
            body["usage"] = reports[-1]
        return _encode(body)

    def _whole_choice(self, index: int, choice: Choice) -> dict[str, Any]:
        end = {"logprobs": None, "finish_reason": choice.finish_reason}
        written = "".join(choice.tokens)
        if not self.chat:
            return {"index": index, "text": written, **end}
        message: dict[str, Any] = {"role": "assistant", "content": written}
        if choice.calls:
            message["content"] = None
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in choice.calls
            ]
        return {"index": index, "message": message, **end}


def usage(job: Job, generated: int, cached_tokens: int) -> dict[str, Any]:
    """Usage as vLLM tells it: `prompt_tokens` includes the cached ones."""
    return {
        "prompt_tokens": job.prompt_tokens,
        "completion_tokens": generated,
        "total_tokens": job.prompt_tokens + generated,
        "prompt_tokens_details": {"cached_tokens": cached_tokens},
    }


def _call_delta(choice: Choice, at: int) -> bytes:
    """A call's id and name come once, with its first token; its arguments follow in pieces."""
    call = -1
    for token in choice.tokens[: at + 1]:
        call += token == ""
    token = choice.tokens[at]
    if token:
        part: dict[str, Any] = {"index": call, "function": {"arguments": token}}
    else:
        head = choice.calls[call]
        function = {"name": head.name, "arguments": ""}
        part = {"index": call, "id": head.id, "type": "function", "function": function}
    return _encode({"tool_calls": [part]})
