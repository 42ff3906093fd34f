"""What is known of a model besides its price: what it takes and can do, how long it is there."""

from collections.abc import Callable
from datetime import date
from typing import Final, Literal

from msgspec import Struct

Modality = Literal["text", "image", "audio", "video", "pdf"]
# What a model is for, where that is one thing: other endpoints of its provider are not its own.
Purpose = Literal["chat", "embeddings", "rerank"]
_ALONE: Final = frozenset({"embeddings", "rerank"})
MODALITIES: Final[tuple[Modality, ...]] = ("text", "image", "audio", "video", "pdf")


class ModelFacts(Struct, frozen=True, omit_defaults=True):
    """None is unknown, and nothing is refused for it.

    `inputs` and `outputs` are all the kinds of content that it takes and makes; with `more_inputs`
    it may take others too. `output_tokens` is the most that one answer can be asked for.
    `json_schema`: it can be held to one. `retires_on` is the day from which its provider may serve
    it no more; `deprecated`: that day is coming, or its provider advises against it.
    `serves` is what it is for.
    """

    context_tokens: int | None = None
    output_tokens: int | None = None
    inputs: tuple[Modality, ...] | None = None
    outputs: tuple[Modality, ...] | None = None
    more_inputs: bool = False
    tools: bool | None = None
    reasoning: bool | None = None
    json_schema: bool | None = None
    retires_on: date | None = None
    deprecated: bool = False
    serves: Purpose | None = None

    def takes(self, kind: Modality) -> bool:
        """Whether a prompt may hold this; where nobody knows, it may."""
        return self.inputs is None or self.more_inputs or kind in self.inputs

    def may_serve(self, endpoint: str) -> bool:
        """What embeds or ranks does nothing else, and what chats does neither."""
        if self.serves in (None, endpoint):
            return True
        return self.serves == "chat" and endpoint not in _ALONE

    def days_left(self, today: date) -> int | None:
        """Days until it is retired, negative after; None where no day is known."""
        return None if self.retires_on is None else (self.retires_on - today).days


UNKNOWN: Final = ModelFacts()
ModelOf = Callable[[str, str, str], ModelFacts]  # dialect, base URL, model


def unknown(dialect: str, base_url: str, model: str) -> ModelFacts:
    """Where nothing is published."""
    del dialect, base_url, model
    return UNKNOWN
