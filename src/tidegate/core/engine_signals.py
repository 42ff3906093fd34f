"""What an engine says of itself, whichever engine it is: where, which signals, what a page says.

Every signal is an amount over a weight, so that spans of time and replicas add up: a level's
amount is the sum of its samples and its weight their number; a rate's are an increase and the
seconds it took; a share's and a mean's are what was counted and out of how much.
"""

from collections.abc import Mapping
from typing import Final, Literal, Protocol

from msgspec import Struct

from tidegate.core.secret import SecretRef
from tidegate.core.signal import NoData, Value

EngineKind = Literal["level", "rate", "share", "mean"]
# How replicas of a target come to one figure.
Together = Literal["sum", "greatest", "pooled"]

SCRAPE_S: Final = 10.0
STALE_S: Final = 3 * SCRAPE_S


class EnginePage(Struct, frozen=True, omit_defaults=True):
    """Where a target's replicas tell of themselves: `engine` is the file in `engines/`. `port` None
    is the replica's own, `path` None the engine's. `header` is where `api_key` goes, None where it
    is a bearer's token."""

    engine: str
    port: int | None = None
    path: str | None = None
    api_key: SecretRef | None = None
    header: str | None = None


class EngineSignal(Struct, frozen=True):
    """`kind` says how it is measured, `together` how several ranks or replicas make one figure.

    `most` is the greatest value that can be, where there is one.
    """

    name: str
    unit: str
    kind: EngineKind
    together: Together
    text: str
    most: float | None = None


ENGINE_SIGNALS: Final[Mapping[str, EngineSignal]] = {
    one.name: one
    for one in (
        EngineSignal("engine_running", "requests", "level", "sum", "Requests in the batch."),
        EngineSignal("engine_waiting", "requests", "level", "sum", "Requests that wait for it."),
        EngineSignal(
            "engine_kv_cache_usage",
            "ratio",
            "level",
            "greatest",
            "KV cache that requests refer to, of the fullest rank or replica.",
            1.0,
        ),
        EngineSignal(
            "engine_prefix_hits",
            "ratio",
            "share",
            "pooled",
            "Prompt tokens that the prefix cache had, of those that were looked up.",
            1.0,
        ),
        EngineSignal("engine_queue_s", "seconds", "mean", "pooled", "Wait for the batch, mean."),
        EngineSignal(
            "engine_preemptions",
            "1/s",
            "rate",
            "sum",
            "Requests put back to wait for want of KV cache.",
        ),
        EngineSignal("engine_prefill_s", "seconds", "mean", "pooled", "Prefill, mean a request."),
        EngineSignal("engine_decode_s", "seconds", "mean", "pooled", "Decode, mean a request."),
        EngineSignal("engine_ttft_s", "seconds", "mean", "pooled", "Time to first token, mean."),
        EngineSignal(
            "engine_inter_token_s", "seconds", "mean", "pooled", "Between two tokens, mean."
        ),
        EngineSignal("engine_input_tokens", "tokens/s", "rate", "sum", "Prompt tokens."),
        EngineSignal("engine_output_tokens", "tokens/s", "rate", "sum", "Tokens generated."),
        EngineSignal("engine_finished", "requests/s", "rate", "sum", "Requests that ended."),
    )
}

# One number for each part of an engine (a data-parallel rank, a reason), by its labels.
Parts = Mapping[str, float]


class Found(Struct, frozen=True):
    """What a page says of one signal: `parts`, and `per` what a share or a mean is out of.

    `alias` is the name in the engine's own words that answered.
    """

    alias: str
    parts: Parts
    per: Parts | None = None


class Scrape(Struct, frozen=True):
    """One page. `signals` has every signal of the table, by its name.

    `mark` is the same as long as nothing at all that the engine says of itself has changed.
    """

    signals: Mapping[str, Found | NoData]
    mark: int


class Measured(Struct, frozen=True):
    """An amount over a weight; the value is the one by the other. `alias` as in `Found`."""

    amount: float
    weight: float
    alias: str

    @property
    def reading(self) -> Value | NoData:
        return Value(self.amount / self.weight) if self.weight > 0 else NoData("no_traffic")


# By the signal's name; every signal of the table is there.
Measurements = Mapping[str, Measured | NoData]


class EngineReader(Protocol):
    """What one engine's metrics page says. Pure. `path` is where the page is, on its address."""

    path: str

    def read(self, page: bytes) -> Scrape:
        """NoData for each signal that the page has not; for all of them where it is no page."""
