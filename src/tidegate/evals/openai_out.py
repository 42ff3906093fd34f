"""A suite as an eval of OpenAI's registry: read again, it is the same suite.

Such an eval has one class, and so one check for all of its samples. Cases with another check, and
what the class has no place for, are left out and named.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tidegate.core.grading import Case, Check
from tidegate.evals.openai_evals import PLACES
from tidegate.evals.ours import OURS, kept_of
from tidegate.evals.reading import raw
from tidegate.evals.suite import Suite
from tidegate.evals.written_suite import NoPlace, Written, dumped, rows_of, unsaid

_KEPT: Final = ("id", "context", "must_pass", "strata", "threshold", "description")
_BASIC: Final = "evals.elsuite.basic."
_CLASSES: Final[tuple[tuple[str, Check, dict[str, Any]], ...]] = (
    (f"{_BASIC}match:Match", Check("contains", raw({"at": "start"})), {}),
    (f"{_BASIC}includes:Includes", Check("contains", raw({})), {}),
    (
        f"{_BASIC}includes:Includes",
        Check("contains", raw({"ignore_case": True})),
        {"ignore_case": True},
    ),
    (
        f"{_BASIC}fuzzy_match:FuzzyMatch",
        Check("contains", raw({"normalise": True, "either_way": True})),
        {},
    ),
    (f"{_BASIC}json_match:JsonMatch", Check("exact", raw({"json": True})), {}),
)
_GRADED: Final = "evals.elsuite.modelgraded.classify:ModelBasedClassify"


def write_openai(suite: Suite) -> Written:
    """The registry's YAML; its samples, and how a model is asked to grade, are `files` beside the
    folder `evals` in which it lies. NoPlace when nothing of the suite can be said there."""
    check = _usual(suite)
    name, left = suite.name, list[str]()
    kind, args, files = _class(check, name)
    samples = rows_of(suite, lambda case: _sample(case, check), left)
    if not samples:
        raise NoPlace("; ".join(left[:5]))
    left += unsaid(suite)
    at = f"{name}/samples.jsonl"
    version = f"{name}.dev.v0"
    args = {"samples_jsonl": at, **args}
    entry = {name: {"id": version, "metrics": ["accuracy"]}, version: {"class": kind, "args": args}}
    lines = b"\n".join(map(msgspec.json.encode, samples)).decode()
    return Written(dumped(entry), tuple(left), {f"data/{at}": f"{lines}\n", **files})


def _usual(suite: Suite) -> Check:
    """The check that most cases have as their only one, of those that a class makes."""
    alone = [case.checks[0] for case in suite.cases if len(case.checks) == 1]
    counts = Counter((it.grader, bytes(it.options)) for it in alone if _can_say(it))
    if not counts:
        raise NoPlace(
            "no case has one check that a class of OpenAI's makes: contains, exact of JSON, or a"
            " rubric with choices that says where (QUESTION) and (ANSWER) stand"
        )
    [((grader, options), _)] = counts.most_common(1)
    return Check(grader, msgspec.Raw(options))


def _can_say(check: Check) -> bool:
    try:
        _class(check, "x")
    except NoPlace:
        return False
    return True


def _class(check: Check, name: str) -> tuple[str, dict[str, Any], Mapping[str, str]]:
    """The class that makes it, its arguments, and files that it needs."""
    if _is_plain(check):
        for kind, made, args in _CLASSES:
            if (made.grader, made.options) == (check.grader, check.options):
                return kind, dict(args), {}
        if check.grader == "judge_rubric":
            text = dumped({name: _spec(msgspec.json.decode(check.options))})
            args = {"eval_type": "cot_classify", "modelgraded_spec": name}
            return _GRADED, args, {f"modelgraded/{name}.yaml": text}
    raise NoPlace(f"its check by {check.grader} is of no class")


def _is_plain(check: Check) -> bool:
    return check == Check(check.grader, check.options)


def _spec(options: dict[str, Any]) -> dict[str, Any]:
    """A rubric as the prompt that it came from."""
    rubric, choices = options.get("rubric"), options.get("choices")
    if not isinstance(rubric, str) or not isinstance(choices, dict) or len(options) != 2:
        raise NoPlace("it is no rubric of one text with choices")
    if "{" in rubric or "}" in rubric or "(ANSWER)" not in rubric or "(QUESTION)" not in rubric:
        raise NoPlace("its rubric does not say where (QUESTION) and (ANSWER) stand")
    scores = {name: float(score) for name, score in choices.items()}
    if max(scores.values(), default=0.0) != 1.0:
        raise NoPlace("its best choice is not worth 1")
    for place, shown in PLACES.items():
        rubric = rubric.replace(f"({shown})", f"{{{place}}}")
    return {
        "prompt": rubric,
        "choice_strings": list(scores),
        "choice_scores": scores,
        "input_outputs": {"input": "completion"},
    }


def _sample(case: Case, check: Check) -> dict[str, Any]:
    """One line. It has to be read as this very case."""
    if case.checks != (check,):
        raise NoPlace("it has another check than most, or several")
    if not case.turns or case.variables:
        raise NoPlace("it fills a prompt, and a sample is what is asked as it stands")
    if case.expected is None and check.grader != "judge_rubric":
        raise NoPlace("it expects nothing")
    sample: dict[str, Any] = {
        "input": [{"role": role, "content": text} for role, text in case.turns],
        OURS: kept_of(case, _KEPT),
    }
    if case.expected is not None:
        sample["ideal"] = msgspec.json.decode(case.expected)
    return sample
