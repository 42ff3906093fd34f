"""A suite as a data set of pydantic-evals: read again, it is the same suite.

Every case is held against its own reading before it is written; what has no place there is left
out and named.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from tidegate.config.problem import Mark
from tidegate.config.tree import MapNode
from tidegate.core.grading import Case, Check
from tidegate.evals.ours import OURS, kept_of
from tidegate.evals.pydantic_evals import WHY_CLASS, read_pydantic
from tidegate.evals.reading import Reader, node_of
from tidegate.evals.suite import Suite
from tidegate.evals.written_suite import NoPlace, Written, dumped, rows_of, unsaid

_KEPT: Final = ("turns", "context", "must_pass", "threshold", "description")
_START: Final = Mark(1, 1)


def write_pydantic(suite: Suite) -> Written:
    """The data set's YAML. NoPlace when nothing of the suite can be said there."""
    left: list[str] = []
    rows = rows_of(suite, lambda case: _row(case, left), left)
    if not rows:
        raise NoPlace("; ".join(left[:5]))
    left += unsaid(suite)
    return Written(dumped({"name": suite.name, "cases": rows, "evaluators": []}), tuple(left))


def _row(case: Case, left: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": case.id,
        "inputs": {name: msgspec.json.decode(value) for name, value in case.variables.items()},
    }
    if case.expected is not None:
        row["expected_output"] = msgspec.json.decode(case.expected)
    kept = kept_of(case, _KEPT)
    if OURS in case.strata:
        raise NoPlace(f"a stratum called {OURS}")
    metadata = {**case.strata, **({OURS: kept} if kept else {})}
    if metadata:
        row["metadata"] = metadata
    found = []
    for check in case.checks:
        evaluator = _evaluator(case, check)
        if evaluator is None:
            left.append(f"a check of the case {case.id}: {check.grader}")
        else:
            found.append(evaluator)
    if case.checks and not found:
        raise NoPlace("none of its checks")
    row["evaluators"] = found
    again = _read(row)
    if again is None or msgspec.structs.replace(again, checks=()) != msgspec.structs.replace(
        case, checks=()
    ):
        raise NoPlace("it would be read as something else")
    return row


def _evaluator(case: Case, check: Check) -> Any:
    """The evaluator that is read as this very check; None where there is none."""
    row: dict[str, Any] = {"name": "c", "inputs": {}}
    if case.expected is not None:
        row["expected_output"] = msgspec.json.decode(case.expected)
    for candidate in _candidates(check):
        again = _read({**row, "evaluators": [candidate]})
        if again is not None and again.checks == (check,):
            return candidate
    return None


def _read(row: dict[str, Any]) -> Case | None:
    reader = Reader("")
    root = node_of({"cases": [row], "evaluators": []}, _START)
    assert isinstance(root, MapNode)  # noqa: S101 - of a mapping
    loaded = read_pydantic(root, Path("suite.yaml"), reader)
    return loaded.suites[0].cases[0] if loaded.suites else None


def _candidates(check: Check) -> Iterator[Any]:
    """Evaluators that the check may be."""
    options = msgspec.json.decode(check.options)
    match check.grader:
        case "exact":
            yield "EqualsExpected"
            value = options.get("value")
            if options.get("json") and isinstance(value, str):
                try:
                    value = msgspec.json.decode(value)
                except msgspec.DecodeError:
                    return
            yield {"Equals": {"value": value}}
        case "contains":
            [text] = options.get("any", ()) if len(options.get("any", ())) == 1 else [None]
            caseless = {"case_sensitive": False} if options.get("ignore_case") else {}
            yield {"Contains": {"value": text, **caseless}}
        case "latency":
            yield {"MaxDuration": {"seconds": options.get("most_s")}}
        case "judge_rubric":
            yield {"LLMJudge": {"rubric": options.get("rubric")}}
        case "unsupported" if options.get("why") == WHY_CLASS:
            kept = options.get("written")
            given = kept.get("arguments") if isinstance(kept, dict) else None
            yield {str(options.get("type")): given} if given not in (None, {}) else options["type"]
            yield {str(options.get("type")): given}
