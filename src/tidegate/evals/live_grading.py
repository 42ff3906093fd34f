"""Grades a sample of answers in the background: live ones by `quality.checks` of routes, kept ones
by `quality.hits`.

A verdict that does not come is no verdict: it is kept as unknown, or the answer waits for another
try. Where a route cannot be graded as it is declared, that is noted (`stores.assessments`), told to
people, and shown on `/metrics`; nothing is sampled less in silence.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from tidegate.control.online import Given
from tidegate.core.capture import Captured
from tidegate.core.receipt import Receipt
from tidegate.evals.asking import MoneySpent
from tidegate.evals.captured_cases import NoCase
from tidegate.evals.live_matter import Answers, Came, Loaded, Matter
from tidegate.evals.live_metrics import Standing
from tidegate.evals.live_route import Asked, Clocks, LiveRoute, purse_of
from tidegate.evals.live_sampling import DAY_S, Candidate, Purse
from tidegate.evals.live_verdict import Verdict
from tidegate.evals.own_gateway import NoGateway, OwnGateway, OwnJudge
from tidegate.stores import (
    captures,
    database,
    judged_hits,
    judges,
    live_answers,
    notices,
    receipts,
)
from tidegate.stores.live_answers import Judged

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


class _NoReceipt(Exception):
    """Nobody knows yet what became of what was said."""


class _Broken(Exception):
    """An error of ours, by its type alone, after so many questions to the judge."""

    def __init__(self, what: str, asked: int) -> None:
        super().__init__(what)
        self.what = what
        self.asked = asked


class _Kept(NamedTuple):
    loaded: Loaded
    verdict: Verdict
    cost: int | None


class LiveGrading:
    """`evals.online.Job`, of one matter. `close` ends what is under way. `purses` are the routes'
    money of the day, which all matters share."""

    def __init__(
        self,
        given: Given,
        gateway: OwnGateway,
        at: Clocks | None = None,
        matter: Matter | None = None,
        purses: dict[str, Purse] | None = None,
    ) -> None:
        self._given = given
        self._gateway = gateway
        self._clocks = at or Clocks()
        self._routes: dict[str, LiveRoute] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._noted_s = float("-inf")
        self._since_s: Mapping[str, float] = {}
        self._matter: Matter = Answers() if matter is None else matter
        self._purses = {} if purses is None else purses

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
        self._purses.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def render(self) -> bytes:
        since_s = self._since_s
        return self._matter.counts.render(
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
            asked = self._matter.asked_of(route)
            if asked is None:
                self._routes.pop(name, None)
            elif state is not None:
                state.obey(asked)
            else:
                await self._take_up(name, asked)

    async def _take_up(self, name: str, asked: Asked) -> None:
        before, every, noted = await asyncio.to_thread(self._read, name)
        if name not in self._purses:
            self._purses[name] = purse_of(asked, every, self._clocks)
        made = LiveRoute(name, asked, before, self._purses[name], self._clocks)
        if noted is not None:
            made.remember(noted)
        self._routes[name] = made

    def _read(self, name: str) -> tuple[list[Judged], list[Judged], str | None]:
        """What was graded of this, and of all there is; and what is noted against it."""
        since_s = self._clocks.wall_s() - _BEFORE_S
        with database.reading(self._given.engine) as connection:
            before = self._matter.before(connection, name, since_s)
            every = live_answers.judged(connection, name, since_s)
            every += judged_hits.judged(connection, name, since_s)
            noted = self._matter.noted(connection).get(name)
        return before, every, None if noted is None else noted.why

    async def _look(self, state: LiveRoute) -> None:
        after = state.look_from()
        while after is not None:
            kept, last = await asyncio.to_thread(self._kept_after, state.name, after)
            state.looked(kept)
            after = None if last == after else last

    def _kept_after(self, route: str, after: str) -> tuple[list[live_answers.Kept], str]:
        with database.reading(self._given.engine) as connection:
            return self._matter.kept_after(connection, route, after, _PAGE)

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

    async def _load(self, receipt_id: str) -> Loaded | None:
        """None where it broke off, was deleted or was graded. A receipt is in the ledger a moment
        after what was said is in the store. NoCase, _NoReceipt."""
        until_s = self._clocks.monotonic_s() + RECEIPT_S
        while True:
            made, receipt = await asyncio.to_thread(self._find, receipt_id)
            if made is None or not self._matter.is_whole(made):
                return None
            if receipt is not None:
                return Loaded(made, receipt)
            if self._clocks.monotonic_s() >= until_s:
                raise _NoReceipt
            await self._clocks.sleep(_RECEIPT_LOOK_S)

    def _find(self, receipt_id: str) -> tuple[Captured | None, Receipt | None]:
        with database.reading(self._given.engine) as connection:
            if self._matter.is_judged(connection, receipt_id):
                return None, None
            made = captures.by_id(connection, receipt_id, self._clocks.wall_s())
            return made, receipts.by_ids(connection, [receipt_id]).get(receipt_id)

    async def _judge(self, state: LiveRoute, one: Candidate, loaded: Loaded) -> None:
        """Has it graded, and keeps what was found."""
        asked = state.asked
        cost: int | None = 0
        if not asked.asks or asked.quality.judge is None:
            verdict = await self._matter.verdict_on(loaded, asked, None)
        else:
            judging = self._gateway.judge(asked.quality.judge, parameters_of(asked))
            async with judging as judge:
                try:
                    verdict = await self._matter.verdict_on(loaded, asked, judge)
                except (MoneySpent, NoCase):
                    raise
                except Exception as error:
                    raise _Broken(type(error).__name__, judge.asked) from None
                cost = await self._cost(judge)
        kept = _Kept(loaded, verdict, cost)
        if verdict.failure is not None:
            if not state.put_aside(one, verdict.failure, cost):
                await self._keep(state, one, kept)
            return
        await self._keep(state, one, kept)
        state.no_case_in_a_row = 0
        if not verdict.asked:
            state.left_out(one)
        elif verdict.is_bad is None:
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
            self._matter.counts.add(state.name, one.served_by, found.verdict.is_bad, found.cost)

    def _store(self, found: _Kept) -> bool:
        """Unless what was said is deleted by now, or another control leads."""
        now_s, verdict = self._clocks.wall_s(), found.verdict
        with database.writing(self._given.engine) as connection:
            made = captures.by_id(connection, found.loaded.receipt.id, now_s)
            if made is None or not self._given.leads():
                return False
            decides = all(
                digest and judges.may_decide(connection, digest, now_s) for digest in verdict.judges
            )
            came = Came(verdict, now_s, found.cost, decides)
            self._matter.store(connection, found.loaded, came)
            return True

    def _note(self) -> None:
        """What is wrong with which route, where that has changed."""
        engine, now_s = self._given.engine, self._clocks.wall_s()
        with database.reading(engine) as connection:
            noted = self._matter.noted(connection)
            alarms = judges.alarmed(connection)
            found: dict[str, str | None] = {}
            for name, state in self._routes.items():
                missed = self._matter.missed(connection, state)
                found[name] = state.wrong(missed, alarms.get(self._matter.alarmed(name)))
        found |= {name: None for name in noted if name not in found}
        before = {name: it.why for name, it in noted.items()}
        changed = {name: why for name, why in found.items() if why != before.get(name)}
        self._since_s = {name: it.since_s for name, it in noted.items() if found[name] is not None}
        if not changed or not self._given.leads():
            return
        with database.writing(engine) as connection:
            for name, why in changed.items():
                self._matter.note(connection, name, why, now_s)
                notices.note(connection, self._matter.tell(name, why), now_s)


def parameters_of(asked: Asked) -> tuple[tuple[str, str], ...]:
    """The members of the body of each question to the judge, each as JSON."""
    text = asked.quality.judge_parameters
    return () if text is None else tuple((k, bytes(v).decode()) for k, v in _members(text).items())
