"""A job that grades live answers over a database, with a judge that says what a test has it say and
time that passes only as a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from tests.evals.online_room import Room
from tests.stores import rig

from tidegate.core.assessment import Assessment
from tidegate.core.capture import Captured
from tidegate.core.declared_capture import DeclaredCapture
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.grading import Answered
from tidegate.core.judged_hit import JudgedHit
from tidegate.core.receipt import Receipt
from tidegate.evals.hit_matter import Hits
from tidegate.evals.live_grading import LiveGrading
from tidegate.evals.live_route import Clocks
from tidegate.evals.live_sampling import Purse
from tidegate.evals.own_gateway import OwnJudge
from tidegate.stores import assessments, captures, database, judged_hits, live_answers
from tidegate.stores.ledger import Ledger

START_S = 1_790_000_000.0
SECRET = "what was said"
GOOD = '{"reason": "fine", "score": 1}'
BAD = '{"reason": "rude", "score": 0}'
CHECKS = '[{"judge_rubric":{"rubric":"It is polite."}}]'
JUDGED = DeclaredQuality(checks=CHECKS, judge="grader", per_hour=3600)
Say = Callable[[bytes], Answered]


class Time:
    """Both clocks; `set_wall_s` steps the one that people set."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.set_wall_s = 0.0

    def clocks(self) -> Clocks:
        return Clocks(
            lambda: START_S + self.now_s + self.set_wall_s, lambda: self.now_s, self.pass_
        )

    async def pass_(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


class Way:
    """The gateway as a judge's questions see it. Each costs `cost_nanousd`, told by a receipt."""

    def __init__(self, bench: "Bench") -> None:
        self._bench = bench
        self.say: Say = lambda _: Answered(GOOD)
        self.cost_nanousd: int | None = 1000
        self.missing: Exception | None = None
        self.asked: list[bytes] = []

    async def ask(self, body: bytes, _purpose: str = "answer") -> Answered:
        self.asked.append(body)
        said = self.say(body)
        receipt = rig.receipt(START_S, route="grader", purpose="eval")
        receipt.cost_nanousd, receipt.most_nanousd = self.cost_nanousd, None
        self._bench.record(receipt)
        snapshot = "judge-1" if said.failure is None else None
        return msgspec.structs.replace(said, receipt_id=receipt.id, model_snapshot=snapshot)

    @contextlib.asynccontextmanager
    async def judge(
        self, route: str, parameters: tuple[tuple[str, str], ...] = ()
    ) -> AsyncIterator[OwnJudge]:
        """As `OwnGateway.judge`."""
        if self.missing is not None:
            raise self.missing
        way: Any = self
        yield OwnJudge(way, route, parameters)


class Bench(Room):
    """`chat` is captured and graded, by `quality`."""

    def __init__(self, folder: Path, quality: DeclaredQuality = JUDGED) -> None:
        super().__init__(folder)
        self.time = Time()
        self.way = Way(self)
        self.declare(quality)
        self.purses: dict[str, Purse] = {}
        self.job = self.fresh()
        self.hits = self.fresh_hits()

    def declare(self, quality: DeclaredQuality | None, share: float | None = 1.0) -> None:
        capture = None if share is None else DeclaredCapture(share)
        routes = {"chat": DeclaredRoute(quality=quality, capture=capture)}
        self.declared = msgspec.structs.replace(self.declared, routes=routes)

    def fresh(self) -> LiveGrading:
        """As after a restart."""
        way: Any = self.way
        self.purses.clear()
        return LiveGrading(self.given, way, self.time.clocks(), purses=self.purses)

    def fresh_hits(self) -> LiveGrading:
        """What judges kept answers, after a restart, out of the same money."""
        way: Any = self.way
        return LiveGrading(self.given, way, self.time.clocks(), Hits(), self.purses)

    def record(self, *several: Receipt) -> None:
        Ledger(self.engine).write(rig.entries(*several), [])

    def captured(self, answer: str = "Good day.", **fields: Any) -> str:
        """One answer of now, with its receipt; its id."""
        at_s = self.time.clocks().wall_s()
        given = {"route": "chat", "key_id": "k", "model_served": "m", **fields}
        names = ("messages", "cut", "shortened", "kept", "cache_score", "cache_veto")
        kept = {name: given.pop(name) for name in names if name in given}
        receipt = rig.receipt(at_s, **given)
        self.record(receipt)
        self.keep(receipt, answer, **kept)
        return receipt.id

    def keep(self, receipt: Receipt, answer: str, **fields: Any) -> None:
        values: dict[str, Any] = {
            "messages": '[{"role": "user", "content": "Is it ' + SECRET + '?"}]',
            "purpose": receipt.purpose,
            "key_id": receipt.key_id,
            "arm": receipt.arm,
            "prompt_version": receipt.prompt_version,
            "model": receipt.model_served,
            "customer": receipt.customer,
            "cache": receipt.cache,
            "cache_tier": "semantic" if "kept" in fields else receipt.cache_tier,
            "cache_from": receipt.cache_from,
        }
        made = Captured(
            receipt_id=receipt.id,
            at_s=receipt.started_at_s,
            until_s=receipt.started_at_s + 7 * 86_400,
            route=receipt.route or "",
            answer=answer,
            **(values | fields),
        )
        with database.writing(self.engine) as connection:
            captures.store(connection, [made], receipt.started_at_s)

    async def steps(self, count: int = 1, wait_s: float = 1.0) -> None:
        """So many steps, each to the end of what it began."""
        for _ in range(count):
            await self.job.step()
            await self.settled()
            self.time.now_s += wait_s

    async def hit_steps(self, count: int = 1, wait_s: float = 1.0) -> None:
        """The same of what judges kept answers."""
        for _ in range(count):
            await self.hits.step()
            while self.hits._tasks:
                await asyncio.gather(*self.hits._tasks)
            self.time.now_s += wait_s

    async def settled(self) -> None:
        while self.job._tasks:
            await asyncio.gather(*self.job._tasks)

    def found(self) -> list[Assessment]:
        with database.reading(self.engine) as connection:
            return live_answers.newest(connection, live_answers.Which(), limit=1000)

    def found_hits(self) -> list[JudgedHit]:
        with database.reading(self.engine) as connection:
            return judged_hits.judged_hits(connection, "chat", 0.0)

    def unjudged(self) -> str | None:
        with database.reading(self.engine) as connection:
            noted = judged_hits.not_judged(connection).get("chat")
        return None if noted is None else noted.why

    def ungraded(self) -> str | None:
        with database.reading(self.engine) as connection:
            noted = assessments.not_graded(connection).get("chat")
        return None if noted is None else noted.why


def priced(**fields: Any) -> DeclaredQuality:
    return msgspec.structs.replace(JUDGED, **fields)


def usd(text: str) -> Decimal:
    return Decimal(text)
