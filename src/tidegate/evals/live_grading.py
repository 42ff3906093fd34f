"""Grades a sample of live answers in the background: `quality.checks` of routes.

A verdict that does not come is no verdict: it is kept as unknown, or the answer waits for another
try. Where a route cannot be graded as it is declared, that is noted (`stores.assessments`), told to
people, and shown on `/metrics`; nothing is sampled less in silence.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

from tidegate.control.online import Given
from tidegate.core.capture import Captured
from tidegate.core.controller import Tell
from tidegate.core.receipt import Receipt
from tidegate.evals.asking import MoneySpent
from tidegate.evals.captured_cases import NoCase
from tidegate.evals.live_metrics import Counts, Standing
from tidegate.evals.live_route import Asked, Clocks, LiveRoute, asked_of
from tidegate.evals.live_sampling import DAY_S, Candidate
from tidegate.evals.live_verdict import Verdict, assessment, verdict_on
from tidegate.evals.own_gateway import NoGateway, OwnGateway, OwnJudge
from tidegate.stores import (
    assessments,
    captures,
    database,
    judges,
    live_answers,
    notices,
    receipts,
)

STEP_S: Final = 1.0
# How long the receipt of a judge's answer is waited for, and that of an answer that is graded.
RECEIPT_S: Final = 20.0
_RECEIPT_LOOK_S: Final = 0.5
_PAGE: Final = 2000
_NOTE_S: Final = 5.0
# What was graded is read so far back after a start, in order not to be graded again.
_BEFORE_S: Final = DAY_S
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode

_log = logging.getLogger(__name__)


class _Loaded(NamedTuple):
    made: Captured
    receipt: Receipt


class _NoReceipt(Exception):
    """Nobody knows yet what became of what was said."""


class _Broken(Exception):
    """An error of ours, by its type alone, after so many questions to the judge."""

    def __init__(self, what: str, asked: int) -> None:
        super().__init__(what)
        self.what = what
        self.asked = asked


class _Kept(NamedTuple):
    receipt: Receipt
    verdict: Verdict
    cost: int | None


class LiveGrading:
    """`evals.online.Job`. `close` ends what is under way."""

    def __init__(self, given: Given, gateway: OwnGateway, at: Clocks | None = None) -> None:
        self._given = given
        self._gateway = gateway
        self._clocks = at or Clocks()
        self._routes: dict[str, LiveRoute] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._noted_s = float("-inf")
        self._since_s: Mapping[str, float] = {}
        self.counts = Counts()

    async def step(self) -> float:
        """StoreError."""
        await self._follow_plan()
        for state in self._routes.values():
            await self._look(state)
            self._begin(state)
        now_s = self._clocks.monotonic_s()
        if now_s >= self._noted_s + _NOTE_S:
            self._noted_s = now_s
            await asyncio.to_thread(self._note)
        return STEP_S

    async def close(self) -> None:
        """Nothing is under way any more, and nothing is remembered: another may lead meanwhile."""
        self._routes.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def render(self) -> bytes:
        since_s = self._since_s
        return self.counts.render(
            Standing(name, since_s.get(name), state.purse.used, len(state.pool))
            for name, state in sorted(self._routes.copy().items())
        )

    async def _follow_plan(self) -> None:
        """The routes that are to be graded, each with what was graded of it before."""
        every = self._given.declared().routes
        for name in [it for it in self._routes if it not in every]:
            del self._routes[name]
        for name, route in every.items():
            state = self._routes.get(name)
            if state is not None and state.asked.route == route:
                continue
            asked = asked_of(route)
            if asked is None:
                self._routes.pop(name, None)
            elif state is not None:
                state.obey(asked)
            else:
                self._routes[name] = await asyncio.to_thread(self._read, name, asked)

    def _read(self, name: str, asked: Asked) -> LiveRoute:
        since_s = self._clocks.wall_s() - _BEFORE_S
        with database.reading(self._given.engine) as connection:
            before = live_answers.judged(connection, name, since_s)
            noted = assessments.not_graded(connection).get(name)
        made = LiveRoute(name, asked, before, self._clocks)
        if noted is not None:
            made.remember(noted.why)
        return made

    async def _look(self, state: LiveRoute) -> None:
        after = state.look_from()
        while after is not None:
            kept, last = await asyncio.to_thread(self._kept_after, state.name, after)
            state.looked(kept)
            after = None if last == after else last

    def _kept_after(self, route: str, after: str) -> tuple[list[live_answers.Kept], str]:
        with database.reading(self._given.engine) as connection:
            return live_answers.kept_after(connection, route, after, _PAGE)

    def _begin(self, state: LiveRoute) -> None:
        """What may be begun now; again when one has ended."""
        if self._routes.get(state.name) is not state:
            return  # nobody asks for it any more
        while (one := state.next()) is not None:
            task = asyncio.create_task(self._grade(state, one))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _grade(self, state: LiveRoute, one: Candidate) -> None:
        """One answer, to its end. Raises nothing but that it was cancelled."""
        try:
            loaded = await self._load(one.receipt_id)
            if loaded is None:
                state.left_out(one)
            else:
                state.no_receipt_in_a_row = 0
                await self._judge(state, one, loaded)
        except NoCase:
            state.no_case_in_a_row += 1
            state.left_out(one)
        except _NoReceipt:
            state.without_receipt(one)
        except MoneySpent:
            state.put_aside(one, "the key of its judge may spend no more")
        except NoGateway as error:
            state.put_aside(one, str(error))
        except Exception as error:  # told without what was said
            broken = error if isinstance(error, _Broken) else _Broken(type(error).__name__, 0)
            _log.error("a live answer of %s could not be graded: %s", state.name, broken.what)
            cost = None if broken.asked else 0
            state.put_aside(one, f"an error of ours ({broken.what})", cost)
        self._begin(state)

    async def _load(self, receipt_id: str) -> _Loaded | None:
        """None where it broke off, was deleted or was graded. A receipt is in the ledger a moment
        after what was said is in the store. NoCase, _NoReceipt."""
        until_s = self._clocks.monotonic_s() + RECEIPT_S
        while True:
            made, receipt = await asyncio.to_thread(self._find, receipt_id)
            if made is None or made.cut:
                return None
            if made.shortened:
                raise NoCase
            if receipt is not None:
                return _Loaded(made, receipt)
            if self._clocks.monotonic_s() >= until_s:
                raise _NoReceipt
            await self._clocks.sleep(_RECEIPT_LOOK_S)

    def _find(self, receipt_id: str) -> tuple[Captured | None, Receipt | None]:
        with database.reading(self._given.engine) as connection:
            if live_answers.is_judged(connection, receipt_id):
                return None, None
            made = captures.by_id(connection, receipt_id, self._clocks.wall_s())
            return made, receipts.by_ids(connection, [receipt_id]).get(receipt_id)

    async def _judge(self, state: LiveRoute, one: Candidate, loaded: _Loaded) -> None:
        """Has it graded, and keeps what was found."""
        asked = state.asked
        cost: int | None = 0
        if not asked.asks or asked.quality.judge is None:
            verdict = await verdict_on(*loaded, asked.checks, None)
        else:
            judging = self._gateway.judge(asked.quality.judge, parameters_of(asked))
            async with judging as judge:
                try:
                    verdict = await verdict_on(*loaded, asked.checks, judge)
                except (MoneySpent, NoCase):
                    raise
                except Exception as error:
                    raise _Broken(type(error).__name__, judge.asked) from None
                cost = await self._cost(judge)
        kept = _Kept(loaded.receipt, verdict, cost)
        if verdict.failure is not None:
            if not state.put_aside(one, verdict.failure, cost):
                await self._keep(state, one, kept)
            return
        await self._keep(state, one, kept)
        state.no_case_in_a_row = 0
        if verdict.is_bad is None:
            state.failed(one, "none that could be read", cost)
        else:
            state.well(one, cost)

    async def _cost(self, judge: OwnJudge) -> int | None:
        """What its questions cost, the most that it can have been where that is all that is known;
        None where nobody knows."""
        until_s = self._clocks.monotonic_s() + RECEIPT_S
        wanted = set(judge.receipts)
        while True:
            known = await asyncio.to_thread(self._receipts, wanted)
            if len(known) == len(wanted) or self._clocks.monotonic_s() >= until_s:
                break
            await self._clocks.sleep(_RECEIPT_LOOK_S)
        costs = [
            it.most_nanousd if it.cost_nanousd is None and it.attempts else it.cost_nanousd or 0
            for it in known.values()
        ]
        if len(known) < len(wanted) or None in costs:
            return None
        return sum(it for it in costs if it is not None)

    def _receipts(self, ids: set[str]) -> dict[str, Receipt]:
        with database.reading(self._given.engine) as connection:
            return receipts.by_ids(connection, ids)

    async def _keep(self, state: LiveRoute, one: Candidate, found: _Kept) -> None:
        if await asyncio.to_thread(self._store, found):
            self.counts.add(state.name, one.served_by, found.verdict.is_bad, found.cost)

    def _store(self, found: _Kept) -> bool:
        """Unless what was said is deleted by now, or another control leads."""
        now_s, verdict = self._clocks.wall_s(), found.verdict
        with database.writing(self._given.engine) as connection:
            made = captures.by_id(connection, found.receipt.id, now_s)
            if made is None or not self._given.leads():
                return False
            decides = all(
                digest and judges.may_decide(connection, digest, now_s) for digest in verdict.judges
            )
            one = assessment(found.receipt, verdict, now_s, found.cost, decides=decides)
            assessments.store(connection, [one])
            return True

    def _note(self) -> None:
        """What is wrong with which route, where that has changed."""
        engine, now_s = self._given.engine, self._clocks.wall_s()
        with database.reading(engine) as connection:
            noted = assessments.not_graded(connection)
            alarms = judges.alarmed(connection)
            found: dict[str, str | None] = {}
            for name, state in self._routes.items():
                answered = live_answers.answered_since(connection, name, state.last_kept_s)
                which = state.may_be_missed(answered)
                missed = which and live_answers.to_be_captured(connection, name, *which)
                found[name] = state.wrong(missed or 0, alarms.get(name))
        found |= {name: None for name in noted if name not in found}
        before = {name: it.why for name, it in noted.items()}
        changed = {name: why for name, why in found.items() if why != before.get(name)}
        self._since_s = {name: it.since_s for name, it in noted.items() if found[name] is not None}
        if not changed or not self._given.leads():
            return
        with database.writing(engine) as connection:
            for name, why in changed.items():
                assessments.note_ungraded(connection, name, why, now_s)
                notices.note(connection, _tell(name, why), now_s)


def parameters_of(asked: Asked) -> tuple[tuple[str, str], ...]:
    """The members of the body of each question to the judge, each as JSON."""
    text = asked.quality.judge_parameters
    return () if text is None else tuple((k, bytes(v).decode()) for k, v in _members(text).items())


def _tell(route: str, why: str | None) -> Tell:
    fields: dict[str, Any] = {
        "topic": "quality",
        "key": f"quality/{route}",
        "severity": "ticket",
        "title": f"live answers of {route} are not graded as declared",
        "route": route,
    }
    if why is None:
        return Tell(text="They are graded.", resolved=True, **fields)
    text = f"Why: {why}. Releases that are guarded by `quality` wait."
    return Tell(text=text, **fields)
