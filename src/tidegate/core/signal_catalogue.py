"""The signals that receipts add up to: name, unit and how each is made of the counts and histograms
of bins. What engines say of themselves is not in this list.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from tidegate.core.bin import TOKEN_CLASSES
from tidegate.core.sli import Sli

_MEANINGS: Final[dict[Sli, str]] = {
    "availability": "requests that were answered, of those that we could have answered",
    "integrity": "streams that came to their end, of those that began",
    "validity": "answers that kept their route's contract, of those that were checked",
    "fallback": "answers by their first choice",
    "abandon": "requests whose client did not leave before the end",
    "batch": "answered requests of batches",
}
_TIMES: Final = {
    "ttft": "to the first token",
    "turn_time": "to the end of a turn, with what its application told of its own time",
    "total_time": "to the end",
    "itl": "between two tokens, the mean of an answer",
}
_NANOUSD_A_USD: Final = 1e9
_HOUR_S: Final = 3600.0


class Known(Struct, frozen=True):
    """One signal. A `share` is the sum of `part` over that of `whole`, nothing where that is 0; a
    `rate` the sum of `part` a second, both times `factor`; a `quantile` that of the histogram."""

    name: str
    unit: str
    meaning: str
    kind: Literal["share", "rate", "quantile"]
    part: str
    whole: tuple[str, ...] = ()
    factor: float = 1.0
    quantile: float = 0.0


def _share(name: str, part: str, whole: tuple[str, ...], meaning: str) -> Known:
    return Known(name, "share", meaning, "share", part, whole)


def _rows() -> list[Known]:
    requests = ("requests",)
    rows = [Known("request_rate", "1/s", "requests", "rate", "requests")]
    for sli, meaning in _MEANINGS.items():
        good = f"{sli}_good"
        rows.append(_share(sli, good, (good, f"{sli}_bad"), meaning))
    rows += [
        _share("failed_share", "failed", requests, "ended in an error, whosever fault"),
        _share("refused_share", "refused", requests, "the model refused"),
        _share("truncated_share", "truncated", requests, "ended at a limit of tokens"),
        _share("interrupted_share", "interrupted", requests, "the stream broke off"),
    ]
    turns = ("turn_time_good", "turn_time_bad")
    meaning = "turns within their objective's time, of those that one judged"
    rows.append(_share("turn_in_time_share", turns[0], turns, meaning))
    for name in TOKEN_CLASSES:
        rate = f"{name.removesuffix('s')}_rate"
        rows.append(Known(rate, "tokens/s", name.replace("_", " "), "rate", name))
    cost, usd = "cost_nanousd", 1 / _NANOUSD_A_USD
    rows += [
        _share("tokens_unknown_share", "tokens_unknown", requests, "nobody knows the tokens"),
        Known("cost_usd_per_h", "USD/h", "known cost", "rate", cost, factor=usd * _HOUR_S),
        Known("cost_usd_per_request", "USD", "known cost", "share", cost, requests, factor=usd),
        _share("cost_unknown_share", "cost_unknown", requests, "nobody knows the cost"),
    ]
    rows += _of_prefixes()
    for percent in (50, 95, 99):
        share = percent / 100
        rows += [
            Known(f"{name}_p{percent}_s", "s", f"time {meaning}", "quantile", name, (), 1, share)
            for name, meaning in _TIMES.items()
        ]
        tokens = f"output_tokens_p{percent}"
        meaning, part = "of an answer", "output_tokens"
        rows.append(Known(tokens, "tokens", meaning, "quantile", part, (), 1, share))
    return rows


def _of_prefixes() -> list[Known]:
    """Of what providers' prefix caches had. An untold request counts in no share of tokens."""
    requests, told, saved = ("requests",), ("prefix_told_tokens",), "prefix_saved_nanousd"
    hits, known = "input that providers' prefix caches had", "known saving of it, net of writes"
    rate = _HOUR_S / _NANOUSD_A_USD
    unknown = "nobody knows what the prefix cache saved"
    return [
        _share("prefix_hit_rate", "cache_read_tokens", told, hits),
        Known("prefix_saved_usd_per_h", "USD/h", known, "rate", saved, factor=rate),
        _share("prefix_untold_share", "prefix_untold", requests, "nobody told what was cached"),
        _share("prefix_saved_unknown_share", "prefix_saved_unknown", requests, unknown),
    ]


CATALOGUE: Final[Mapping[str, Known]] = {row.name: row for row in _rows()}
