"""What rewrites an answer in its caller's wire: a dialect knows where its texts stand, `Texts` what
they become. Pure.
"""

from typing import Any, Final, Literal, Protocol

# `content` is what a user reads.
TextKind = Literal["content", "reasoning", "refusal", "other"]
# What tells a text token by token, of an answer or of its question: by whichever member of it.
TOKENS: Final = frozenset(
    {"logprobs", "token_ids", "prompt_logprobs", "prompt_token_ids"}
    | {"input_messages", "output_messages"}
)
# Members of an answer in which no text of a model stands: whose it is, what it used, how it came to
# be, and what repeats its request.
NO_ANSWER: Final = frozenset(
    {"id", "object", "created", "created_at", "completed_at", "model", "usage", "type", "role"}
    | {"system_fingerprint", "service_tier", "provider", "status", "stop_reason", "stop_sequence"}
    | {"incomplete_details", "instructions", "metadata", "tools", "tool_choice", "user"}
    | {"parallel_tool_calls", "reasoning", "truncation", "previous_response_id", "conversation"}
    | {"prompt", "prompt_cache_key", "safety_identifier", "background", "store", "container"}
    | {"context_management", "kv_transfer_params", "timings", "obfuscation", "x_groq", "nvext"}
)


class Channel(Protocol):
    """One text of a stream, piece by piece. What is added may come out later, and otherwise.
    `waiting`: something of it waits for nothing but a good place to be cut at."""

    @property
    def waiting(self) -> bool: ...

    def add(self, text: str) -> str:
        """What of it may go out now. Refusal where the answer must not go on."""

    def end(self) -> str:
        """The rest, now that it is whole. Once. Refusal."""

    def overdue(self) -> str:
        """What of it waits for nothing but a good place to be cut at."""


class Texts(Protocol):
    """What the texts of one answer become. `changes`: they may become others, and are not only
    held back; then calls are looked through too, once they are whole. Refusal of any of them stops
    the answer."""

    changes: bool

    def channel(self, kind: TextKind, choice: int) -> Channel: ...

    def whole(self, text: str) -> str:
        """A text that is there at once."""

    def called(self, choice: int, call: int, name: str, arguments: str) -> str:
        """The arguments of a call, which are JSON more often than not."""

    def value(self, value: Any) -> Any:
        """A part of an answer with all texts within it, as JSON is decoded; the same object where
        none is another."""

    def again(self, value: Any) -> Any:
        """The same of what has been told before, piece by piece."""


class Rewriter(Protocol):
    """A stream in one wire, event by event. `started`: something of the answer has gone out.
    `sequence` is the number of its next event, as a StreamReader's. `waiting`: a text waits for
    nothing but a good place to be cut at."""

    started: bool

    @property
    def sequence(self) -> int: ...

    @property
    def waiting(self) -> bool: ...

    def feed(self, data: bytes) -> bytes:
        """`data` are whole events. Refusal."""

    def overdue(self) -> bytes:
        """What waits for a good place to be cut at, as it is."""

    def end(self, terminal: bytes) -> bytes:
        """What is held still, and behind it the stream's last events. Once. Refusal."""


class Screen(Protocol):
    """What holds events back until somebody has said that they may go out. `sequence` is the number
    of the next one that goes out."""

    @property
    def sequence(self) -> int: ...

    def take(self, events: bytes) -> None:
        """More of the stream, whole events: what may go out is passed on later."""

    async def end(self, events: bytes) -> bytes:
        """The last of it, as it may go out. Refusal or Failure."""

    def close(self) -> None:
        """Nothing more goes out."""
