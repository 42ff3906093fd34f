"""A judge is asked of one anchor, once, as it is asked of live answers."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from tidegate.core import plugs
from tidegate.core.grading import Answered, Grader
from tidegate.evals.anchors import Anchor
from tidegate.evals.asking import REJECTED
from tidegate.evals.grading import Judge
from tidegate.evals.judge_seats import JudgeSeat, Parameters


class Asking(Protocol):
    """How judges are reached: `evals.own_gateway.OwnGateway`."""

    def judge(
        self, route: str, parameters: Parameters = ()
    ) -> AbstractAsyncContextManager[Judge]: ...


class Verdict(Struct, frozen=True):
    """What came of it. With `away` nobody answered, and that says why; else `model` did (empty
    where its provider refused to ask it), and `passes` None is no verdict."""

    anchor: Anchor
    turn: int
    away: str | None = None
    model: str = ""
    passes: bool | None = None
    score: float | None = None


class _Ear:
    """An Ask that notes when nobody answers. What a provider rejects was answered."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.away: str | None = None
        self.refused = False

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]:
        text, why = await self._judge(turns, json_schema)
        code = (why or "it said nothing").partition(":")[0]
        if code == REJECTED:
            self.refused = True
        elif text is None:
            self.away = code
        return text, why


async def ask_once(asking: Asking, seat: JudgeSeat, anchor: Anchor, turn: int) -> Verdict:
    """MoneySpent, NoGateway, StoreError."""
    grader: Grader = plugs.load("graders", seat.check.grader)
    options: Mapping[str, Any] = msgspec.json.decode(seat.check.options)
    async with asking.judge(seat.route, seat.parameters) as judge:
        ear = _Ear(judge)
        grade = await grader.grade(anchor.case(), Answered(anchor.answer), options, ear)
    if ear.away is not None:
        return Verdict(anchor, turn, ear.away)
    if ear.refused and not judge.models:
        return Verdict(anchor, turn)
    if len(judge.models) != 1 or not all(judge.models):
        return Verdict(anchor, turn, "its answers do not name one model")
    passes = None if grade.verdict == "error" else grade.verdict == "pass"
    score = float(grade.score) if isinstance(grade.score, float | int) else None
    return Verdict(anchor, turn, None, next(iter(judge.models)), passes, score)
