"""Folds receipts into bins, in memory, until they are taken to be stored.

One receipt costs a look-up and some additions; who called is kept together (team, customer and key
by one look-up) and told apart when the bins are stored.
"""

from math import isfinite, isnan, nan
from typing import Final

from tidegate.core.bin import COUNTS, MINUTE_S, OTHERS, TOKEN_CLASSES, Bin, BinKey
from tidegate.core.receipt import METERED, Receipt
from tidegate.core.sli import (
    PATIENCE,
    OfRoute,
    Patience,
    is_unsent_copy,
    judged,
    judged_copy,
    latencies,
)
from tidegate.core.turn_bound import in_time
from tidegate.stats.histogram import bucket_of

# Of one bin. The most that a bin of them takes is a megabyte.
MAX_CALLERS: Final = 512
MAX_CODES: Final = 64
MAX_UNITS: Final = 4096
# With so many bins nothing should wait longer to be stored.
MANY_BINS: Final = 5000
_OTHER_CALLERS: Final = (OTHERS, OTHERS, OTHERS)
_FAILED, _INTERRUPTED, _REFUSED, _TRUNCATED = map(
    COUNTS.index, ("failed", "interrupted", "refused", "truncated")
)
_INPUT, _CACHE_READ, _CACHE_WRITE, _OUTPUT, _REASONING = map(
    COUNTS.index,
    TOKEN_CLASSES,
)
_TOKENS_UNKNOWN, _COST, _COST_UNKNOWN = map(
    COUNTS.index, ("tokens_unknown", "cost_nanousd", "cost_unknown")
)
_PREFIX_TOLD, _PREFIX_UNTOLD, _PREFIX_SAVED, _PREFIX_SAVED_UNKNOWN = map(
    COUNTS.index,
    ("prefix_told_tokens", "prefix_untold", "prefix_saved_nanousd", "prefix_saved_unknown"),
)
_VERDICTS: Final = {
    name.removesuffix("_good"): (at + 1, at)
    for at, name in enumerate(COUNTS)
    if name.endswith("_good")
}
# The last second of the year 9999: what a clock says beyond is no time.
_LAST_S: Final = 253_402_300_799.0


def _usual(_route: str) -> Patience:
    return PATIENCE


class Bins:
    """What was folded since it was taken last. One thread."""

    def __init__(self, patience_of: OfRoute = _usual) -> None:
        self._patience_of = patience_of
        self._bins: dict[tuple[int, str, str, str, str], Bin] = {}

    def __len__(self) -> int:
        return len(self._bins)

    def fold(self, receipt: Receipt) -> None:
        """Count a receipt. The gateway's own probes are nobody's traffic, and what a batch holds of
        budgets is none."""
        if receipt.is_hold or receipt.is_probe or is_unsent_copy(receipt):
            return
        key = (
            _minute(receipt),
            receipt.route or "",
            receipt.arm or "stable",
            receipt.release or "",
            receipt.target or "",
        )
        whole = self._bins.get(key)
        if whole is None:
            whole = self._bins[key] = Bin()
        patience = self._patience_of(key[1])
        _count(whole.counts, receipt, patience)
        _time(whole, receipt, patience)
        _attribute(whole, receipt)
        if receipt.unit is not None and not receipt.arm_forced and receipt.is_production:
            _add_unit(whole.units, receipt.unit, receipt)

    def take(self) -> dict[BinKey, Bin]:
        """All that is there, which is forgotten."""
        taken, self._bins = self._bins, {}
        return {BinKey(*key): one for key, one in taken.items()}


