"""What providers say, once per wire: a whole answer, a stream piece by piece, usage, errors.

Each says the same texts in its own words, so that a table of faults is written once for all.
"""

from typing import Any, ClassVar, Literal, NamedTuple

import msgspec
from tests.gateway.upstream import answer_bytes, chunk, delta
from tests.providers import messages
from tests.text.frames import thrown, told

_encode = msgspec.json.Encoder().encode
# Our credential, which each error of a provider throws back at us. It looks like none.
CANARY = "canary/Q7mZp2Lx9/Vt4R8Ws1Ky6"
TEXTS = ("one ", "two ", "<script>three</script>")
UsageKind = Literal[
    "told", "missing", "null", "zero", "negative", "huge", "words", "contradictory", "twice"
]
INPUT_TOKENS, OUTPUT_TOKENS = 11, 5
_FIGURES: dict[str, tuple[Any, Any, Any]] = {
    "told": (INPUT_TOKENS, OUTPUT_TOKENS, INPUT_TOKENS + OUTPUT_TOKENS),
    "twice": (INPUT_TOKENS, OUTPUT_TOKENS, INPUT_TOKENS + OUTPUT_TOKENS),
    "zero": (0, 0, 0),
    "negative": (-11, -5, -16),
    "huge": (10**30, 10**30, 2 * 10**30),
    "words": ("eleven", [5], {"all": 16}),
    "contradictory": (INPUT_TOKENS, OUTPUT_TOKENS, 99),
}


class Said(NamedTuple):
    """A stream in the pieces that a fault may fall between. Joined they are all of it."""

    start: list[bytes]
    content: list[bytes]
    finish: list[bytes]
    end: list[bytes]

    @property
    def all(self) -> list[bytes]:
        return [*self.start, *self.content, *self.finish, *self.end]


