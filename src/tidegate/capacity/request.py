"""What goes into the engine, what comes out, and a request's state on its way."""

from collections.abc import Sequence

from msgspec import Struct

from tidegate.capacity.blocks import BlockKey
from tidegate.capacity.readings import FinishReason, Timing


class NeverFits(ValueError):
    """A request that this engine could not finish even alone."""


class Request(Struct, frozen=True):
    """What is to be computed. `output_tokens` 0 asks for the prompt only, as embeddings do.

    `keys` are the chained keys of full blocks over prompt and output (`chain_keys`); a shorter
    tuple means that the rest is not shared with anyone. A lower `priority` is served first.
    """

    id: str
    prompt_tokens: int
    output_tokens: int
    keys: Sequence[BlockKey] = ()
    priority: int = 0
    reason: FinishReason = "stop"


class Emitted(Struct, frozen=True):
    """What one request got at the end of one step. `reason` and `timing` come with the last."""

    request_id: str
    at_s: float
    tokens: int
    finished: bool = False
    reason: FinishReason | None = None
    timing: Timing | None = None


class Running:
    """A request on its way. `computed` tokens are in `blocks`; `known` are prompt and output."""

    __slots__ = ("blocks", "computed", "generated", "kept", "order", "planned", "request", "timing")

    def __init__(self, request: Request, order: tuple[int, int], now_s: float) -> None:
        self.request = request
        self.order = order
        self.timing = Timing(arrival_s=now_s)
        self.blocks: list[int] = []
        self.computed = 0
        self.generated = 0
        self.kept = 0
        self.planned = 0

    @property
    def known(self) -> int:
        return self.request.prompt_tokens + self.generated