def _minute(receipt: Receipt) -> int:
    ended_s = receipt.started_at_s + (receipt.total_s or 0.0)
    if not 0.0 <= ended_s <= _LAST_S:
        return 0
    return int(ended_s // MINUTE_S) * MINUTE_S


def _count(counts: list[int], receipt: Receipt, patience: Patience) -> None:
    counts[0] += 1
    if receipt.error_code is not None:
        counts[_FAILED] += 1
    if receipt.interrupted:
        counts[_INTERRUPTED] += 1
    if receipt.model_refusal == "full":
        counts[_REFUSED] += 1
    if receipt.validity == "truncated":
        counts[_TRUNCATED] += 1
    is_copy = receipt.arm == "shadow"
    found = judged_copy(receipt) if is_copy else judged(receipt, patience)
    for sli, good in found.items():
        counts[_VERDICTS[sli][good]] += 1
    if receipt.input_tokens is not None:
        counts[_INPUT] += receipt.input_tokens
        counts[_OUTPUT] += receipt.output_tokens or 0
        _count_prefix(counts, receipt)
        if receipt.reasoning_tokens:
            counts[_REASONING] += receipt.reasoning_tokens
    elif receipt.attempts and receipt.endpoint not in METERED:
        counts[_TOKENS_UNKNOWN] += 1
    if receipt.cost_nanousd is not None:
        counts[_COST] += receipt.cost_nanousd
    elif receipt.attempts:
        counts[_COST_UNKNOWN] += 1


def _count_prefix(counts: list[int], receipt: Receipt) -> None:
    """What of the known input its provider's cache had; embeddings have none."""
    read, written = receipt.cache_read_tokens, receipt.cache_write_tokens
    if read is None and written is None:
        counts[_PREFIX_UNTOLD] += receipt.endpoint in ("chat", "completions")
        return
    counts[_PREFIX_TOLD] += receipt.total_input_tokens or 0
    if read or written:
        counts[_CACHE_READ] += read or 0
        counts[_CACHE_WRITE] += written or 0
        if receipt.prefix_saved_nanousd is None:
            counts[_PREFIX_SAVED_UNKNOWN] += 1
        else:
            counts[_PREFIX_SAVED] += receipt.prefix_saved_nanousd


def _time(whole: Bin, receipt: Receipt, patience: Patience) -> None:
    histograms, last_s, bucket = whole.histograms, nan, 0
    for name, value_s in latencies(receipt, patience).items():
        # A turn takes as long as its request, mostly.
        if value_s != last_s:
            if isnan(value_s):
                continue
            last_s, bucket = value_s, bucket_of(value_s)
        _observe(histograms, name, bucket)
        if name == "turn_time" and patience.turn is not None:
            good = in_time(receipt, value_s, patience.turn)
            if good is not None:
                whole.counts[_VERDICTS[name][good]] += 1
    itl_s = receipt.itl_mean_s
    if itl_s is not None and not isnan(itl_s):
        _observe(histograms, "itl", bucket_of(itl_s))
    if receipt.output_tokens is not None and receipt.error_code is None:
        _observe(histograms, "output_tokens", bucket_of(receipt.output_tokens))


def _observe(histograms: dict[str, dict[int, int]], name: str, bucket: int) -> None:
    histogram = histograms.get(name)
    if histogram is None:
        histograms[name] = {bucket: 1}
    else:
        histogram[bucket] = histogram.get(bucket, 0) + 1


def _attribute(whole: Bin, receipt: Receipt) -> None:
    who = (receipt.team or "", receipt.customer or "", receipt.key_id or "")
    sums = whole.callers.get(who)
    if sums is None:
        if len(whole.callers) >= MAX_CALLERS:
            who = _OTHER_CALLERS
        sums = whole.callers.setdefault(who, [0, 0, 0])
    sums[0] += 1
    sums[2] += receipt.cost_nanousd or 0
    code = receipt.error_code
    if code is not None:
        sums[1] += 1
        if code not in whole.codes and len(whole.codes) >= MAX_CODES:
            code = OTHERS
        whole.codes[code] = whole.codes.get(code, 0) + 1


def _add_unit(units: dict[int, list[float]], unit: int, receipt: Receipt) -> None:
    sums = units.get(unit)
    if sums is None:
        if len(units) >= MAX_UNITS:
            return
        sums = units[unit] = [0.0] * 8
    values = (
        receipt.error_code is not None,
        receipt.ttft_s,
        receipt.output_tokens,
        receipt.cost_nanousd,
    )
    for at, value in enumerate(values):
        if value is not None and isfinite(value):
            sums[2 * at] += 1
            sums[2 * at + 1] += value
