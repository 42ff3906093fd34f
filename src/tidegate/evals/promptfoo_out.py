"""A suite as a configuration of promptfoo's: read again, it is the same suite.

Every check and every text is held against its own reading before it is written; what promptfoo has
no place for is left out and named, never changed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from tidegate.core.grading import Case, Check
from tidegate.evals.ours import OURS
from tidegate.evals.promptfoo_cases import context_of
from tidegate.evals.promptfoo_checks import NOT, SET, check_of
from tidegate.evals.promptfoo_text import quoted_text
from tidegate.evals.promptfoo_unsupported import UNSUPPORTED
from tidegate.evals.promptfoo_values import Mistaken
from tidegate.evals.suite import Suite
from tidegate.evals.written_suite import NoPlace, Written, dumped, rows_of
from tidegate.prompts.promptfoo_written import CODE

_FILES: Final = ("file://", "package:")


def write_promptfoo(suite: Suite) -> Written:
    """The configuration. Prompts and providers are for who runs it to add."""
    left: list[str] = []
    tests = rows_of(suite, lambda case: _test(case, left), left)
    if suite.prompt is not None:
        left.append(f"that it is for the prompt {suite.prompt}")
    if suite.owner is not None:
        left.append(f"its owner {suite.owner}")
    said: dict[str, Any] = {"evaluateOptions": {"repeat": suite.repeats}, "tests": tests}
    if suite.description:
        said = {"description": suite.description, **said}
    sources = [{"raw": it.source, "label": it.name} for it in suite.templates if it.source]
    if sources:
        said = {"prompts": sources, **said}
    if len(sources) < len(suite.templates):
        left.append("prompts that are code")
    return Written(dumped(said), tuple(left))


def _test(case: Case, left: list[str]) -> dict[str, Any]:
    variables = {name: msgspec.json.decode(value) for name, value in case.variables.items()}
    test: dict[str, Any] = {"vars": _texts(variables)}
    if case.description:
        test["description"] = case.description
    if case.threshold is not None:
        test["threshold"] = case.threshold
    if any(isinstance(value, list) for value in variables.values()):
        test["options"] = {"disableVarExpansion": True}
    if OURS in case.strata:
        raise NoPlace(f"a stratum called {OURS}")
    test["metadata"] = {**case.strata, OURS: _ours(case, variables)}
    found = []
    for check in case.checks:
        assertion = assertion_of(check)
        if assertion is None:
            left.append(f"a check of the case {case.id}: {check.grader}")
        else:
            found.append(assertion)
    if case.checks and not found:
        raise NoPlace("none of its checks")
    if found:
        test["assert"] = found
    return test


def _ours(case: Case, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What promptfoo keeps for us and does not read."""
    said: dict[str, Any] = {"id": case.id}
    if case.expected is not None:
        said["expected"] = msgspec.json.decode(case.expected)
    if case.context != context_of(variables):
        said["context"] = list(case.context)
    if case.must_pass:
        said["must_pass"] = True
    if case.turns:
        said["turns"] = [list(turn) for turn in case.turns]
    return said


def _texts(value: Any) -> Any:
    """A value in which no text is a template or names a file."""
    if isinstance(value, str):
        written = quoted_text(value)
        if written is None or value.startswith(_FILES):
            raise NoPlace("a text that promptfoo reads as something else")
        return written
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, dict):
        return {name: _texts(item) for name, item in value.items()}
    return value


def assertion_of(check: Check) -> dict[str, Any] | None:
    """The assertion that is read as this very check; None where there is none."""
    options = msgspec.json.decode(check.options)
    for written in _candidates(check, options):
        assertion = dict(written)
        assertion["type"] = (NOT if check.negated else "") + assertion["type"]
        if check.weight != 1:
            assertion["weight"] = check.weight
        if check.metric is not None:
            assertion["metric"] = check.metric
        try:
            if check_of(assertion) == check:
                return _quoted(assertion)
        except (Mistaken, NoPlace):
            continue
    return None


def _quoted(assertion: dict[str, Any]) -> dict[str, Any]:
    """With no text in it that is a template, where templates are filled in at all. Code that a file
    holds stays named, and unread."""
    if assertion["type"].removeprefix(NOT) in UNSUPPORTED:
        return assertion
    named = isinstance(assertion.get("value"), str) and CODE.fullmatch(assertion["value"])
    names = [name for name in ("value", "metric") if name in assertion]
    quoted: dict[str, Any] = {
        name: _texts(assertion[name]) for name in names if name != "value" or not named
    }
    if "assert" in assertion:
        quoted["assert"] = [_quoted(member) for member in assertion["assert"]]
    return {**assertion, **quoted}


