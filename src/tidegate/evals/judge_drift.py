"""The judges of live answers are held against people: calibrated once, looked at again each week,
and as new ones when another model answers (docs/judges.md).

A step asks a few anchors of each judge and keeps every verdict, so that a restart asks nothing
again. A judge that is away is tried again; that is never disagreement.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tidegate.control.exposition import Heads, exposed, label
from tidegate.control.online import Given
from tidegate.core import clock
from tidegate.core.declared import Declared
from tidegate.evals import judge_record, judge_telling
from tidegate.evals.anchor_files import Place, read_plan_anchors
from tidegate.evals.anchors import Anchor, AnchorsRefused
from tidegate.evals.asking import MoneySpent
from tidegate.evals.judge_asking import Asking, Verdict, ask_once
from tidegate.evals.judge_record import Asks, Work
from tidegate.evals.judge_seats import JudgeSeat, most_nanousd_per_day, seats_of
from tidegate.evals.own_gateway import NAME, NoGateway
from tidegate.stores import database, judges
from tidegate.stores.errors import StoreError
from tidegate.stores.judges import Calibrated, Seat

AT_ONCE: Final = 8
SOON_S: Final = 0.05
AWAY_S: Final = 60.0
IDLE_S: Final = 60.0
# So often a few that are left of an occasion are tried before they count as no verdict.
TRIES: Final = 5
_STUBBORN: Final = 0.02
_DAY_S: Final = 86_400.0
# How long anchors are as they were read, and how long they are not to be read.
_ANCHORS_S: Final = 300.0
_UNREADABLE_S: Final = 30.0
_LIVE_S: Final = 3600.0
_PROBED: Final = 1000
_SPENT: Final = "the money of the day is spent, and it goes on tomorrow"
_HEADS: Final[Heads] = {
    "tidegate_judge_may_decide": ("gauge", "Whether a judge of live answers counts."),
    "tidegate_judge_alarm": ("gauge", "Whether a judge drifts."),
    "tidegate_judge_kappa": ("gauge", "A judge's agreement with people when it was calibrated."),
}


class _Read(Struct):
    """Anchors as they were read last, or why they could not be."""

    at_s: float
    paths: tuple[str, ...]
    anchors: tuple[Anchor, ...] = ()
    problem: str | None = None


class JudgeDrift:
    """`evals.online.Job`. `now_s` is the wall clock."""

    def __init__(
        self, given: Given, asking: Asking, now_s: Callable[[], float] = clock.wall_s
    ) -> None:
        self._given = given
        self._asking = asking
        self._now_s = now_s
        self._read: dict[str, _Read] = {}
        self._taken: set[str] = set()
        self._probed: set[str] = set()
        self._missed: Counter[tuple[str, str, int]] = Counter()
        self._rendered = b""

    async def step(self) -> float:
        declared, wait_s = self._given.declared(), IDLE_S
        seats = seats_of(declared)
        taken = {it.id for it in seats}
        if taken != self._taken:
            await asyncio.to_thread(judge_record.adopt, self._given.engine, seats, self._now_s())
            self._taken = taken
        for seat in seats:
            wait_s = min(wait_s, await self._visit(seat, declared))
        if wait_s > SOON_S or not self._rendered:
            await asyncio.to_thread(self._tidy, taken)
        return wait_s

    def render(self) -> bytes:
        return self._rendered

    async def _visit(self, seat: JudgeSeat, declared: Declared) -> float:
        """How many seconds until there is more to do."""
        now_s = self._now_s()
        read = await asyncio.to_thread(self._anchors, seat, declared, now_s)
        if read.problem is not None:
            return IDLE_S
        work = await asyncio.to_thread(self._work, seat, read.anchors, now_s)
        if not work.asks:
            if work.occasion:
                await asyncio.to_thread(judge_record.conclude, self._given.engine, work, now_s)
            await self._note(work, "", 0)
            return SOON_S if work.occasion else IDLE_S
        if not await asyncio.to_thread(self._has_money, seat, declared, now_s):
            await self._note(work, _SPENT, len(work.asks))
            return IDLE_S
        return await self._ask(work)

    async def _ask(self, work: Work) -> float:
        """Some of what is asked of a seat, at once."""
        asks = sorted(work.asks, key=lambda it: self._missed[_place(work, it)])[:AT_ONCE]
        asked = (ask_once(self._asking, work.seat, *it) for it in asks)
        came = await asyncio.gather(*asked, return_exceptions=True)
        verdicts = [
            it if isinstance(it, Verdict) else Verdict(*ask, away=f"{type(it).__name__}, of ours")
            for ask, it in zip(asks, came, strict=True)
        ]
        now_s, engine = self._now_s(), self._given.engine
        work = await asyncio.to_thread(judge_record.store, engine, work, verdicts, now_s)
        for it in came:
            if isinstance(it, MoneySpent):
                await self._note(work, _SPENT, len(work.asks))
                return IDLE_S
            if isinstance(it, NoGateway):
                await self._note(work, str(it), len(work.asks))
                return AWAY_S
            if isinstance(it, StoreError):
                raise it
        away = [it for it in verdicts if it.away is not None]
        await self._note(work, "" if not away else f"it is away: {away[0].away}", len(work.asks))
        if not away:
            return SOON_S
        if not work.occasion:
            self._probed.clear()  # it is not known yet who answers
        await self._give_up(work, away)
        return AWAY_S

    async def _give_up(self, work: Work, away: list[Verdict]) -> None:
        """On the last few of an occasion that come to nothing however often they are asked."""
        for it in away:
            self._missed[_place(work, (it.anchor, it.turn))] += 1
        tried = [it for it in work.asks if self._missed[_place(work, it)] >= TRIES]
        if len(tried) == len(work.asks) <= max(1, work.wanted * _STUBBORN) and work.held.judge:
            now_s = self._now_s()
            await asyncio.to_thread(judge_record.silent, self._given.engine, work, tried, now_s)
            self._missed.clear()

    async def _note(self, work: Work, problem: str, to_ask: int) -> None:
        now_s, engine = self._now_s(), self._given.engine
        await asyncio.to_thread(
            judge_record.note_problem, engine, work.held, problem, to_ask, now_s
        )

    def _work(self, seat: JudgeSeat, anchors: tuple[Anchor, ...], now_s: float) -> Work:
        """What is due; one anchor where a judge that nobody knows has looked at live answers."""
        work = judge_record.work_of(self._given.engine, seat, anchors, now_s)
        if work.asks or work.occasion:
            return work
        with database.reading(self._given.engine) as connection:
            seen = judges.seen(connection, seat.used_by, now_s - _LIVE_S)
            known = {it.judge for it in judges.seats(connection).values()}
        strange = seen - known - self._probed
        if strange:
            if len(self._probed) > _PROBED:
                self._probed.clear()
            self._probed |= strange
            probe: Asks = [(anchors[0], 0)]
            return Work(seat, anchors, work.held, work.row, "", 1, probe)
        return work

    def _anchors(self, seat: JudgeSeat, declared: Declared, now_s: float) -> _Read:
        """Of all files that a seat has, those of the last time for a while."""
        known = self._read.get(seat.id)
        monotonic_s = clock.monotonic_s()
        is_same = known is not None and known.paths == seat.anchors
        if known is not None and is_same:
            lasts_s = _ANCHORS_S if known.problem is None else _UNREADABLE_S
            if monotonic_s < known.at_s + lasts_s:
                return known
        fresh = _Read(monotonic_s, seat.anchors)
        try:
            place = Place(declared.prompts, self._given.plan_folder)
            several = [read_plan_anchors(place, it) for it in seat.anchors]
            fresh.anchors = tuple({it.key: it for part in several for it in part}.values())
        except AnchorsRefused as no:
            fresh.problem = str(no)
        if known is None or known.problem != fresh.problem:
            self._tell(seat, fresh, now_s)
        self._read[seat.id] = fresh
        return fresh

    def _tell(self, seat: JudgeSeat, read: _Read, now_s: float) -> None:
        engine = self._given.engine
        with database.writing(engine, alone=False) as connection:
            held = judges.seats(connection).get(seat.id)
            held = held or Seat(seat.id, seat.route, seat.name, seat.used_by, now_s)
            judge_telling.unreadable(connection, held, read.problem, now_s)
        judge_record.note_problem(engine, held, read.problem or "", None, now_s)

    def _has_money(self, seat: JudgeSeat, declared: Declared, now_s: float) -> bool:
        most = most_nanousd_per_day(declared, seat.route)
        with database.reading(self._given.engine) as connection:
            spent = judges.spent_nanousd(connection, NAME, now_s - now_s % _DAY_S, seat.route)
        return spent < most

    def _tidy(self, taken: set[str]) -> None:
        """Forget seats that no plan has, make the metrics, and tell who has expired."""
        engine, now_s = self._given.engine, self._now_s()
        with database.reading(engine) as connection:
            seats = judges.seats(connection)
            rows = {it.judge: judges.find(connection, it.judge) for it in seats.values()}
        if seats.keys() - taken:
            with database.writing(engine, alone=False) as connection:
                judges.leave_seats(connection, taken)
        seated = [(it, rows.get(it.judge)) for it in seats.values() if it.seat in taken]
        self._rendered = _metrics(seated, now_s)
        for seat, row in seated:
            if row is not None and row.is_calibrated and now_s >= row.expires_at_s:
                with database.writing(engine, alone=False) as connection:
                    judge_telling.expired(connection, seat, row, now_s)


def _metrics(seated: list[tuple[Seat, Calibrated | None]], now_s: float) -> bytes:
    """In Prometheus' text form; nothing where nobody sits."""
    series: dict[str, list[str]] = {name: [] for name in _HEADS}
    for seat, row in seated:
        named = f'{{judge_route="{label(seat.route)}",check="{label(seat.name)}"}}'
        may = row is not None and row.decides(now_s)
        series["tidegate_judge_may_decide"].append(f"{named} {may:d}")
        alarm = row is not None and row.alarm_since_s is not None
        series["tidegate_judge_alarm"].append(f"{named} {alarm:d}")
        if row is not None and row.kappa is not None:
            series["tidegate_judge_kappa"].append(f"{named} {row.kappa:.4f}")
    return exposed(_HEADS, series)


def _place(work: Work, ask: tuple[Anchor, int]) -> tuple[str, str, int]:
    return work.seat.id + work.occasion, ask[0].key, ask[1]
