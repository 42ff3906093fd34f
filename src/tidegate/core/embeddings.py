"""The common middle of embeddings: what any caller wants, and what any provider has made."""

from msgspec import Struct

from tidegate.core.ask import Usage


class Wanted(Struct, frozen=True):
    """A vector for each text; of so many numbers, where the caller says."""

    texts: list[str]
    dimensions: int | None = None


class Made(Struct, frozen=True):
    """One vector for each text, in their order. `usage` None: nobody has told."""

    vectors: list[list[float]]
    usage: Usage | None = None
    model: str | None = None
