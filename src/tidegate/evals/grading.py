"""What the checks of a case say of one answer, and what that comes to.

A judge that is not calibrated only informs: its grades are shown, and decide nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.core import plugs
from tidegate.core.grading import (
    Answered,
    Ask,
    Case,
    Check,
    Grade,
    Grader,
    Marking,
    checked,
    judge_digest,
    together,
)
from tidegate.evals.asking import Gateway
from tidegate.evals.embedding import Embedder, Means
from tidegate.evals.gate_refusals import STRATUM as REFUSAL
from tidegate.evals.outcome import Outcome
from tidegate.graders.refusal import extent_of

# Checks that are kept ready; cases that each have their own are read for each answer beyond.
MAX_READY: Final = 10_000
_encode: Final = msgspec.json.Encoder().encode
# What only receipts know of an answer, or know better.
_OF_RECEIPTS: Final = frozenset(("cost", "latency", "refusal", "tokens"))


class Judge:
    """A route that judges. `models` are what has answered so far, as answers name it."""

    def __init__(
        self, gateway: Gateway, route: str, parameters: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self._gateway = gateway
        self.route = route
        self._fixed: dict[str, Any] = {"model": route, "prompt": False}
        self.parameters = {name: msgspec.json.decode(value) for name, value in parameters}
        self._fixed |= self.parameters
        self.models: set[str] = set()

    async def __call__(
        self, turns: tuple[tuple[str, str], ...], json_schema: str | None
    ) -> tuple[str | None, str | None]:
        """`core.grading.Ask`."""
        body = dict(self._fixed)
        body["messages"] = [{"role": role, "content": text} for role, text in turns]
        if json_schema is not None:
            schema = {
                "name": "verdict",
                "strict": True,
                "schema": msgspec.Raw(json_schema.encode()),
            }
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        answered = await self._gateway.ask(_encode(body), "judge")
        self.note(answered)
        return answered.output, answered.failure

    def note(self, answered: Answered) -> None:
        """What came of one question."""
        if answered.model_snapshot is not None:
            self.models.add(answered.model_snapshot)

    def digest(self, prompt: str) -> str | None:
        """Which judge that is with such a prompt; None while no model has answered, or several."""
        if len(self.models) != 1:
            return None
        [model] = self.models
        return judge_digest(prompt, model, self.parameters)


class Judges(Struct):
    """Who judges in a run: `ask` None where nobody does. `calibrated` are digests of judges that
    may decide. `embedder` makes vectors of texts, None where none are made."""

    ask: Judge | None = None
    calibrated: frozenset[str] = frozenset()
    embedder: Embedder | None = None

    @property
    def means(self) -> Ask | None:
        """What graders may ask; None where that is nothing."""
        if self.embedder is None:
            return self.ask
        return Means(self.ask, self.embedder)

    def decides(self, prompt: str) -> bool:
        return self.digest(prompt) in self.calibrated

    def digest(self, prompt: str) -> str:
        """Of who judges by it; empty where nobody knows."""
        return (None if self.ask is None else self.ask.digest(prompt)) or ""

    @property
    def models(self) -> tuple[str, ...]:
        """What has answered as a judge so far."""
        return () if self.ask is None else tuple(sorted(self.ask.models))


class _Ready(NamedTuple):
    """A grader with options. `marking` is there where it asks nobody, `prompts` are what its judges
    are told of their own."""

    grader: Grader
    options: Mapping[str, Any]
    marking: Marking | None
    prompts: tuple[str, ...]


class Marker:
    """Grades answers; graders are found and options read once for all cases."""

    def __init__(self, judges: Judges) -> None:
        self.judges = judges
        self._ready: dict[tuple[str, bytes, float | None], _Ready] = {}

    async def outcome(self, case: Case, repeat: int, answered: Answered) -> Outcome:
        """What is said of an answer."""
        if answered.refusal is None and REFUSAL in case.strata:
            answered = replace(answered, refusal=extent_of(answered))
        said: list[tuple[str, Grade]] = []
        deciding: list[tuple[Check, Grade]] = []
        judges: dict[str, bool] = {}
        for check in case.checks:
            ready = self._prepared(check)
            grade = checked(check, await self._grade(ready, case, answered))
            said.append((check.metric or check.grader, grade))
            known = {prompt: self.judges.decides(prompt) for prompt in ready.prompts}
            if all(known.values()) or grade.verdict == "error":
                deciding.append((check, grade))
            judges |= {self.judges.digest(prompt): decides for prompt, decides in known.items()}
        whole = together([it for it, _ in deciding], [it for _, it in deciding], case.threshold)
        if said and not deciding:
            whole = Grade("error", why="only a judge that is not calibrated has looked at it")
        score = whole.score if isinstance(whole.score, float | int) else None
        by = tuple(judges.items())
        models = self.judges.models if by else ()
        return Outcome(case.id, repeat, whole.verdict, answered, tuple(said), score, by, models)

    async def _grade(self, ready: _Ready, case: Case, answered: Answered) -> Grade:
        if ready.marking is not None:
            return ready.marking(case, answered)
        ask = self.judges.means if ready.grader.asks else None
        return await ready.grader.grade(case, answered, ready.options, ask)

    def _prepared(self, check: Check) -> _Ready:
        key = check.grader, bytes(check.options), check.threshold
        found = self._ready.get(key)
        if found is None:
            found = _read(check)
            if len(self._ready) < MAX_READY:
                self._ready[key] = found
        return found


def _read(check: Check) -> _Ready:
    grader: Grader = plugs.load("graders", check.grader)
    options = msgspec.json.decode(check.options)
    marking: Callable[[Mapping[str, Any]], Marking] | None = getattr(grader, "marking", None)
    marks = None if marking is None else marking(options)
    return _Ready(grader, options, marks, judge_prompts(grader, options, check.threshold))


def with_threshold(options: Mapping[str, Any], threshold: float | None) -> Mapping[str, Any]:
    """A judge's, with the threshold of its check, which stands before its own."""
    return options if threshold is None else {**options, "threshold": threshold}


def judge_prompts(
    grader: Grader, options: Mapping[str, Any], threshold: float | None = None
) -> tuple[str, ...]:
    """By what each judge of a check is known, those of a group by themselves; empty for a check
    that asks nobody. `threshold` is the check's."""
    if not grader.asks:
        return ()
    told: Callable[[Mapping[str, Any]], str] | None = getattr(grader, "prompt", None)
    if told is not None:
        return (told(with_threshold(options, threshold)),)
    members = [(plugs.load("graders", it["grader"]), it) for it in options.get("checks", ())]
    found = (
        judge_prompts(member, it.get("options", {}), it.get("threshold")) for member, it in members
    )
    return tuple(prompt for prompts in found for prompt in prompts)


def needs_receipts(cases: tuple[Case, ...]) -> bool:
    """Whether a check asks what only receipts know, or know better."""
    return any(REFUSAL in case.strata or any(map(_of_receipts, case.checks)) for case in cases)


def _of_receipts(check: Check) -> bool:
    if check.grader == "group":
        members = msgspec.json.decode(check.options).get("checks", ())
        return any(it["grader"] in _OF_RECEIPTS for it in members)
    return check.grader in _OF_RECEIPTS
