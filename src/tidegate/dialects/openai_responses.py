"""OpenAI's Responses, as a caller's dialect. Nothing of an answer is stored here: what was said is
sent again, or a provider of the same wire stores it."""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from tidegate.core.ask import OPENAI_RESPONSES, Ask
from tidegate.core.conversation import Conversation
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plugs import Stamp
from tidegate.core.receipt import Endpoint
from tidegate.core.rewriting import Texts
from tidegate.core.spoken import Choice, Spoken
from tidegate.dialects._openai_error import error_body, status_of
from tidegate.dialects._openai_responses_answer import ended, items_of, response
from tidegate.dialects._openai_responses_request import read
from tidegate.dialects._openai_responses_rewriter import OpenAIResponsesRewriter
from tidegate.dialects._openai_responses_stream import OpenAIResponsesWriter
from tidegate.dialects._turns import with_turns

_encode = msgspec.json.Encoder().encode


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

    def rewriter(self, texts: Texts) -> OpenAIResponsesRewriter:
        return OpenAIResponsesRewriter(texts)

    def whole(self, ask: Ask, stamp: Stamp, spoken: Spoken) -> bytes:
        choice = spoken.choices[0] if spoken.choices else Choice()
        begun = response(ask, stamp, spoken.model)
        return _encode(ended(begun, items_of(choice, stamp), spoken.usage, choice.reason))

    def with_turns(self, content: Raw, said: str, told: str) -> Raw:
        return with_turns(content, said, told)

    def status(self, no: Refusal | Failure) -> int:
        return status_of(no)

    def error(self, no: Refusal | Failure, request_id: str) -> bytes:
        return error_body(no)

    def error_event(self, no: Refusal | Failure, request_id: str, sequence: int) -> bytes:
        told = {"type": "error", "code": no.code.name, "message": no.message, "param": no.param}
        body = _encode({**told, "sequence_number": sequence})
        return b"event: error\ndata: %b\n\n" % body


plug = OpenAIResponses()
