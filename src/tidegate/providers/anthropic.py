"""Anthropic's own API, and whatever speaks its Messages."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw

from tidegate.core import clock
from tidegate.core.ask import Answer, Ask, Outgoing
from tidegate.core.conversation import Conversation
from tidegate.core.embeddings import Embedder
from tidegate.core.losses import Losses
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plan import Target
from tidegate.core.plugs import BatchWire, Passthrough, Signer
from tidegate.core.receipt import Endpoint
from tidegate.core.spoken import Spoken, answer_of
from tidegate.providers._anthropic_error import fault
from tidegate.providers._anthropic_request import Writer
from tidegate.providers._anthropic_spoken import (
    AnthropicSpokenReader,
    read_count,
    read_whole,
    spoken_of,
)
from tidegate.providers._anthropic_stream import AnthropicStreamReader
from tidegate.providers._anthropic_wire import REASONS
from tidegate.providers._claude import LEAST_BUDGET_TOKENS
from tidegate.providers._failures import reason_of
from tidegate.providers._prefix_marks import marked, marked_members

_PATH = b"/messages"
_COUNT_PATH = b"/messages/count_tokens"
_encode = msgspec.json.Encoder().encode


class MessageBatches:
    """core.plugs.BatchWire of Messages."""

    form: Literal["files", "messages"] = "messages"
    price_share: float | None = 0.5

    def path(self, target: Target, path: bytes, query: bytes = b"") -> bytes:
        del target
        return _PATH + path + b"?" + query if query else _PATH + path

    def url(self, endpoint: Endpoint) -> str:
        del endpoint
        return "/v1/messages"


class Anthropic:
    """core.plugs.Provider, and the Passthrough of its own callers."""

    base_url: str | None = "https://api.anthropic.com/v1"
    hosted = True
    endpoints: frozenset[Endpoint] = frozenset({"chat"})
    headers: tuple[tuple[str, str], ...] = (("anthropic-version", "2023-06-01"),)
    signer: Signer | None = None
    embedder: Embedder | None = None
    batches: BatchWire | None = MessageBatches()
    counts_tokens = True

    def __init__(self) -> None:
        self.passthrough: Mapping[str, Passthrough] = {"anthropic_messages": self}

    def credential_header(self, secret: str) -> tuple[str, str]:
        return "x-api-key", secret

    def encode(self, ask: Ask, target: Target) -> Outgoing:
        """The caller's body with the target's model, and our bound on its output."""
        if ask.counts:
            members = {**ask.members, "model": Raw(_encode(target.model))}
            return Outgoing(_COUNT_PATH, _encode(members), ask.passed)
        bound, marks = ask.output_bound_tokens, {}
        if ask.prefix_ttl is not None:
            marks = marked_members(ask, target.model)
        if bound is None and ask.model == target.model and not marks:
            return Outgoing(_PATH, ask.body, ask.passed)
        members = {**ask.members, **marks, "model": Raw(_encode(target.model))}
        if bound is not None:
            members["max_tokens"] = Raw(_encode(bound))
            if "thinking" in members:
                members["thinking"] = _within(members["thinking"], bound)
        return Outgoing(_PATH, _encode(members), ask.passed)

    def reader(self, ask: Ask) -> AnthropicStreamReader:
        return AnthropicStreamReader()

    def across(self, body: bytes, *, streamed: bool) -> bytes | None:
        """By the common middle, which is of this wire."""
        del body, streamed
        return None

    def read_answer(self, ask: Ask, body: bytes) -> Answer:
        if ask.counts:
            return read_count(body)
        message = read_whole(body)
        answer = answer_of(spoken_of(message, REASONS.get(message.stop_reason or "")))
        if answer.finish_reason is None:
            return msgspec.structs.replace(answer, finish_reason=message.stop_reason)
        return answer

    def encode_conversation(
        self, said: Conversation, ask: Ask, target: Target, drop: bool
    ) -> Outgoing:
        if ask.prefix_ttl is not None:
            said = marked(said, target.model, ask.prefix_ttl)
        losses = Losses(said, "anthropic", drop=drop)
        body = Writer(said, target.model, losses).body(ask.output_bound_tokens)
        if ask.stream:
            body["stream"] = True
        return Outgoing(_PATH, _encode(body), dropped=tuple(losses.names))

    def spoken_reader(self, ask: Ask) -> AnthropicSpokenReader:
        return AnthropicSpokenReader()

    def read_spoken(self, ask: Ask, body: bytes) -> Spoken:
        message = read_whole(body)
        return spoken_of(message, reason_of(REASONS, message.stop_reason or ""))

    def fault(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure:
        return fault(status, headers, body, clock.wall_s())


def _within(thinking: Raw, bound_tokens: int) -> Raw:
    """The caller's wish to think, within a bound of ours on the answer: Anthropic refuses a budget
    that is not below the ceiling. Refusal where the bound leaves no room to think in."""
    try:
        told = msgspec.json.decode(thinking, type=dict[str, Raw])
        budget_tokens = msgspec.json.decode(told.get("budget_tokens", b"0"), type=int)
    except msgspec.DecodeError:
        return thinking  # Anthropic says what is wrong with it
    if budget_tokens < bound_tokens:
        return thinking
    if bound_tokens <= LEAST_BUDGET_TOKENS:
        message = (
            f"at most {bound_tokens} tokens are left for this answer, and to think takes more than "
            f"{LEAST_BUDGET_TOKENS}: leave `thinking` out, or wait until there is room"
        )
        raise Refusal("output_too_long", message, param="thinking.budget_tokens")
    told["budget_tokens"] = Raw(_encode(bound_tokens - 1))
    return Raw(_encode(told))


plug = Anthropic()
