"""Gemini's response, whole or an event of a stream, as far as it is read; its words for ends."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.outcome import FailureKind
from tidegate.core.spoken import Reason
from tidegate.providers._calls import NO_ARGUMENTS

REFUSALS: Final = (
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "ESCALATION"),
)
REASONS: Final[dict[str, Reason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    # Its continuation needs a token that no other dialect has a place for.
    "CONTINUATION": "length",
    **dict.fromkeys(REFUSALS, "refusal"),
}
_UNREADABLE_ANSWERS: Final = (
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"),
    *("MALFORMED_RESPONSE", "NO_IMAGE", "IMAGE_OTHER"),
)
# Ends that are no answers: what the model wrote cannot be read, or it was not let to write.
FAILURES: Final[dict[str, tuple[FailureKind, str, str]]] = {
    **dict.fromkeys(
        _UNREADABLE_ANSWERS,
        ("malformed", "upstream_malformed", "the model's answer is not what was asked for"),
    ),
    "MISSING_THOUGHT_SIGNATURE": (
        "rejected",
        "rejected_by_provider",
        "the request leaves out a thought signature that the model's earlier turn came with",
    ),
    "PUP_LIMITED_DISABLED": ("unavailable", "upstream_auth", "the provider limits our account"),
}
NULL: Final = Raw(b"null")


class Call(Struct, rename="camel", gc=False):
    name: str
    id: str | None = None
    args: Raw = NO_ARGUMENTS
    will_continue: bool = False


class Part(Struct, rename="camel", gc=False):
    text: str | None = None
    thought: bool = False
    function_call: Call | None = None
    thought_signature: str | None = None


class Content(Struct, gc=False):
    parts: list[Part] = []


class Candidate(Struct, rename="camel", gc=False):
    content: Content | None = None
    finish_reason: str | None = None
    index: int = 0


class Feedback(Struct, rename="camel", gc=False):
    block_reason: str | None = None


class Response(Struct, rename="camel", gc=False):
    candidates: list[Candidate] = []
    prompt_feedback: Feedback | None = None
    usage_metadata: Raw = NULL
    model_version: str | None = None
    response_id: str | None = None
    error: Any = None


decode: Final = msgspec.json.Decoder(Response).decode