class ProviderWire:
    """One wire. `names` are those of a usage's input, output and total; `codecs` the plugs in
    `providers/` that speak it."""

    codecs: ClassVar[tuple[str, ...]]
    path = "/v1"
    stream_type = "text/event-stream"
    names: ClassVar[tuple[str, str, str]]
    has_closing_mark = True

    def usage(self, kind: UsageKind) -> Any:
        if kind in ("missing", "null"):
            return None
        return dict(zip(self.names, _FIGURES[kind], strict=True))

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        """The body of a whole answer."""
        raise NotImplementedError

    def stream(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> Said:
        raise NotImplementedError

    def error(self) -> bytes:
        """The body of an error, and of one that comes with status 200."""
        return _encode({"error": {"message": CANARY, "type": "server_error", "code": 500}})

    def error_event(self) -> bytes:
        return b"data: " + self.error() + b"\n\n"

    def broken_event(self) -> bytes:
        return b'data: {"choices": [\n\n'

    def no_text(self) -> bytes:
        """An event whose bytes are no UTF-8."""
        return self.stream(texts=("here",)).content[0].replace(b"here", b"\xff\xfe")

    def stream_head(self) -> bytes:
        return (
            f"HTTP/1.1 200 OK\r\ncontent-type: {self.stream_type}\r\n"
            "transfer-encoding: chunked\r\n\r\n"
        ).encode()

    def streamed(self, said: Said) -> bytes:
        """All of a stream over HTTP, each event in a chunk of its own."""
        return self.stream_head() + b"".join(map(chunk, said.all)) + b"0\r\n\r\n"

    def answered(self, usage: UsageKind = "told") -> bytes:
        """All of a whole answer over HTTP."""
        return answer_bytes(200, self.whole(usage))


class ChatWire(ProviderWire):
    """OpenAI's chat completions."""

    codecs = (
        *("openai", "openai_compatible", "vllm", "llama_cpp", "sim", "azure_openai"),
        "mistral",
    )
    names = ("prompt_tokens", "completion_tokens", "total_tokens")

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        message = {"role": "assistant", "content": "".join(texts)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "up", "object": "chat.completion", "model": "served", "choices": [choice]}
        return _encode(body | ({} if usage == "missing" else {"usage": self.usage(usage)}))

    def stream(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> Said:
        tail = [] if usage in ("missing", "null") else [self._used(usage)]
        if usage == "twice":
            tail.append(self._used("contradictory"))
        return Said(
            [b"data: " + delta({"role": "assistant", "content": ""}) + b"\n\n"],
            [b"data: " + delta({"content": text}) + b"\n\n" for text in texts],
            [b"data: " + delta({}, "stop") + b"\n\n", *tail],
            [b"data: [DONE]\n\n"],
        )

    def _used(self, usage: UsageKind) -> bytes:
        head = {"id": "up-1", "object": "chat.completion.chunk", "model": "served"}
        return _data({**head, "choices": [], "usage": self.usage(usage)})


class ResponsesWire(ProviderWire):
    """OpenAI's Responses, which `openai` speaks to callers of the same."""

    codecs = ("openai",)
    names = ("input_tokens", "output_tokens", "total_tokens")

    def _item(self, texts: tuple[str, ...]) -> dict[str, Any]:
        part = {"type": "output_text", "text": "".join(texts), "annotations": [], "logprobs": []}
        item = {"id": "msg", "type": "message", "status": "completed", "role": "assistant"}
        return {**item, "content": [part]}

    def _response(self, status: str, usage: UsageKind, texts: tuple[str, ...]) -> dict[str, Any]:
        body: dict[str, Any] = {"id": "resp_up", "object": "response", "status": status}
        body |= {"model": "served", "error": None, "output": []}
        if status == "completed":
            body["output"] = [self._item(texts)]
            if usage != "missing":
                body["usage"] = self.usage(usage)
        return body

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        return _encode(self._response("completed", usage, texts))

    def stream(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> Said:
        at = {"item_id": "msg", "output_index": 0, "content_index": 0}
        item = {"id": "msg", "type": "message", "status": "in_progress", "content": []}
        start = [
            ("response.created", {"response": self._response("in_progress", usage, texts)}),
            ("response.output_item.added", {"output_index": 0, "item": item}),
        ]
        content = [("response.output_text.delta", {**at, "delta": text}) for text in texts]
        finish = [
            ("response.output_text.done", {**at, "text": "".join(texts)}),
            ("response.output_item.done", {"output_index": 0, "item": self._item(texts)}),
        ]
        end = [("response.completed", {"response": self._response("completed", usage, texts)})]
        events = [
            b"event: %b\ndata: %b\n\n"
            % (name.encode(), _encode({"type": name, "sequence_number": number, **members}))
            for number, (name, members) in enumerate([*start, *content, *finish, *end])
        ]
        after = len(start) + len(content)
        return Said(events[:2], events[2:after], events[after:-1], events[-1:])

    def error_event(self) -> bytes:
        error = {"type": "error", "code": "server_error", "message": CANARY, "param": None}
        return b"event: error\ndata: " + _encode({**error, "sequence_number": 9}) + b"\n\n"


class MessagesWire(ProviderWire):
    """Anthropic's Messages, whose input is told at the beginning and output at the end."""

    codecs = ("anthropic",)
    names = ("input_tokens", "output_tokens", "total")

    def usage(self, kind: UsageKind) -> Any:
        if kind == "contradictory":
            details = {"thinking_tokens": 99}
            return {"input_tokens": 11, "output_tokens": 5, "output_tokens_details": details}
        told = super().usage(kind)
        return told and {name: told[name] for name in self.names[:2]}

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        body: dict[str, Any] = {"id": "msg_up", "type": "message", "role": "assistant"}
        body |= {"model": "served", "content": [{"type": "text", "text": "".join(texts)}]}
        body |= {"stop_reason": "end_turn", "stop_sequence": None}
        return _encode(body | ({} if usage == "missing" else {"usage": self.usage(usage)}))

    def stream(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> Said:
        told = self.usage(usage)
        begun = {"id": "msg_up", "type": "message", "role": "assistant", "model": "served"}
        begun |= {"content": [], "stop_reason": None, "stop_sequence": None}
        ended = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}}
        if usage != "missing":
            begun["usage"] = told and {**told, "output_tokens": 1}
            begun["usage"] = told and begun["usage"]
            ended["usage"] = told
        deltas = [messages.sent("message_delta", **ended)]
        if usage == "twice":
            ended["usage"] = {"output_tokens": 2}
            deltas.append(messages.sent("message_delta", **ended))
        return Said(
            [messages.sent("message_start", message=begun), messages.block(0)],
            [messages.delta(0, text=text) for text in texts],
            [messages.stop(0), *deltas],
            [messages.STOP],
        )

    def error(self) -> bytes:
        return _encode({"type": "error", "error": {"type": "api_error", "message": CANARY}})

    def error_event(self) -> bytes:
        return b"event: error\ndata: " + self.error() + b"\n\n"


class GeminiWire(ProviderWire):
    """Gemini's `generateContent`: nothing says that an event was the last."""

    codecs = ("gemini",)
    path = "/v1beta"
    names = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount")
    has_closing_mark = False

    def _response(self, *texts: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
        content = {"parts": [{"text": text} for text in texts], "role": "model"}
        candidate: dict[str, Any] = {"content": content, "index": 0}
        if finish is not None:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "modelVersion": "served", "responseId": "up", **more}

    def _more(self, usage: UsageKind) -> dict[str, Any]:
        return {} if usage == "missing" else {"usageMetadata": self.usage(usage)}

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        return _encode(self._response("".join(texts), finish="STOP", **self._more(usage)))

    def stream(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> Said:
        tail = [_data(self._response(finish="STOP", **self._more(usage)))]
        if usage == "twice":
            tail.append(_data(self._response(finish="STOP", **self._more("contradictory"))))
        return Said([], [_data(self._response(text)) for text in texts], tail, [])

    def error(self) -> bytes:
        return _encode({"error": {"code": 500, "message": CANARY, "status": "INTERNAL"}})


class ConverseWire(ProviderWire):
    """Bedrock's Converse: frames in place of server-sent events."""

    codecs = ("bedrock",)
    path = ""
    stream_type = "application/vnd.amazon.eventstream"
    names = ("inputTokens", "outputTokens", "totalTokens")

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        message = {"role": "assistant", "content": [{"text": "".join(texts)}]}
        body: dict[str, Any] = {"output": {"message": message}, "stopReason": "end_turn"}
        return _encode(body | ({} if usage == "missing" else {"usage": self.usage(usage)}))

    def stream(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> Said:
        metadata = {} if usage == "missing" else {"usage": self.usage(usage)}
        at = {"contentBlockIndex": 0}
        return Said(
            [_frame("messageStart", {"role": "assistant"})],
            [_frame("contentBlockDelta", {**at, "delta": {"text": text}}) for text in texts],
            [_frame("contentBlockStop", at), _frame("messageStop", {"stopReason": "end_turn"})],
            [_frame("metadata", metadata)],
        )

    def error(self) -> bytes:
        return _encode({"message": CANARY})

    def error_event(self) -> bytes:
        return thrown("internalServerException", self.error())

    def broken_event(self) -> bytes:
        return told("contentBlockDelta", b'{"contentBlockIndex":')

    def no_text(self) -> bytes:
        payload = b'{"contentBlockIndex":0,"delta":{"text":"\xff\xfe"}}'
        return told("contentBlockDelta", payload)


class CohereWire(ProviderWire):
    """Cohere's `/v2/chat`: an event that ends the message, and a mark behind it."""

    codecs = ("cohere",)
    path = "/v2"
    names = ("input_tokens", "output_tokens", "total")

    def usage(self, kind: UsageKind) -> Any:
        told = super().usage(kind)
        if told is None:
            return None
        counts = {name: told[name] for name in self.names[:2]}
        usage: dict[str, Any] = {"billed_units": counts, "tokens": counts}
        return usage | ({"cached_tokens": 99} if kind == "contradictory" else {})

    def _delta(self, usage: UsageKind) -> dict[str, Any]:
        told: dict[str, Any] = {"finish_reason": "COMPLETE"}
        return told | ({} if usage == "missing" else {"usage": self.usage(usage)})

    def whole(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> bytes:
        content = [{"type": "text", "text": "".join(texts)}]
        message = {"role": "assistant", "content": content}
        return _encode({"id": "up", "message": message, **self._delta(usage)})

    def stream(self, usage: UsageKind = "told", texts: tuple[str, ...] = TEXTS) -> Said:
        begun = {"message": {"content": {"type": "text", "text": ""}}}
        start = [
            _data({"type": "message-start", "id": "up", "delta": {"message": {}}}),
            _data({"type": "content-start", "index": 0, "delta": begun}),
        ]
        deltas = [{"message": {"content": {"text": text}}} for text in texts]
        content = [_data({"type": "content-delta", "index": 0, "delta": one}) for one in deltas]
        ended = _data({"type": "message-end", "id": "up", "delta": self._delta(usage)})
        finish = [_data({"type": "content-end", "index": 0}), ended]
        return Said(start, content, finish, [b"data: [DONE]\n\n"])

    def error(self) -> bytes:
        return _encode({"id": "up", "message": CANARY})

    def error_event(self) -> bytes:
        told = {"finish_reason": "ERROR", "error": CANARY}
        return _data({"type": "message-end", "delta": told})


def _data(payload: Any) -> bytes:
    return b"data: " + _encode(payload) + b"\n\n"


def _frame(name: str, payload: Any) -> bytes:
    return told(name, _encode(payload))


CHAT, RESPONSES = ChatWire(), ResponsesWire()
WIRES: tuple[ProviderWire, ...] = (
    *(CHAT, MessagesWire(), GeminiWire(), ConverseWire(), CohereWire()),
)
# Others share these and differ in manners, or in bytes that tests/contract/ tries.
BY_CODEC = {codec: wire for wire in WIRES for codec in wire.codecs}


def wire_of(codec: str, dialect: str) -> ProviderWire:
    """What a target of `codec` is asked for by callers of `dialect`."""
    if codec in RESPONSES.codecs and dialect == "openai_responses":
        return RESPONSES
    return BY_CODEC[codec]
