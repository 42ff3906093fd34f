"""Receipts of one release to its blocks: O(1) a receipt, in bounded memory.

What was assigned counts, whatever served in the end: retries and fallbacks are charged to the arm.
Left out are requests whose arm somebody chose, shadows, the gateway's own, evaluations, and what
is their caller's fault. The first `COLD_REQUESTS` of the canary are no measure of its latencies and
cost, since nobody's prefix is in its cache yet; of its answers they are.

A request is slow when it is slower than the 95th percentile of the stable arm's latest requests
before the block, and in the upper body when it is slower than the 75th. A unit speaks once at each
weight, by the mean of its first `FIRST_REQUESTS` in the span of `TOGETHER_S` in which it came
first: both arms' units of one span are compared, so that what changes for everybody, or who comes
back, is no difference between them.
"""

from collections import deque
from collections.abc import Container
from typing import Final

from tidegate.core.block import ArmBlock, Block
from tidegate.core.receipt import Receipt
from tidegate.stats.marks import (
    ANSWERED,
    BAD,
    ITL,
    ITL_BODY,
    SHARES,
    TOTAL_TIME,
    TOTAL_TIME_BODY,
    TTFT,
    TTFT_BODY,
    marks_of,
)
from tidegate.stats.open_arm import OpenArm, Said
from tidegate.stats.recent import Recent

COLD_REQUESTS: Final = 50
FIRST_REQUESTS: Final = 4
TOGETHER_S: Final = 60.0
# Of a unit's requests so many say how alike they are: nobody's thousands outweigh all others'.
EARLY_REQUESTS: Final = 16
# Units that are remembered, about 250 bytes each; one that comes after so many others is new.
MAX_UNITS: Final = 100_000
_NEVER: Final = 1 << 62  # what a guest has spoken at last
SLOW_QUANTILE: Final = 0.95
BODY_QUANTILE: Final = 0.75
DEAR_QUANTILE: Final = 0.99
# Of them those that speak in one span.
MAX_TOGETHER: Final = 20_000


def _by_slowness(tail: int, body: int) -> tuple[int, int, int]:
    """The marks of a latency that exceeds neither of its quantiles, the lower, or both."""
    judged = tail | body
    return judged, judged | body << BAD, judged | judged << BAD


_TTFTS: Final = _by_slowness(TTFT, TTFT_BODY)
_TOTAL_TIMES: Final = _by_slowness(TOTAL_TIME, TOTAL_TIME_BODY)
_ITLS: Final = _by_slowness(ITL, ITL_BODY)
_SHARES: Final = tuple(enumerate(SHARES))


class _Unit:
    """One unit in one arm: at which weight it spoke last, its requests, and how many of its early
    ones were bad, by metric."""

    __slots__ = ("bad", "requests", "spoke")

    def __init__(self, spoke: int) -> None:
        self.spoke = spoke
        self.requests = 0
        self.bad: dict[int, int] | None = None


