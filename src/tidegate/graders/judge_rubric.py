"""A model judges the answer by a rubric, with a score or one of a few choices.

The verdict is computed here from the score; what a judge thinks of passing is not asked.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tidegate.core.grading import Answered, Ask, Case, Grade
from tidegate.core.words import quoted
from tidegate.graders._judge import (
    FENCE,
    Judging,
    Unjudged,
    ask_judge,
    object_schema,
    question,
    with_options,
)
from tidegate.graders._plain import expected_text, graded

_Share = Annotated[float, Meta(ge=0, le=1)]
Preset = Literal["correctness", "faithfulness", "relevance", "context_recall", "context_relevance"]
PRESETS: Final[Mapping[Preset, str]] = {
    "correctness": "What ANSWER says of facts agrees with REFERENCE. It may say more or less, and"
    " say it otherwise; it may not contradict it.",
    "faithfulness": "Every statement of ANSWER follows from CONTEXT. What is true but does not"
    " stand there counts against it.",
    "relevance": "ANSWER answers QUESTION, all of it and nothing else.",
    "context_recall": "Every statement of REFERENCE can be found in CONTEXT. Leave ANSWER aside.",
    "context_relevance": "CONTEXT is what is needed for QUESTION, and little else. Leave ANSWER"
    " aside.",
}
_SCORED: Final = """You judge one answer by a rubric.
Give `score` from 0 to 1: 1 when it meets all of the rubric, 0 when it meets none of it, and 0.5 or
more exactly when as a whole it meets it. Longer is not better, and style counts only where the
rubric speaks of it. Say why in `reason` first, in at most three sentences.
"""
_CHOSEN: Final = """You judge one answer by a rubric.
Give as `choice` exactly one of the choices that the rubric names: {choices}. Say why in `reason`
first, in at most three sentences.
"""


class Options(Struct, frozen=True, omit_defaults=True):
    """`rubric`, one text or several points, or a `preset`. `threshold`: the least score. `choices`:
    what the judge chooses from, each with its score, instead of a score of its own. `reference`:
    what it is shown as a good answer; the case's `expected` without it."""

    rubric: str | tuple[str, ...] | None = None
    preset: Preset | None = None
    threshold: _Share = 0.5
    choices: dict[str, _Share] | None = None
    reference: str | None = None


class _Scored(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    score: _Share


class _Chosen(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    choice: str


async def _graded(case: Case, answered: Answered, options: Options, ask: Ask | None) -> Grade:
    material = _material(case, answered, options)
    lacking = [name for name in _needed(options) if name not in material]
    if lacking:
        return Grade("error", why=f"the case gives no {lacking[0].lower()} to judge by")
    return await _judged(options, material, ask)


async def _judged(options: Options, material: dict[str, str], ask: Ask | None) -> Grade:
    reason = {"type": "string"}
    if options.choices is None:
        schema = object_schema({"reason": reason, "score": {"type": "number"}})
        scored = await ask_judge(ask, _system(options), material, _Scored, schema)
        return _grade(scored.score, scored.reason, options)
    schema = object_schema({"reason": reason, "choice": {"enum": list(options.choices)}})
    chosen = await ask_judge(ask, _system(options), material, _Chosen, schema)
    score = options.choices.get(chosen.choice)
    if score is None:
        raise Unjudged(f"the judge chose {quoted(chosen.choice)}, which is no choice")
    return _grade(score, f"{chosen.choice}: {chosen.reason}", options)


def _grade(score: float, reason: str, options: Options) -> Grade:
    grade = graded(score, options.threshold, "the judge gives")
    return Grade(grade.verdict, grade.score, f"{grade.why}: {reason[:500]}")


def _system(options: Options) -> str:
    points = [options.rubric] if isinstance(options.rubric, str) else list(options.rubric or ())
    if options.preset is not None:
        points.insert(0, PRESETS[options.preset])
    listed = points[0] if len(points) == 1 else "\n".join(f"- {point}" for point in points)
    head = _SCORED
    if options.choices is not None:
        head = _CHOSEN.replace("{choices}", ", ".join(map(quoted, options.choices)))
    return f"{head}{FENCE}\nThe rubric:\n{listed}"


def _known_by(options: Options) -> str:
    return with_options(_system(options), options, "choices", "threshold")


def _material(case: Case, answered: Answered, options: Options) -> dict[str, str]:
    material = {"QUESTION": question(case)}
    if case.context:
        material["CONTEXT"] = "\n\n".join(case.context)
    reference = options.reference if options.reference is not None else expected_text(case)
    if reference is not None:
        material["REFERENCE"] = reference
    material["ANSWER"] = answered.output or ""
    return material


def _needed(options: Options) -> list[str]:
    """What a preset speaks of besides the answer."""
    if options.preset is None:
        return []
    return [name for name in ("CONTEXT", "REFERENCE") if name in PRESETS[options.preset]]


def _also_wrong(options: Options) -> str | None:
    if not options.rubric and options.preset is None:
        return "it needs a `rubric` or a `preset`"
    if options.choices is not None and len(options.choices) < 2:
        return "`choices` needs two or more"
    return None


plug = Judging(Options, _known_by, _graded, _also_wrong)
