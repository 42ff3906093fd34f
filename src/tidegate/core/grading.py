"""A case, what a model answered to it, and what a grader says of the answer."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from msgspec import UNSET, Raw, Struct, UnsetType

# error: nobody knows, such as a judge that gave no verdict. Never read as either of the others.
Verdict = Literal["pass", "fail", "error"]


class Answered(Struct, frozen=True, omit_defaults=True):
    """One answer to a case, as a grader sees it. `None` is unknown, never zero.

    `tool_calls` are (name, arguments as the model wrote them). `refusal` and `validity` are what
    the gateway's receipt says. `output` is None when there was no answer, and `failure` says why.
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
    model_snapshot: str | None = None
    receipt_id: str | None = None


class Case(Struct, frozen=True, omit_defaults=True):
    """One question of a suite.

    `variables` fill the prompt, or `turns` (role, text) are sent as they are. `expected` is what
    the answer is compared with where a grader names nothing else. `must_pass`: one failure blocks.
    `strata` say what kind of case it is, such as {safety: injection}.
    """

    id: str
    variables: Mapping[str, Raw] = {}
    turns: tuple[tuple[str, str], ...] = ()
    expected: Raw | None = None
    context: tuple[str, ...] = ()
    checks: tuple["Check", ...] = ()
    must_pass: bool = False
    strata: Mapping[str, str] = {}


class Check(Struct, frozen=True, omit_defaults=True):
    """One grader as a suite asks for it. `options` are its own, as JSON. `negated` turns pass and
    fail over and leaves an error one. `weight` is its part of the case's score."""

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


class Ask(Protocol):
    """How a grader that needs a model asks one, through the gateway: the answer's text, or None and
    why there is none."""

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]: ...


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
