"""Asks a judge of anchors, twice of each, as a run would ask it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tidegate.core import plugs
from tidegate.core.grading import Answered, Ask, Check, Grade, Grader
from tidegate.evals.anchors import Anchor, Label
from tidegate.evals.calibration import Said
from tidegate.evals.grading import with_threshold
from tidegate.evals.heard import Heard
from tidegate.graders import judge_pairwise

PAIRWISE: Final = "judge_pairwise"
_TIMES: Final = 2


async def judged(judge: Ask, check: Check, anchors: Sequence[Anchor], at_once: int) -> list[Said]:
    """What it says of every anchor. MoneySpent."""
    grader: Grader = plugs.load("graders", check.grader)
    options = with_threshold(msgspec.json.decode(check.options), check.threshold)
    turn = asyncio.Semaphore(at_once)

    async def one(anchor: Anchor) -> Said:
        labels: list[Label | None] = []
        first: list[bool] = []
        async with turn:
            for _ in range(_TIMES):
                heard = Heard(judge)
                grade = await _grade(grader, anchor, options, heard)
                labels.append(_label(grade, check.grader))
                if check.grader == PAIRWISE and grade.verdict != "error":
                    first += heard.first
        return Said(anchor, tuple(labels), tuple(first))

    async with asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(one(anchor)) for anchor in anchors]
    return [it.result() for it in made]


async def _grade(grader: Grader, anchor: Anchor, options: Mapping[str, Any], ask: Ask) -> Grade:
    if anchor.against is not None:
        pair = anchor.answer, anchor.against
        return await judge_pairwise.plug.compare(anchor.case(), pair, options, ask)
    return await grader.grade(anchor.case(), Answered(anchor.answer), options, ask)


def _label(grade: Grade, grader: str) -> Label | None:
    if grade.verdict == "error":
        return None
    if grader != PAIRWISE:
        return grade.verdict == "pass"
    score = grade.score if isinstance(grade.score, float | int) else 0.5
    return "tie" if score == 0.5 else "first" if score > 0.5 else "second"
