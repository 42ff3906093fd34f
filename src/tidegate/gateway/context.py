"""What a request's head says of its surroundings: session, end user, trace, time spent before."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tidegate.core.outcome import Refusal
from tidegate.core.priority import PRIORITIES, Priority, lower
from tidegate.core.receipt import Receipt

MAX_ID_CHARS = 256
MAX_DEADLINE_S = 86_400.0

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
# Of the Python libraries the first, of those for JavaScript the second; Anthropic's may say both.
_LIBRARIES: Final = (b"x-stainless-read-timeout", b"x-stainless-timeout")
_SECONDS = re.compile(rb"\d{1,9}(?:\.\d{1,9})?")
_PRIORITIES: Final[Mapping[bytes, Priority]] = {name.encode(): name for name in PRIORITIES}
_BAGGAGE = re.compile(
    rb"(?:^|,)\s*tidegate\.(retrieval|tool)_ms\s*=\s*(\d{1,9}(?:\.\d{1,6})?)(?=\s*(?:[,;]|$))"
)


class Context(Struct):
    """Absent is None. `retrieval_s` and `tool_s` are the application's own, told by W3C baggage.

    `deadline_s` is how long the caller waits for its answer. `priority` is the class it asks for.
    """

    session_id: str | None = None
    end_user: str | None = None
    client_request_id: str | None = None
    retry_count: int | None = None
    trace_id: str | None = None
    retrieval_s: float | None = None
    tool_s: float | None = None
    deadline_s: float | None = None
    priority: Priority | None = None

    def note(self, receipt: Receipt) -> None:
        receipt.session_id = self.session_id
        receipt.end_user = self.end_user
        receipt.client_request_id = self.client_request_id
        receipt.retry_count = self.retry_count
        receipt.trace_id = self.trace_id
        receipt.retrieval_s = self.retrieval_s
        receipt.tool_s = self.tool_s
        if self.priority is not None:
            receipt.priority = lower(receipt.priority, self.priority)


# Of most heads, which is told by one look.
NOTHING: Final = Context()


def read_context(headers: Mapping[bytes, bytes]) -> Context:
    """The context that a request's headers tell; what cannot be read counts as absent.

    Refusal for a priority or a deadline that is none: who writes one means it.
    """
    context = Context(
        session_id=_header(headers, b"x-tidegate-session-id", b"x-litellm-session-id"),
        end_user=_header(headers, b"x-tidegate-end-user-id", b"x-litellm-end-user-id"),
        client_request_id=_header(headers, b"x-request-id"),
    )
    retries = headers.get(b"x-stainless-retry-count", b"")
    if retries.isdigit() and len(retries) < 4:
        context.retry_count = int(retries)
    if match := _TRACEPARENT.fullmatch(headers.get(b"traceparent", b"")):
        context.trace_id = match[1].decode()
    for name, milliseconds in _BAGGAGE.findall(headers.get(b"baggage", b"")):
        if name == b"retrieval":
            context.retrieval_s = float(milliseconds) / 1000
        else:
            context.tool_s = float(milliseconds) / 1000
    context.deadline_s = _deadline_s(headers)
    for name in (b"x-tidegate-priority", b"x-litellm-priority"):
        asked = headers.get(name)
        if asked is not None:
            context.priority = _priority(name.decode(), asked)
            break
    return NOTHING if context == NOTHING else context


def _deadline_s(headers: Mapping[bytes, bytes]) -> float | None:
    """The caller's own deadline, or what the client libraries of OpenAI and Anthropic say of
    theirs: the lower of the two names that they have for it."""
    own = headers.get(b"x-tidegate-timeout")
    if own is not None:
        deadline_s = _seconds(own)
        if deadline_s is None:
            message = f"`x-tidegate-timeout` must be seconds, such as 2.5, up to {MAX_DEADLINE_S:g}"
            raise Refusal("invalid_parameter", message, param="x-tidegate-timeout")
        return deadline_s
    told = (_seconds(headers.get(name, b"")) for name in _LIBRARIES)
    return min((it for it in told if it is not None), default=None)


def _seconds(value: bytes) -> float | None:
    if not _SECONDS.fullmatch(value):
        return None
    seconds = float(value)
    return seconds if 0 < seconds <= MAX_DEADLINE_S else None


def _priority(header: str, value: bytes) -> Priority:
    priority = _PRIORITIES.get(value.lower())
    if priority is None:
        message = f"`{header}` must be one of: {', '.join(PRIORITIES)}"
        raise Refusal("invalid_parameter", message, param=header)
    return priority


def identifier(text: str | None) -> str | None:
    """Somebody else's short word, if it is fit to be stored and shown; others count as absent."""
    return text if text and len(text) <= MAX_ID_CHARS and text.isprintable() else None


def _header(headers: Mapping[bytes, bytes], *names: bytes) -> str | None:
    for name in names:
        value = headers.get(name)
        if value:
            return identifier(value.decode("latin-1"))
    return None