def _candidates(check: Check, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Assertions that the check may be."""
    threshold = {"threshold": options["threshold"]} if "threshold" in options else {}
    match check.grader:
        case "exact":
            value = options.get("value")
            if options.get("json") and isinstance(value, str):
                try:
                    value = msgspec.json.decode(value)
                except msgspec.DecodeError:
                    return
            yield {"type": "equals", "value": value}
        case "contains":
            yield from _contained(options)
        case "regex":
            yield {"type": "regex", "value": options.get("pattern")}
        case "json_schema":
            kind = "contains-json" if options.get("where") == "anywhere" else "is-json"
            yield {"type": kind, **({"value": options["schema"]} if "schema" in options else {})}
        case "similarity":
            value = options.get("to")
            most = {"threshold": options.get("most_edits")}
            yield {"type": "levenshtein", "value": value, **most}
            yield {"type": "rouge-n", "value": value, **threshold}
            yield {"type": "bleu", "value": value, **threshold}
        case "semantic_similarity":
            measure = options.get("measure", "cosine")
            kind = "similar" if measure == "cosine" else f"similar:{measure}"
            yield {"type": kind, "value": options.get("to"), **threshold}
        case "markup":
            kind = "contains-" if options.get("where") == "anywhere" else "is-"
            value = {"value": {"requiredElements": options.get("elements")}}
            named = value if "elements" in options else {}
            yield {"type": f"{kind}{options.get('kind', 'xml')}", **named}
        case "refusal":
            yield {"type": "is-refusal"}
        case "tool_call":
            yield {"type": "tool-call-f1", "value": options.get("calls"), **threshold}
        case "judge_rubric":
            yield from _judged(options, threshold)
        case "judge_pairwise":
            yield {"type": "select-best", "value": options.get("criterion")}
        case "unsupported":
            kept = options.get("written")
            yield {**(kept if isinstance(kept, dict) else {}), "type": options.get("type")}
        case "group":
            yield from _grouped(options, threshold)
        case _:
            yield from _figures(check.grader, options)


def _figures(grader: str, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match grader:
        case "latency":
            if isinstance(seconds := options.get("most_s"), int | float):
                yield {"type": "latency", "threshold": seconds * 1000}
        case "cost":
            yield {"type": "cost", "threshold": options.get("most_usd")}
        case "finish_reason":
            yield {"type": "finish-reason", "value": next(iter(options.get("any", ())), None)}
        case "length":
            bounds = {"min": options.get("least_words"), "max": options.get("most_words")}
            yield {"type": "word-count", "value": bounds["min"]}
            kept = {name: count for name, count in bounds.items() if count is not None}
            yield {"type": "word-count", "value": kept}


def _contained(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    caseless = "i" if options.get("ignore_case") else ""
    if "all" in options:
        yield {"type": f"{caseless}contains-all", "value": options["all"]}
        return
    texts = options.get("any", [])
    if len(texts) == 1:
        place = {"start": "starts-with", "end": "ends-with"}.get(options.get("at", ""))
        yield {"type": place or f"{caseless}contains", "value": texts[0]}
    yield {"type": f"{caseless}contains-any", "value": texts}


def _judged(options: dict[str, Any], threshold: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kinds: Mapping[str, str] = {
        "correctness": "factuality",
        "faithfulness": "context-faithfulness",
        "relevance": "answer-relevance",
        "context_recall": "context-recall",
        "context_relevance": "context-relevance",
    }
    if "preset" in options:
        value = {"value": options["reference"]} if "reference" in options else {}
        yield {"type": kinds[options["preset"]], **value, **threshold}
    else:
        yield {"type": "llm-rubric", "value": options.get("rubric"), **threshold}


def _grouped(options: dict[str, Any], threshold: dict[str, Any]) -> Iterator[dict[str, Any]]:
    members = []
    for said in options.get("checks", ()):
        given = {**said, "options": msgspec.Raw(msgspec.json.encode(said.get("options", {})))}
        member = assertion_of(Check(**given))
        if member is None:
            return
        members.append(member)
    yield {"type": SET, "assert": members, **threshold}
