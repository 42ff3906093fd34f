"""What an engine says about itself: gauges, counters and histograms, in seconds and tokens."""

from bisect import bisect_left
from typing import Final, Literal

from msgspec import Struct, field

FinishReason = Literal["stop", "length", "abort"]

# The bounds that vLLM uses for the histogram of the same quantity.
TTFT_BOUNDS_S: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
    *(10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
GAP_BOUNDS_S: Final = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
    *(10.0, 20.0, 40.0, 80.0),
)
REQUEST_BOUNDS_S: Final = (
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0),
    *(120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)
STEP_BOUNDS_TOKENS: Final = tuple(float(2**n) for n in (0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14))
REQUEST_BOUNDS_TOKENS: Final = tuple(
    float(digit * 10**power) for power in range(6) for digit in (1, 2, 5)
)


class Histogram:
    """Counts by upper bound (inclusive, as Prometheus has it), with sum and count."""

    __slots__ = ("bounds", "count", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.count = 0

    def observe(self, value: float, times: int = 1) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times
        self.count += times


class Histograms:
    """One histogram a quantity of an engine."""

    __slots__ = (
        "decode_s",
        "e2e_s",
        "generation_tokens",
        "inference_s",
        "inter_token_s",
        "prefill_s",
        "prompt_tokens",
        "queue_s",
        "step_tokens",
        "time_per_output_token_s",
        "ttft_s",
    )

    def __init__(self) -> None:
        self.ttft_s = Histogram(TTFT_BOUNDS_S)
        self.inter_token_s = Histogram(GAP_BOUNDS_S)
        self.time_per_output_token_s = Histogram(GAP_BOUNDS_S)
        self.e2e_s = Histogram(REQUEST_BOUNDS_S)
        self.queue_s = Histogram(REQUEST_BOUNDS_S)
        self.prefill_s = Histogram(REQUEST_BOUNDS_S)
        self.decode_s = Histogram(REQUEST_BOUNDS_S)
        self.inference_s = Histogram(REQUEST_BOUNDS_S)
        self.prompt_tokens = Histogram(REQUEST_BOUNDS_TOKENS)
        self.generation_tokens = Histogram(REQUEST_BOUNDS_TOKENS)
        self.step_tokens = Histogram(STEP_BOUNDS_TOKENS)


class Timing(Struct):
    """When things happened to one request, in engine seconds; None is not yet."""

    arrival_s: float
    scheduled_s: float | None = None
    first_token_s: float | None = None
    last_token_s: float | None = None
    ended_s: float | None = None
    cached_tokens: int = 0
    preemptions: int = 0


class Readings(Struct):
    """Gauges of now and counters since the start. `kv_usage` is 0..1 of referenced blocks."""

    running: int
    waiting: int
    kv_usage: float
    steps: int
    preemptions: int
    prefix_query_tokens: int
    prefix_hit_tokens: int
    prompt_tokens: int
    generation_tokens: int
    finished: dict[FinishReason, int] = field(default_factory=dict)
