"""A case, what a model answered to it, and what a grader says of the answer."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, Protocol

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

# error: nobody knows, such as a judge that gave no verdict. Never read as either of the others.
Verdict = Literal["pass", "fail", "error"]


class Answered(Struct, frozen=True, omit_defaults=True):
    """One answer to a case, as a grader sees it. `None` is unknown, never zero.

    `tool_calls` are (name, arguments as the model wrote them). `refusal` and `validity` are what
    the gateway's receipt says. `output` is None when there was no answer, and `failure` says why.
    `model` is what was asked, as its provider calls it, `model_snapshot` what it says answered.
    `declined`: its provider tells that the model declined, whose words `output` then is.
    """

    output: str | None
    failure: str | None = None
    tool_calls: tuple[tuple[str, str], ...] = ()
    finish_reason: str | None = None
    refusal: str | None = None
    validity: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nanousd: int | None = None
    ttft_s: float | None = None
    total_s: float | None = None
    model: str | None = None
    model_snapshot: str | None = None
    receipt_id: str | None = None
    declined: bool = False


class Case(Struct, frozen=True, omit_defaults=True):
    """One question of a suite.

    `variables` fill the prompt, or `turns` (role, text) are sent as they are. `expected` is what
    the answer is compared with where a grader names nothing else. `must_pass`: one failure blocks.
    `strata` say what kind of case it is, such as {safety: injection}. `threshold`: the least score
    with which the case passes, whatever its single checks say; without one each has to pass.
    """

    id: str
    variables: Mapping[str, Raw] = {}
    turns: tuple[tuple[str, str], ...] = ()
    expected: Raw | None = None
    context: tuple[str, ...] = ()
    checks: tuple["Check", ...] = ()
    must_pass: bool = False
    strata: Mapping[str, str] = {}
    threshold: float | None = None
    description: str = ""


class Check(Struct, frozen=True, omit_defaults=True):
    """One grader as a suite asks for it. `options` are its own, as JSON. `threshold` is the least
    score with which it passes, instead of the grader's own verdict. `negated` turns pass and fail
    over and leaves an error one. `weight` is its part of the case's score; of weight 0 only an
    error decides anything."""

    grader: str
    options: Raw = Raw(b"{}")
    negated: bool = False
    weight: float = 1.0
    threshold: float | None = None
    metric: str | None = None


class Grade(Struct, frozen=True, omit_defaults=True):
    """`score` is from 0 to 1, absent with an error. `why` is one sentence for a person."""

    verdict: Verdict
    score: float | UnsetType = UNSET
    why: str = ""


# A vector for each text, or None and why there are none.
Embedded = tuple[Sequence[Sequence[float]] | None, str | None]


class Ask(Protocol):
    """How a grader that needs a model asks one, through the gateway: the answer's text, or None and
    why there is none. One that can ask for embeddings too has `Embed.embed`."""

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]: ...


class Embed(Protocol):
    """How a grader asks for embeddings, through the gateway."""

    async def embed(self, texts: tuple[str, ...]) -> Embedded: ...


class Grader(Protocol):
    """What a file of `graders/` holds as `plug`. Pure, but for what it asks through `ask`.

    `wrong` says what is wrong with options as they are written, before anything is run. `asks`:
    whether it needs a model. `grade` never raises for what a model wrote.
    """

    asks: bool

    def wrong(self, options: Mapping[str, Any]) -> str | None: ...

    async def grade(
        self, case: Case, answered: Answered, options: Mapping[str, Any], ask: Ask | None
    ) -> Grade: ...


Marking = Callable[[Case, Answered], Grade]


class Pure(Grader, Protocol):
    """A grader that asks nobody. `marking` reads options once for as many answers as there are, and
    grades each as `grade` does."""

    def marking(self, options: Mapping[str, Any]) -> Marking: ...


def checked(check: Check, grade: Grade) -> Grade:
    """What a grader said, as the check asks: its threshold first, then whether it is negated."""
    if grade.verdict == "error":
        return grade
    if check.threshold is not None:
        if not isinstance(grade.score, float | int):
            return Grade("error", why="a threshold is asked of a grader that gave no score")
        reached = grade.score >= check.threshold
        grade = replace(grade, verdict="pass" if reached else "fail")
    if not check.negated:
        return grade
    score = 1 - grade.score if isinstance(grade.score, float | int) else UNSET
    turned: Verdict = "fail" if grade.verdict == "pass" else "pass"
    return replace(grade, verdict=turned, score=score, why=f"asked not to be so: {grade.why}")


def together(
    checks: Sequence[Check], grades: Sequence[Grade], threshold: float | None = None
) -> Grade:
    """The grade of a case, or of a group of checks: the mean score by weight. An error of any is an
    error of all, and so is a case that checks nothing: nobody knows whether it is right."""
    if not checks:
        return Grade("error", why="nothing is checked")
    broken = [grade for grade in grades if grade.verdict == "error"]
    if broken:
        return Grade("error", why=broken[0].why)
    total = sum(check.weight for check in checks)
    if total <= 0:
        return Grade("error", why="no check has a weight")
    pairs = list(zip(checks, grades, strict=True))
    score = sum(check.weight * _score(grade) for check, grade in pairs) / total
    failed = [grade for check, grade in pairs if grade.verdict == "fail" and check.weight > 0]
    if threshold is not None:
        reached = score >= threshold
        why = f"score {score:.3g}, and {threshold:g} is asked"
        return Grade("pass" if reached else "fail", score, why)
    return Grade("fail", score, failed[0].why) if failed else Grade("pass", score)


def _score(grade: Grade) -> float:
    if isinstance(grade.score, float | int):
        return grade.score
    return 1.0 if grade.verdict == "pass" else 0.0


class Judge(Grader, Protocol):
    """A grader that asks a model. `prompt` is all that it says of its own in the options' case, and
    by which of them a reply becomes a verdict: by that `judge_digest` knows it again."""

    def prompt(self, options: Mapping[str, Any]) -> str: ...


def judge_digest(prompt: str, model: str, parameters: Mapping[str, Any]) -> str:
    """Who judges: the SHA-256 (hex) of its prompt, its model's exact version and the parameters
    with which that is asked. A judge with another digest is another judge."""
    parts = msgspec.json.encode([prompt, model, dict(parameters)], order="deterministic")
    return sha256(parts).hexdigest()
