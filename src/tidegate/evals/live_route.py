"""One route whose live answers are graded: what waits, what may be begun, what is wrong.

Its state is made of the database, so that a restart gives nothing twice and forgets no spending.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.bin import MINUTE_S
from tidegate.core.capture import Capture
from tidegate.core.checks import Graders, checks_of
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.grading import Check
from tidegate.core.units import usd_to_nanousd
from tidegate.evals.live_outage import Outage
from tidegate.evals.live_sampling import DAY_S, HOUR_S, Candidate, Pace, Pool, Purse, ServedBy
from tidegate.stores import live_answers
from tidegate.stores.live_answers import Judged, Kept

# What is older is not graded any more: it says little of what is served now.
WINDOW_S: Final = 2 * HOUR_S
MOST_AT_ONCE: Final = 16
# A request is captured when its answer has ended, and is known by when it began.
_LATE_S: Final = 1800.0
_OVERLAP_S: Final = 120.0
_ALL_AGAIN: Final = 50  # looks
_LOOK_S: Final = 2.0
_RESTS: Final = 10  # times as long as it took
_PROBE_S: Final = 10.0
_SLOW_S: Final = 600.0
_TRIES: Final = 3
_MOST_TRIED: Final = 10_000
_NO_CASE_IN_A_ROW: Final = 20
_NO_RECEIPT_IN_A_ROW: Final = 3
_NO_VERDICTS: Final = "no verdicts come: "
# So many that were to be captured are not all lost by chance.
MISSED_CAPTURES: Final = 20.0


class Clocks(Struct, frozen=True):
    wall_s: Callable[[], float] = clock.wall_s
    monotonic_s: Callable[[], float] = clock.monotonic_s
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Asked(Struct, frozen=True):
    """What the plan says of a route whose answers are graded. `asks`: a check needs a judge."""

    route: DeclaredRoute
    quality: DeclaredQuality
    checks: tuple[Check, ...]
    asks: bool
    most_nanousd: int
    per_hour: int


def asked_of(route: DeclaredRoute) -> Asked | None:
    """None where nothing is graded. Its checks are good: the plan was compiled with them."""
    quality = route.quality
    if quality is None or quality.checks is None:
        return None
    graders = Graders()
    checks = checks_of(quality.checks, graders, lambda _path, _what: None)
    most = usd_to_nanousd(quality.most_usd_per_day)
    asks = any(map(graders.asks, checks))
    return Asked(route, quality, checks, asks, most, quality.per_hour)


def purse_of(asked: Asked, before: Sequence[Judged], at: Clocks) -> Purse:
    """The day's money of a route, less what was spent: `before` is all that was graded of it in the
    last day, live answers and kept ones."""
    wall_s = at.wall_s()
    today = [it for it in before if it.at_s >= wall_s // DAY_S * DAY_S]
    spent = sum(it.cost_nanousd or 0 for it in today)
    known = [it.cost_nanousd for it in today if it.judge and it.cost_nanousd is not None]
    purse = Purse(asked.most_nanousd, spent, max(known, default=None), wall_s)
    for _ in filter(lambda it: it.cost_nanousd is None, today):
        purse.settle(purse.hold(), None)
    return purse


class LiveRoute:
    """State of one route, of one thread. `before` is what was graded in the last day, `purse` is
    all of the route's."""

    def __init__(
        self, name: str, asked: Asked, before: Sequence[Judged], purse: Purse, at: Clocks
    ) -> None:
        self.name = name
        self.asked = asked
        self._clocks = at
        now_s, wall_s = at.monotonic_s(), at.wall_s()
        nobody = ServedBy(None, None, None)
        self.pool = Pool(Candidate(it.receipt_id, it.started_at_s, nobody) for it in before)
        ages = [wall_s - it.at_s for it in before if it.at_s > wall_s - HOUR_S]
        self.pace = Pace(asked.per_hour, ages, now_s)
        self.purse = purse
        self.outage = Outage()
        self.no_case_in_a_row = 0
        self.no_receipt_in_a_row = 0
        self._begun: dict[str, int | None] = {}  # what each may cost
        self._aside: list[Candidate] = []
        self._tries: Counter[str] = Counter()
        self._probed_s = float("-inf")
        self._free_since_s: float | None = None
        self._looks = 0
        self._looked_s = float("-inf")
        self._looked_wall_s = float("-inf")
        self._look_took_s = 0.0
        self.last_kept_s = wall_s

    def remember(self, noted: str) -> None:
        """What was noted against it before this control began: an outage lasts until verdicts
        come."""
        if noted.startswith(_NO_VERDICTS):
            self.outage.why = noted.removeprefix(_NO_VERDICTS)

    def obey(self, asked: Asked) -> None:
        """What the plan says of it now."""
        self.asked = asked
        self.pace.per_hour, self.purse.most = asked.per_hour, asked.most_nanousd

    def look_from(self) -> str | None:
        """After which id to look for captured requests now; None: not yet. The more time a look
        takes, the longer the next one waits."""
        now_s = self._clocks.monotonic_s()
        if now_s < self._looked_s + max(_LOOK_S, _RESTS * self._look_took_s):
            return None
        again = self._looks % _ALL_AGAIN == 0
        back_s = WINDOW_S if not self._looks else _LATE_S if again else _OVERLAP_S
        self._looks += 1
        self._looked_s, self._looked_wall_s = now_s, self._clocks.wall_s()
        return live_answers.first_kept_at(self._looked_wall_s - back_s)

    def looked(self, kept: Sequence[Kept]) -> None:
        """What was found, page by page."""
        since_s = self._clocks.wall_s() - WINDOW_S
        self.pool.add(
            Candidate(it.receipt_id, it.at_s, ServedBy(it.arm, it.prompt_version, it.model))
            for it in kept
            if it.at_s >= since_s
        )
        if kept:
            self.last_kept_s = max(self.last_kept_s, *(it.at_s for it in kept))
        self._look_took_s = self._clocks.monotonic_s() - self._looked_s

    def next(self) -> Candidate | None:
        """What is to be graded now; None: nothing, or not yet. Its end is told by one of the five
        that follow."""
        now_s, wall_s = self._clocks.monotonic_s(), self._clocks.wall_s()
        if not self.pace.free(now_s):
            return None
        is_out = self.outage.why is not None or self._has_no_receipts
        if is_out and now_s < self._probed_s + _PROBE_S:
            return None
        most = 1 if is_out or self.outage.is_doubtful else MOST_AT_ONCE
        if self.running >= most or (self.asked.asks and not self.purse.may(wall_s)):
            return None
        if not len(self.pool):
            self._back()
        one = self.pool.take(wall_s - WINDOW_S)
        if one is not None:
            self._probed_s = now_s
            self.pace.took(now_s)
            self._begun[one.receipt_id] = self.purse.hold() if self.asked.asks else None
        return one

    def _back(self) -> None:
        for one in self._aside:
            self.pool.put_back(one)
        self._aside.clear()

    def left_out(self, one: Candidate) -> None:
        """It cannot be graded, and nobody was asked: another takes its place."""
        self._ended(one, 0)
        self.pace.give_back()

    def without_receipt(self, one: Candidate) -> None:
        """Its receipt is late or lost, and nobody was asked: it is looked for again, and not
        for ever where those of others come."""
        self.left_out(one)
        self._probed_s = self._clocks.monotonic_s()
        self._tries[one.receipt_id] += 1
        self.no_receipt_in_a_row += self._tries[one.receipt_id] == 1
        if self._tries[one.receipt_id] < _TRIES or self._has_no_receipts:
            self._put_by(one)

    def _put_by(self, one: Candidate) -> None:
        """For another try, while it is not too old."""
        since_s = self._clocks.wall_s() - WINDOW_S
        self._aside = [it for it in self._aside if it.at_s >= since_s]
        self._aside.append(one)

    @property
    def _has_no_receipts(self) -> bool:
        return self.no_receipt_in_a_row >= _NO_RECEIPT_IN_A_ROW

    def well(self, one: Candidate, cost: int | None) -> None:
        """There is a verdict."""
        self._ended(one, cost)
        self.outage.well()
        if self.outage.why is None:
            self._back()

    def failed(self, one: Candidate, why: str, cost: int | None) -> None:
        """There is none, and there will be none of this one."""
        self._ended(one, cost)
        self.outage.failed(why, self._clocks.monotonic_s())

    def put_aside(self, one: Candidate, why: str, cost: int | None = 0) -> bool:
        """Nobody has looked at it, through no fault of its own that is known: others are tried
        first. False where it has been tried often, while others were graded."""
        self.failed(one, why, cost)
        self._tries[one.receipt_id] += 1
        if self.outage.why is None and self._tries[one.receipt_id] >= _TRIES:
            del self._tries[one.receipt_id]
            return False
        if len(self._tries) > _MOST_TRIED:
            self._tries.clear()
        self.pace.give_back()
        self._put_by(one)
        return True

    @property
    def running(self) -> int:
        """How many have been begun and have not ended."""
        return len(self._begun)

    def _ended(self, one: Candidate, cost: int | None) -> None:
        held = self._begun.pop(one.receipt_id, None)
        if held is not None:
            self.purse.settle(held, cost)

    def wrong(self, missed: int, alarm: str | None) -> str | None:
        """Why it is not graded as declared; None: it is. `missed`: so many were to be captured
        since the last one that was, `alarm`: what is said against its judge."""
        wall_s = self._clocks.wall_s()
        waits = bool(len(self.pool) or self._aside)
        if self.asked.route.capture is None:
            return "nothing of it is captured; write `capture`"
        if self.outage.why is not None:
            return f"{_NO_VERDICTS}{self.outage.why}"
        if self.asked.asks and waits and not self.running and not self.purse.may(wall_s):
            if self.purse.is_unknown:
                return "nobody knows what its judge costs; write the price of what serves it"
            return "what its judge may cost in a day is spent"
        if self.no_case_in_a_row >= _NO_CASE_IN_A_ROW:
            return "what is captured cannot be graded: pictures, tools, longer than is kept"
        if self._has_no_receipts:
            return "receipts of what was answered do not come"
        if missed >= MISSED_CAPTURES:
            return "no captured requests come"
        if self._is_slow(waits=waits):
            return "its judge is slower than `per_hour` asks for"
        return alarm

    def _is_slow(self, *, waits: bool) -> bool:
        """Whether for long there was always one that might have been begun."""
        now_s = self._clocks.monotonic_s()
        if not waits or self.running < MOST_AT_ONCE or not self.pace.free(now_s):
            self._free_since_s = None
            return False
        if self._free_since_s is None:
            self._free_since_s = now_s
        return now_s - self._free_since_s >= _SLOW_S

    def may_be_missed(self, answered: int) -> tuple[Capture, float, float] | None:
        """Of which requests so many answers were, and how they are captured, where it has to be
        looked at how many of them were to be; what has just been asked may be on its way here."""
        declared = self.asked.route.capture
        if declared is None or answered * declared.share < MISSED_CAPTURES:
            return None
        return declared.capture(), self.last_kept_s + MINUTE_S, self._looked_wall_s - MINUTE_S
