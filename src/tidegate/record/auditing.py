"""Holds another gateway's ledger against what was seen beside it.

Requests and rows belong together by the answer's id or the gateway's own id of the call; copies of
requests, of which no answer was seen, by their key and model, the nearest in time. Pure.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import median_low
from typing import Final

from msgspec import Struct

from tidegate.core.audit import KINDS, AuditReport, Finding, Kind, LedgerRow, Observed
from tidegate.core.price import Price
from tidegate.core.receipt import Receipt
from tidegate.core.receipt_cost import cost_nanousd

PriceAt = Callable[[LedgerRow], Price | None]

MOST_EXAMPLES: Final = 5
# A row may be written so long after its request was seen, and clocks differ.
SLACK_S: Final = 60.0
_NEAR_S: Final = 10.0
# Rounding of a ledger that counts in floating dollars.
_ROUNDING_NANOUSD: Final = 1_000
_ROUNDING: Final = 0.005


class _Pair(Struct):
    """A row with what was seen of it, at either side; several calls of one request are possible."""

    row: LedgerRow
    front: list[Observed]
    back: list[Observed]

    @property
    def truth(self) -> Observed | None:
        """Who told the tokens: the provider's own word before the gateway's."""
        return next((it for it in (*self.back, *self.front) if it.told), None)


class _Tally:
    def __init__(self) -> None:
        self._count: dict[Kind, int] = defaultdict(int)
        self._tokens: dict[Kind, int | None] = {}
        self._nanousd: dict[Kind, int | None] = {}
        self._examples: dict[Kind, list[str]] = defaultdict(list)

    def add(self, kind: Kind, id: str, tokens: int | None, nanousd: int | None) -> None:
        first = not self._count[kind]
        self._count[kind] += 1
        for sums, amount in ((self._tokens, tokens), (self._nanousd, nanousd)):
            before = 0 if first else sums[kind]
            sums[kind] = None if before is None or amount is None else before + amount
        if len(self._examples[kind]) < MOST_EXAMPLES:
            self._examples[kind].append(id)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                kind,
                self._count[kind],
                self._tokens[kind],
                self._nanousd[kind],
                tuple(self._examples[kind]),
            )
            for kind in KINDS
            if self._count.get(kind)
        )


def audit(
    observed: Sequence[Observed], rows: Iterable[LedgerRow], price_at: PriceAt
) -> AuditReport:
    """What the ledger lacks, has twice or has wrong, in the time that was observed."""
    since_s = min((it.at_s for it in observed), default=0.0)
    until_s = max((it.at_s for it in observed), default=0.0)
    known = {id for it in observed for id in (it.answer_id, it.call_id) if id}
    # A ledger's clock, or its time zone, may be another one: an id tells more than a time.
    within = [
        it
        for it in rows
        if since_s - SLACK_S <= it.at_s <= until_s + SLACK_S or not known.isdisjoint(_ids(it))
    ]
    tally = _Tally()
    once = _once(within, tally)
    pairs, alone = _paired(observed, once)
    for it in alone:
        if it.side == "front" and it.end == "cut" and it.status is None:
            continue  # nobody answered it, so that nothing of it is lost
        if it.end in ("whole", "cut", "left", "unseen"):
            tokens = None if it.input_tokens is None else -_total(it)
            tally.add("lost" if it.side == "front" else "unrecorded_call", it.id, tokens, None)
    judged = priced = 0
    for pair in pairs:
        if pair.truth is not None and not pair.row.from_cache and "tokens" not in pair.row.lacks:
            judged += 1
        priced += _judge(pair, price_at, tally)
    return AuditReport(
        since_s,
        until_s,
        len(observed),
        len(within),
        sum(1 for pair in pairs if pair.front or pair.back),
        judged,
        sum(it.spend_nanousd or 0 for it in within),
        tally.findings(),
        tuple(sorted({what for it in within for what in it.lacks})),
        _skew_s(pairs),
        priced,
    )


def _ids(row: LedgerRow) -> tuple[str, ...]:
    return tuple(id for id in (row.call_id, row.id) if id)


def _once(rows: Iterable[LedgerRow], tally: _Tally) -> list[LedgerRow]:
    """Each request's first row; what comes again of it is counted twice."""
    first: dict[str, LedgerRow] = {}
    found = []
    for row in rows:
        if row.id and row.id in first:
            tokens = (row.input_tokens or 0) + (row.output_tokens or 0)
            tally.add("counted_twice", row.id, tokens, row.spend_nanousd)
        else:
            first[row.id] = row
            found.append(row)
    return found


def _skew_s(pairs: Iterable[_Pair]) -> float | None:
    """By how much the ledger's clock is ahead, of the middle one of those that an id tells."""
    ahead = [
        pair.row.at_s - it.at_s
        for pair in pairs
        for it in (*pair.front, *pair.back)
        if it.end != "unseen"
    ]
    return median_low(ahead) if ahead else None


