"""A judge of live answers in virtual time: who answers, what it gets wrong, and when it is away."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.evals.online_room import Room
from tests.stores.rig import NOON_S

from tidegate.core.declared_quality import DeclaredQuality
from tidegate.evals import judge_drift
from tidegate.evals.asking import MoneySpent
from tidegate.evals.judge_drift import JudgeDrift
from tidegate.evals.judge_looks import WEEK_S
from tidegate.evals.judge_seats import seats_of
from tidegate.stores import assessments, database, judges, notices
from tidegate.stores.judges import Calibrated, Look, Seat

ANCHORS = 200
CALIBRATION = 2 * ANCHORS
KIND = '[{"judge_rubric": {"rubric": "kind"}, "metric": "kindness"}]'
_NUMBER = re.compile(r"answer (\d+)")

Turns = tuple[tuple[str, str], ...]


class Sitting:
    """Who sits at the judge's route. `wrong` are the numbers of anchors of which it says the
    contrary of people, `mute` those of which it gives no verdict."""

    def __init__(self) -> None:
        self.model = "m-1"
        self.wrong: set[int] = set(range(0, ANCHORS, 8))  # kappa 0.75
        self.mute: set[int] = set()
        self.away: str | None = None
        self.money: int | None = None
        self.asked: list[int] = []

    @asynccontextmanager
    async def judge(self, route: str, parameters: Any = ()) -> AsyncIterator[Any]:
        assert (route, parameters) == ("referee", ())
        yield _Once(self)


class _Once:
    def __init__(self, who: Sitting) -> None:
        self._who = who
        self.models: set[str] = set()

    async def __call__(self, turns: Turns, schema: str | None) -> tuple[str | None, str | None]:
        who, found = self._who, _NUMBER.search(turns[-1][1])
        assert found is not None
        number = int(found[1])
        who.asked.append(number)
        if who.money is not None and len(who.asked) > who.money:
            raise MoneySpent("no more")
        if who.away is not None:
            return None, who.away
        self.models.add(who.model)
        if number in who.mute:
            return "hm", None
        right = number % 2 == 0
        score = 1.0 if right != (number in who.wrong) else 0.0
        return msgspec.json.encode({"reason": "so", "score": score}).decode(), None


def lines(numbers: Iterable[int] = range(ANCHORS)) -> str:
    """Anchors of which people like the even ones."""
    rows = [{"id": f"a{n}", "answer": f"answer {n}", "labels": [n % 2 == 0]} for n in numbers]
    return "\n".join(msgspec.json.encode(it).decode() for it in rows)


class JudgeRoom(Room):
    """One judge for the routes `chat` and `mail`, whose clock stands still but for what a test
    says."""

    def __init__(self, folder: Path, **fields: Any) -> None:
        quality = DeclaredQuality(
            checks=KIND,
            judge="referee",
            anchors="a.jsonl",
            most_usd_per_day=Decimal(1),
            **fields,
        )
        super().__init__(folder, chat=quality, mail=quality)
        self.now_s = NOON_S
        self.file = folder / "a.jsonl"
        self.file.write_text(lines())
        self.sitting = Sitting()
        self.job = self.begun()

    def begun(self) -> JudgeDrift:
        """The job, as a control that has just begun to lead has it."""
        return JudgeDrift(self.given, self.sitting, lambda: self.now_s)

    def work(
        self, until: Callable[[float], bool] = lambda wait_s: wait_s > 1, most: int = 80
    ) -> None:
        """Steps until there is nothing more to do for a while."""

        async def main() -> None:
            for _ in range(most):
                if until(await self.job.step()):
                    return
            raise AssertionError("it does not come to an end")

        asyncio.run(main())

    def weeks(self, count: int) -> None:
        for _ in range(count):
            self.now_s += WEEK_S
            self.work()

    @property
    def digest(self) -> str:
        return self.digest_of(self.sitting.model)

    def digest_of(self, model: str) -> str:
        return seats_of(self.declared)[0].digest(model)

    @property
    def may_decide(self) -> bool:
        with database.reading(self.engine) as connection:
            return judges.may_decide(connection, self.digest, self.now_s)

    def row(self, model: str | None = None) -> Calibrated:
        with database.reading(self.engine) as connection:
            found = judges.find(connection, self.digest_of(model or self.sitting.model))
        assert found is not None
        return found

    def seat(self) -> Seat:
        with database.reading(self.engine) as connection:
            [found] = judges.seats(connection).values()
        return found

    def looks(self) -> list[Look]:
        with database.reading(self.engine) as connection:
            return judges.looks(connection, self.digest)

    def told(self) -> list[str]:
        """Titles of what people are told and is not over."""
        with database.reading(self.engine) as connection:
            return sorted(it.title for it in notices.recent(connection, only_open=True))

    def not_graded(self) -> dict[str, str]:
        """Why routes wait, and are told to."""
        with database.reading(self.engine) as connection:
            told = {it: why.why for it, why in assessments.not_graded(connection).items()}
            alarmed = judges.alarmed(connection)
        assert {it: told.get(it) for it in alarmed} == alarmed
        return alarmed


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeRoom]:
    """One in which a whole occasion is asked at once, and files are read at each look."""
    monkeypatch.setattr(judge_drift, "AT_ONCE", 100)
    monkeypatch.setattr(judge_drift, "_ANCHORS_S", 0.0)
    monkeypatch.setattr(judge_drift, "_UNREADABLE_S", 0.0)
    with JudgeRoom(folder) as found:
        assert isinstance(found, JudgeRoom)
        yield found
