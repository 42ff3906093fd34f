"""A run: both sides of every case through the gateway, close together in time, until all is known,
the candidate is surely worse, the money is spent, or it is interrupted.

What fails is an outcome of its own, an error: never a pass, and asked again when the run resumes.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, Protocol

from msgspec import Struct
from msgspec.structs import replace

from tidegate.core.grading import Answered, Case, Check
from tidegate.evals.asking import Gateway, MoneySpent
from tidegate.evals.comparing import Comparing
from tidegate.evals.grading import Marker, needs_receipts
from tidegate.evals.outcome import Outcome, Paired, is_sure, passed
from tidegate.evals.receipts import is_unread
from tidegate.evals.run_file import Key, RunFile
from tidegate.evals.side import SideName, Writer
from tidegate.evals.suite import Suite
from tidegate.prompts.rendered import RenderRefused
from tidegate.stats.discordant import Coin

# Answers may wait for their receipts while the next ones are asked for.
MAX_WAITING: Final = 2000
_MAY_ASK: Final = frozenset(("group", "semantic_similarity"))
StoppedBy = Literal["worse", "money"]


class Enrich(Protocol):
    """Adds to an answer what its receipt says."""

    async def __call__(self, answered: Answered) -> Answered: ...


class Ended(Struct, frozen=True):
    """How a run came to its end: `stopped` None when every case was asked."""

    stopped: StoppedBy | None = None
    why: str = ""


class Course(Struct, frozen=True):
    """How a run goes. `alpha` None: it is not stopped early. `progress`: called at each outcome."""

    at_once: int = 16
    alpha: float | None = 0.05
    enrich: Enrich | None = None
    progress: Callable[[], None] | None = None


class Run:
    """One run of a suite. `writers` are of its sides, one or two."""

    def __init__(
        self,
        suite: Suite,
        writers: Mapping[SideName, Writer],
        file: RunFile,
        marker: Marker,
        course: Course,
    ) -> None:
        self.suite = suite
        self._writers = writers
        self._file = file
        self._marker = marker
        self._course = course
        self._coin = Coin()
        self._graded = dict(file.outcomes)
        self._waits_for_receipts = needs_receipts(suite.cases)
        self._stopped: Ended | None = None
        self._tossed: set[str] = set()
        self._cases = {case.id: case for case in in_turn(suite.cases, file.head.run)}
        both = suite.cases if len(writers) > 1 else ()
        self._comparing = Comparing(both, marker.judges, file)

    @property
    def id(self) -> str:
        """By which receipts know its answers, as their session."""
        return self._file.head.run

    @property
    def path(self) -> Path:
        """Where its outcomes are."""
        return self._file.path

    def left(self) -> list[tuple[Case, int, SideName]]:
        """What is not known yet. Which side of a case goes first takes turns."""
        found = []
        for number, case in enumerate(self._cases.values()):
            for repeat in range(self.suite.repeats):
                names = list(self._writers)
                for name in names if (number + repeat) % 2 == 0 else reversed(names):
                    before = self._file.outcomes.get((name, case.id, repeat))
                    if before is None or before.verdict == "error":
                        found.append((case, repeat, name))
        return found

    async def go(self, gateway: Gateway) -> Ended:
        """Asks for all that is not known. What was known is kept whatever happens."""
        for case in self._cases.values():
            self._toss(case)
        todo = iter(self.left())
        uncompared = iter(self._comparing.pending(self._cases.values()))
        waiting = asyncio.Semaphore(MAX_WAITING)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._course.at_once):
                    tasks.create_task(self._work(gateway, todo, tasks, waiting))
                    tasks.create_task(self._compare_known(uncompared))
                for key in self._unread():
                    tasks.create_task(self._reread(key))
        except* OSError as several:
            raise several.exceptions[0] from None
        return self._stopped or Ended()

    async def _work(
        self,
        gateway: Gateway,
        todo: Iterator[tuple[Case, int, SideName]],
        tasks: asyncio.TaskGroup,
        waiting: asyncio.Semaphore,
    ) -> None:
        """One answer after another, while there are some to be had."""
        for case, repeat, name in todo:
            if self._stopped is not None:
                return
            answered = await self._ask(gateway, case, name)
            if answered is None:
                return
            if self._course.enrich is None and not any(map(_waits, case.checks)):
                await self._note(case, repeat, name, answered)
            else:
                await waiting.acquire()
                noted = tasks.create_task(self._note(case, repeat, name, answered))
                noted.add_done_callback(lambda _: waiting.release())

    def _unread(self) -> list[Key]:
        """Whose receipts had not come when a run of the same file ended."""
        if self._course.enrich is None:
            return []
        known = self._file.outcomes.items()
        return [key for key, it in known if it.verdict != "error" and is_unread(it.answered)]

    async def _reread(self, key: Key) -> None:
        outcome = self._file.outcomes[key]
        assert self._course.enrich is not None  # noqa: S101 - see `_unread`
        answered = await self._course.enrich(outcome.answered)
        if not is_unread(answered):
            self._file.add(key[0], replace(outcome, answered=answered))

    async def _compare_known(self, uncompared: Iterator[tuple[Case, int]]) -> None:
        """What another run of the same file has answers to."""
        for case, repeat in uncompared:
            if self._stopped is not None:
                return
            await self._compare(case, repeat)

    async def _compare(self, case: Case, repeat: int) -> None:
        try:
            await self._comparing.compare(case, repeat)
        except MoneySpent as spent:
            self._stopped = self._stopped or Ended("money", str(spent))

    def pairs(self) -> list[Paired]:
        """Every case with what is known of it."""
        known = self._file.outcomes
        return [
            Paired(
                case,
                self._side("baseline", case.id, known),
                self._side("candidate", case.id, known),
                self._comparing.known(case),
                self.suite.repeats,
            )
            for case in self.suite.cases
        ]

    async def _ask(self, gateway: Gateway, case: Case, name: SideName) -> Answered | None:
        """None when the run may go no further."""
        try:
            return await gateway.ask(self._writers[name].body(case))
        except RenderRefused as no:
            return Answered(None, failure=f"the prompt cannot be rendered: {no}")
        except MoneySpent as spent:
            self._stopped = self._stopped or Ended("money", str(spent))
            return None

    async def _note(self, case: Case, repeat: int, name: SideName, answered: Answered) -> None:
        """Grades an answer at once where no check asks what only its receipt knows."""
        enrich = self._course.enrich
        if enrich is not None and self._waits_for_receipts:
            answered, enrich = await enrich(answered), None
        try:
            outcome = await self._marker.outcome(self._comparing.own(case), repeat, answered)
        except MoneySpent as spent:
            self._stopped = self._stopped or Ended("money", str(spent))
            return
        self._graded[name, case.id, repeat] = outcome
        self._toss(case)
        try:
            if enrich is not None:
                outcome = replace(outcome, answered=await enrich(answered))
        finally:
            self._file.add(name, outcome)
            if self._course.progress is not None:
                self._course.progress()
        await self._compare(case, repeat)

    def _toss(self, case: Case) -> None:
        """Looks at the evidence once a case is known on both sides."""
        alpha = self._course.alpha
        if alpha is None or len(self._writers) < 2 or case.id in self._tossed:
            return
        sides = [self._side(name, case.id, self._graded) for name in ("baseline", "candidate")]
        if not all(is_sure(it, self.suite.repeats) for it in sides):
            return
        self._tossed.add(case.id)
        before, after = map(passed, sides)
        if before != after:
            self._coin.toss(lost=before)
        if self._stopped is None and self._coin.is_worse(alpha):
            lost, won = self._coin.lost, self._coin.won
            why = f"surely worse after {len(self._tossed)} cases: {lost} lost, {won} won"
            self._stopped = Ended("worse", why)

    def _side(
        self, name: SideName, case: str, outcomes: Mapping[Key, Outcome]
    ) -> tuple[Outcome, ...]:
        known = (outcomes.get((name, case, n)) for n in range(self.suite.repeats))
        return tuple(it for it in known if it is not None)


def _waits(check: Check) -> bool:
    """Whether a model may be asked for it: the next answer does not wait for that."""
    return check.grader in _MAY_ASK or check.grader.startswith("judge_")


def in_turn(cases: Iterable[Case], seed: str) -> list[Case]:
    """In an order of the run's own: files put like with like, and a run that stops early has to
    have seen some of everything."""
    return sorted(cases, key=lambda it: sha256(f"{seed}\0{it.id}".encode()).digest())