class BlockFold:
    """Folds receipts of one rollout. One thread at a time. `number` is that of the last block."""

    def __init__(self, rollout: str, number: int = 0) -> None:
        self._rollout = rollout
        self._number = number
        self._cold = COLD_REQUESTS
        self._stable = OpenArm()
        self._canary = OpenArm()
        # By the unit's place and its arm; and in the order in which they came, since the first of
        # a dictionary is slow to find once many before it are gone.
        self._units: dict[int, _Unit] = {}
        self._order: deque[int] = deque()
        self._together: dict[int, list[Said]] = {}
        self._new: list[int] = []
        # Units that came in this block, and whether no arm had seen them; all that ever came, and
        # those of them that are counted elsewhere.
        self._arrived: dict[int, bool] = {}
        self._came_in_all = 0
        self._guests = 0
        self._nodes = 1
        self._weight: float | None = None
        self._weights = 0
        self._since_s: float | None = None
        self._costs = Recent()
        self._latencies = (Recent(), Recent(), Recent())
        # Of each latency what is slow, and what the upper body exceeds.
        self._slow_s: tuple[tuple[float, ...] | None, ...] = (None, None, None)

    def add(self, receipt: Receipt) -> None:
        """Counts it, if it is one of the rollout's that counts."""
        if receipt.rollout != self._rollout or receipt.arm_forced:
            return
        if not receipt.is_production:
            return
        side = receipt.arm
        if side == "stable":
            arm, warm = self._stable, True
        elif side == "canary":
            arm, warm = self._canary, self._cold <= 0
        else:
            return
        marks = marks_of(receipt)
        if not marks:
            return
        if receipt.is_kept_answer and receipt.rung is None:
            self._note_asked(arm, receipt, side == "canary")
            return
        tokens = cost = None
        if marks & ANSWERED == ANSWERED:
            tokens, cost = receipt.output_tokens, receipt.cost_nanousd
            if tokens is not None:
                tokens += receipt.reasoning_tokens or 0
                arm.tokens.append(tokens)
            if cost is not None:
                arm.costs.append(cost)
                if warm:
                    arm.warm_costs.append(cost)
        if warm:
            marks |= self._latency_marks(arm, receipt, marks)
        else:
            self._cold -= 1
            cost = None
        arm.by_marks[marks] = arm.by_marks.get(marks, 0) + 1
        if receipt.cache_read_tokens:
            arm.block.cached += 1
        unit = receipt.unit
        if unit is None or receipt.unit_kind == "request":
            arm.block.units += 1
            arm.block.fresh += 1
        else:
            self._unit(arm, unit << 1 | (side == "canary"), (marks, tokens, cost))

    def _note_asked(self, arm: OpenArm, receipt: Receipt, is_canary: bool) -> None:
        """Its unit came to this arm and had an answer that was kept: that says nothing of how the
        release does, and a release whose cache is cold would look the worse for it."""
        unit = receipt.unit
        if unit is None or receipt.unit_kind == "request":
            arm.block.units += 1
            arm.block.fresh += 1
        elif unit << 1 | is_canary not in self._units:
            self._came(arm, unit << 1 | is_canary)

    def _latency_marks(self, arm: OpenArm, receipt: Receipt, marks: int) -> int:
        """Which latencies are judged, and which were slow. Until the stable arm has shown what is
        slow none is judged."""
        found = 0
        slow_ttft_s, slow_total_s, slow_itl_s = self._slow_s
        ttft_s = receipt.ttft_s
        if ttft_s is not None:
            arm.ttft_s.append(ttft_s)
            if slow_ttft_s is not None:
                found = _TTFTS[(ttft_s > slow_ttft_s[0]) + (ttft_s > slow_ttft_s[1])]
        if marks & ANSWERED != ANSWERED:
            return found
        total_s = receipt.total_s
        if total_s is not None:
            arm.total_s.append(total_s)
            if slow_total_s is not None:
                found |= _TOTAL_TIMES[(total_s > slow_total_s[0]) + (total_s > slow_total_s[1])]
        itl_s = receipt.itl_mean_s
        if itl_s is not None:
            arm.itl_s.append(itl_s)
            if slow_itl_s is not None:
                found |= _ITLS[(itl_s > slow_itl_s[0]) + (itl_s > slow_itl_s[1])]
        return found

    def _unit(self, arm: OpenArm, unit: int, said: Said) -> None:
        known = self._units.get(unit)
        if known is None:
            known = self._came(arm, unit)
        before = known.requests
        known.requests = before + 1
        if before:
            arm.block.pairs += before
        if before < EARLY_REQUESTS:
            arm.block.early_pairs += before
            if said[0] >> BAD:
                _count_pairs(arm.block, known, said[0] >> BAD)
        earlier = self._together.get(unit)
        if earlier is not None:
            if len(earlier) < FIRST_REQUESTS:
                earlier.append(said)
        elif known.spoke < self._weights and len(self._together) < MAX_TOGETHER:
            known.spoke = self._weights
            self._together[unit] = [said]
            self._new.append(unit)

    def _came(self, arm: OpenArm, unit: int) -> _Unit:
        units = self._units
        is_fresh = unit ^ 1 not in units
        arm.block.units += 1
        arm.block.fresh += is_fresh
        self._arrived[unit] = is_fresh
        if len(units) >= MAX_UNITS:
            del units[self._order.popleft()]
        self._order.append(unit)
        known = units[unit] = _Unit(self._weights - 1)
        return known

    def arrived(self) -> set[int]:
        """The places of the units that came in the block that is open."""
        return {unit >> 1 for unit in self._arrived}

    def disown(self, guests: Container[int], nodes: int) -> None:
        """Of those that arrived these are counted at another of so many recorders: here they are
        no units, and do not speak; their requests count as before."""
        self._came_in_all += len(self._arrived)
        self._nodes = max(self._nodes, nodes)
        for unit, is_fresh in self._arrived.items():
            if unit >> 1 in guests:
                self._guests += 1
                block = (self._canary if unit & 1 else self._stable).block
                block.units -= 1
                block.fresh -= is_fresh
                self._together.pop(unit, None)
                known = self._units.get(unit)
                if known is not None:
                    known.spoke = _NEVER

    def _spread(self) -> float:
        """How many times as many pairs of one unit's requests there are as recorders see.

        Where requests go anywhere, as many times as there are recorders, and all but one in so
        many arrivals are guests'. Where each user keeps to one recorder there is no guest.
        """
        if not self._guests:
            return 1.0
        return 1 + min(self._nodes - 1, self._nodes * self._guests / self._came_in_all)

    def close(self, began_s: float, ended_s: float, weight: float | None) -> Block | None:
        """The block since the last; None when nothing came and nobody had waited to speak."""
        self._let_speak(began_s, ended_s, weight)
        first = self._stable
        stable, canary = first.closed(), self._canary.closed()
        self._arrived = {}
        spread = self._spread()
        for arm in (stable, canary):
            arm.pairs = round(arm.pairs * spread)
        self._stable, self._canary = OpenArm(), OpenArm()
        self._costs.extend(first.costs)
        for recent, values in zip(
            self._latencies, (first.ttft_s, first.total_s, first.itl_s), strict=True
        ):
            recent.extend(values)
        self._slow_s = tuple(
            recent.quantiles(SLOW_QUANTILE, BODY_QUANTILE) for recent in self._latencies
        )
        if not (stable.assigned or canary.assigned or stable.by_unit or canary.by_unit):
            return None
        self._number += 1
        dear_nanousd = self._costs.quantile(DEAR_QUANTILE)
        number = self._number
        return Block(self._rollout, number, began_s, ended_s, weight, stable, canary, dear_nanousd)

    def _let_speak(self, began_s: float, ended_s: float, weight: float | None) -> None:
        """Ends the span that is over, and at another weight the one that is not.

        Who came first while the weight moved came while only those who move over were new: they say
        nothing, and begin again with everybody else at the next weight.
        """
        is_first = self._since_s is None
        since_s = began_s if self._since_s is None else self._since_s
        moved = weight is None or (weight != self._weight and not is_first)
        if moved:
            for unit in self._new:
                self._together.pop(unit, None)
        self._new = []
        self._since_s = since_s
        if weight is None:
            return
        self._weights += moved
        self._weight = weight
        if moved or abs(ended_s - since_s) >= TOGETHER_S:
            for unit, said in self._together.items():
                (self._canary if unit & 1 else self._stable).together.append(said)
            self._together = {}
            self._since_s = ended_s


def _count_pairs(block: ArmBlock, unit: _Unit, bad: int) -> None:
    """One more bad request of the unit: a pair with each earlier one that was bad alike."""
    if unit.bad is None:
        unit.bad = {}
    for index, name in _SHARES:
        if bad >> index & 1:
            before = unit.bad.get(index, 0)
            unit.bad[index] = before + 1
            if before:
                block.bad_pairs[name] = block.bad_pairs.get(name, 0) + before
