"""Asks a judge of anchors, twice of each, as a run would ask it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core import plugs
from tidegate.core.grading import Answered, Ask, Check, Grade, Grader
from tidegate.evals.anchors import Anchor, Label
from tidegate.evals.calibration import Said

PAIRWISE: Final = "judge_pairwise"
_TIMES: Final = 2


class _Better(Struct):
    better: str


_better: Final = msgspec.json.Decoder(_Better).decode


class _Heard:
    """An Ask that notes whether what was shown first is held better."""

    def __init__(self, judge: Ask) -> None:
        self._judge = judge
        self.first: list[bool] = []

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]:
        text, why = await self._judge(turns, json_schema)
        if text is not None:
            try:
                said = _better(text.encode(errors="replace")).better
            except (msgspec.DecodeError, RecursionError):
                said = ""
            if said in ("A", "B"):
                self.first.append(said == "A")
        return text, why


async def judged(judge: Ask, check: Check, anchors: Sequence[Anchor], at_once: int) -> list[Said]:
    """What it says of every anchor. MoneySpent."""
    grader: Grader = plugs.load("graders", check.grader)
    options: Mapping[str, Any] = msgspec.json.decode(check.options)
    turn = asyncio.Semaphore(at_once)

    async def one(anchor: Anchor) -> Said:
        labels: list[Label | None] = []
        heard = _Heard(judge)
        own = options if anchor.against is None else {**options, "against": anchor.against}
        async with turn:
            for _ in range(_TIMES):
                answered = Answered(anchor.answer)
                grade = await grader.grade(anchor.case(), answered, own, heard)
                labels.append(_label(grade, check.grader))
        first = heard.first if check.grader == PAIRWISE else ()
        return Said(anchor, tuple(labels), tuple(first))

    async with asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(one(anchor)) for anchor in anchors]
    return [it.result() for it in made]


def _label(grade: Grade, grader: str) -> Label | None:
    if grade.verdict == "error":
        return None
    if grader != PAIRWISE:
        return grade.verdict == "pass"
    score = grade.score if isinstance(grade.score, float | int) else 0.5
    return "tie" if score == 0.5 else "first" if score > 0.5 else "second"