def _paired(
    observed: Sequence[Observed], rows: Sequence[LedgerRow]
) -> tuple[list[_Pair], list[Observed]]:
    pairs = [_Pair(row, [], []) for row in rows]
    by_id: dict[str, _Pair] = {}
    for pair in pairs:
        by_id.update((id, pair) for id in _ids(pair.row))
    alone: list[Observed] = []
    for it in observed:
        # The gateway's own id of the call first: an answer that it kept has the id of another.
        known = (by_id.get(id) for id in (it.call_id, it.answer_id) if id)
        found = next((pair for pair in known if pair is not None), None)
        if found is not None:
            (found.front if it.side == "front" else found.back).append(it)
        else:
            alone.append(it)
    for pair in pairs:
        alone += _beside(pair)
    return pairs, _nearest(alone, [it for it in pairs if not it.front and not it.back])


def _beside(pair: _Pair) -> list[Observed]:
    """Calls that share no more with the row than an answer's id, where another call is its own:
    whoever gives ids twice has one row where there were two requests."""
    calls = {it.call_id for it in pair.front if it.call_id}
    if len(calls) < 2:
        return []
    own = pair.row.call_id if pair.row.call_id in calls else pair.front[0].call_id
    others = [it for it in pair.front if it.call_id not in (own, None)]
    pair.front = [it for it in pair.front if it.call_id in (own, None)]
    return others


def _nearest(alone: list[Observed], pairs: list[_Pair]) -> list[Observed]:
    """Copies of requests with the free rows of their key and model; those that find none."""
    # The latest first: what is taken stands near the end, whence it is taken out at once.
    free: dict[tuple[str | None, str | None], list[_Pair]] = defaultdict(list)
    for pair in sorted(pairs, key=_before_zero):
        free[pair.row.key, pair.row.model].append(pair)
    left = []
    for it in sorted(alone, key=lambda it: it.at_s):
        of = free[it.key, it.model] if it.end == "unseen" else []
        at = bisect_left(of, -it.at_s, key=_before_zero)
        around = range(max(at - 1, 0), min(at + 1, len(of)))
        near = min(around, key=lambda one: abs(of[one].row.at_s - it.at_s), default=None)
        if near is None or abs(of[near].row.at_s - it.at_s) > _NEAR_S:
            left.append(it)
        else:
            of.pop(near).front.append(it)
    return left


def _before_zero(pair: _Pair) -> float:
    return -pair.row.at_s


def _judge(pair: _Pair, price_at: PriceAt, tally: _Tally) -> bool:
    """Whether its money was held against a price too."""
    row, seen = pair.row, [*pair.back, *pair.front]
    if not seen:
        tally.add("unseen_row", row.id, None, row.spend_nanousd)
        return False
    known = "names" not in row.lacks
    if known and row.spend_nanousd and not (row.team or row.user or row.end_user):
        tally.add("unattributed", row.id, 0, row.spend_nanousd)
    if row.from_cache:
        return False
    sides = (side for side in (pair.back, pair.front) if side)
    was_cut = any(all(it.end == "cut" for it in side) for side in sides)
    if row.succeeded and seen[0].stream and was_cut:
        tally.add("cut_as_success", row.id, 0, row.spend_nanousd)
    truth = pair.truth
    if truth is not None and row.succeeded is not False:
        _judge_tokens(row, truth, tally)
        if "money" not in row.lacks:
            return _judge_cost(row, truth, price_at, tally)
    return False


def _judge_tokens(row: LedgerRow, truth: Observed, tally: _Tally) -> None:
    if row.input_tokens is None or row.output_tokens is None:
        return
    beyond = row.input_tokens - (truth.input_tokens or 0)
    cached = {truth.cache_read_tokens, truth.cache_write_tokens}
    cached.add((truth.cache_read_tokens or 0) + (truth.cache_write_tokens or 0))
    if beyond > 0 and beyond in cached:
        tally.add("cached_twice", row.id, beyond, None)
        beyond = 0
    if truth.output_tokens is not None:
        beyond += row.output_tokens - truth.output_tokens
    if beyond:
        tally.add("more_tokens" if beyond > 0 else "fewer_tokens", row.id, beyond, None)


def _judge_cost(row: LedgerRow, truth: Observed, price_at: PriceAt, tally: _Tally) -> bool:
    price = price_at(row)
    cost = None if price is None else _cost(truth, price)
    if not row.spend_nanousd:
        if cost is None or cost > 0:
            tally.add("unpriced", row.id, 0, None if cost is None else -cost)
    elif cost is not None:
        beyond = row.spend_nanousd - cost
        if abs(beyond) > max(_ROUNDING_NANOUSD, _ROUNDING * cost):
            tally.add("other_cost", row.id, 0, beyond)
    return cost is not None


def _cost(truth: Observed, price: Price) -> int | None:
    receipt = Receipt("", truth.at_s, "", "chat")
    read, written = truth.cache_read_tokens or 0, truth.cache_write_tokens or 0
    receipt.input_tokens = (truth.input_tokens or 0) - read - written
    receipt.cache_read_tokens, receipt.cache_write_tokens = read, written
    receipt.output_tokens = truth.output_tokens
    if truth.output_tokens is None and truth.path.endswith("/embeddings"):
        receipt.endpoint = "embeddings"
    return cost_nanousd(receipt, price)


def _total(it: Observed) -> int:
    return (it.input_tokens or 0) + (it.output_tokens or 0)
