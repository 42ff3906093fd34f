"""The common middle of embeddings: what any caller wants, and what any provider has made."""

from typing import Protocol

from msgspec import Struct

from tidegate.core.ask import Outgoing, Usage
from tidegate.core.plan import Target


class Wanted(Struct, frozen=True):
    """A vector for each text; of so many numbers, where the caller says."""

    texts: list[str]
    dimensions: int | None = None


class Made(Struct, frozen=True):
    """One vector for each text, in their order. `usage` None: nobody has told."""

    vectors: list[list[float]]
    usage: Usage | None = None
    model: str | None = None


class Embedder(Protocol):
    """The endpoint `embeddings` in a wire of its own."""

    def encode(self, wanted: Wanted, target: Target) -> Outgoing:
        """Refusal for what it cannot make."""

    def read(self, body: bytes) -> Made:
        """Failure (`malformed`) when the body is no answer of this wire."""
