"""What a window of receipts comes to, as it is asked of the store and told to operators.

Without SQL, so that whoever only reads an answer need not load a database.
"""

from typing import Literal

from msgspec import Struct

# What is worst: the longest whole time, the longest wait for a first token, the highest cost, or
# the newest that failed.
Ranking = Literal["slowest", "slowest_first_token", "dearest", "failed"]


class Quantiles(Struct, frozen=True):
    """Exact, by nearest rank, over the `count` receipts that have the figure. None: none has."""

    count: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


class Sums(Struct, frozen=True):
    """Counts and sums over some receipts; the daily sums have columns of the same names.

    Sums are over what is known and None where nothing is. `cost_unknown` counts requests that
    reached a provider and whose price or usage nobody knows; `tokens_unknown` likewise.
    """

    requests: int
    errors: int
    interrupted: int
    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    tokens_unknown: int
    cost_nanousd: int | None
    cost_unknown: int


class Summary(Struct, frozen=True):
    """A window's sums and quantiles. `complete` False: only its newest receipts were read.

    What retention took away is in the sums by whole UTC days, the first of which began at
    `days_from_s` (wall-clock seconds; None: nothing is); quantiles are of receipts still kept.
    """

    sums: Sums
    ttft_s: Quantiles
    total_s: Quantiles
    output_tokens_per_s: Quantiles
    complete: bool
    days_from_s: float | None = None
