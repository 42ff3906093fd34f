"""What promptfoo's assertions are as checks here, and checks as its assertions.

A type that is somebody's code, or that needs what is not there, becomes the grader `unsupported`,
which is an error in every run. None is left out.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core import plugs
from tidegate.core.grading import Check
from tidegate.core.words import nearest, quoted
from tidegate.evals.promptfoo_unsupported import UNSUPPORTED
from tidegate.evals.promptfoo_values import Mistaken, number, text, texts
from tidegate.evals.reading import raw

Options = dict[str, Any]
NOT = "not-"
SET = "assert-set"
# Members of an assertion that say how it counts and not what is asked.
COUNTING: Final = ("type", "weight", "metric")
_KNOWN: Final = (*COUNTING, "value", "threshold", "provider", "config", "assert")


class Asked(Struct, frozen=True):
    """One assertion without its counting. `tools` are those of the providers, None where they
    cannot be told."""

    value: Any
    threshold: float | None
    tools: list[Any] | None = None


def _equals(asked: Asked) -> tuple[str, Options]:
    if isinstance(asked.value, dict | list):
        return "exact", {"json": True, "value": bytes(raw(asked.value)).decode()}
    return "exact", {"value": text(asked.value)}


def _contains(which: str, *, many: bool, **more: Any) -> Callable[[Asked], tuple[str, Options]]:
    def read(asked: Asked) -> tuple[str, Options]:
        return "contains", {which: texts(asked.value) if many else [text(asked.value)], **more}

    return read


def _json(where: Options) -> Callable[[Asked], tuple[str, Options]]:
    def read(asked: Asked) -> tuple[str, Options]:
        schema = asked.value
        if isinstance(schema, str) and schema.strip():
            try:
                schema = msgspec.json.decode(schema)
            except msgspec.DecodeError as error:
                raise Mistaken(f"its `value` is no JSON Schema: {error}") from None
        return "json_schema", {**where, **({"schema": schema} if schema not in (None, "") else {})}

    return read


def _markup(kind: str, where: str) -> Callable[[Asked], tuple[str, Options]]:
    def read(asked: Asked) -> tuple[str, Options]:
        options: Options = {"kind": kind} | ({"where": where} if where != "whole" else {})
        if asked.value is None:
            return "markup", options
        names = asked.value.get("requiredElements") if isinstance(asked.value, dict) else None
        if not isinstance(names, list) or len(asked.value) != 1:
            raise Mistaken("its `value` is `requiredElements` with a list of paths")
        return "markup", {**options, "elements": texts(names)}

    return read


def _similar(measure: str, threshold: float) -> Callable[[Asked], tuple[str, Options]]:
    def read(asked: Asked) -> tuple[str, Options]:
        to = texts(asked.value) if isinstance(asked.value, list) else text(asked.value)
        least = threshold if asked.threshold is None else asked.threshold
        return "similarity", {"measure": measure, "to": to, "threshold": least}

    return read


def _means(measure: str) -> Callable[[Asked], tuple[str, Options]]:
    def read(asked: Asked) -> tuple[str, Options]:
        to = texts(asked.value) if isinstance(asked.value, list) else text(asked.value)
        least = 0.75 if asked.threshold is None else asked.threshold
        options: Options = {"to": to, "threshold": least}
        return "semantic_similarity", options if measure == "cosine" else {
            "measure": measure,
            **options,
        }

    return read


def _levenshtein(asked: Asked) -> tuple[str, Options]:
    most = 5 if asked.threshold is None else int(asked.threshold)
    same: Options = {"measure": "levenshtein", "ignore_case": False}
    return "similarity", {**same, "to": text(asked.value), "most_edits": most}


def _needs_threshold(asked: Asked) -> float:
    if asked.threshold is None:
        raise Mistaken("it needs a `threshold`")
    return asked.threshold


def _latency(asked: Asked) -> tuple[str, Options]:
    return "latency", {"most_s": _needs_threshold(asked) / 1000}


def _cost(asked: Asked) -> tuple[str, Options]:
    return "cost", {"most_usd": _needs_threshold(asked)}


def _words(asked: Asked) -> tuple[str, Options]:
    if isinstance(asked.value, dict):
        names = {"min": "least_words", "max": "most_words"}
        unknown = [name for name in asked.value if name not in names]
        if unknown:
            raise Mistaken(f"its `value` has `min` and `max`, not {quoted(unknown[0])}")
        return "length", {names[name]: count for name, count in asked.value.items()}
    try:
        count = int(text(asked.value))
    except ValueError:
        raise Mistaken("its `value` is a number of words, or `min` and `max`") from None
    return "length", {"least_words": count, "most_words": count}


def _tool_f1(asked: Asked) -> tuple[str, Options]:
    least = 1.0 if asked.threshold is None else asked.threshold
    return "tool_call", {"by": "names", "calls": texts(asked.value), "threshold": least}


def _tools_valid(asked: Asked) -> tuple[str, Options]:
    schemas: Options = {}
    for tool in asked.tools or ():
        said = tool.get("function", tool) if isinstance(tool, dict) else None
        if not isinstance(said, dict) or not isinstance(said.get("name"), str):
            schemas = {}
            break
        schemas[said["name"]] = said.get("parameters", said.get("input_schema", True))
    if not schemas:
        why = "the tools of its providers are not written here as one list"
        return "unsupported", {"type": "is-valid-openai-tools-call", "why": why}
    return "tool_call", {"schemas": schemas}


def _rubric(asked: Asked, threshold: float | None = None) -> tuple[str, Options]:
    value = asked.value
    rubric = texts(value) if isinstance(value, list) else text(value)
    least = threshold if asked.threshold is None else asked.threshold
    return "judge_rubric", {"rubric": rubric} | ({} if least is None else {"threshold": least})


def _preset(name: str, *, refers: bool = False) -> Callable[[Asked], tuple[str, Options]]:
    def read(asked: Asked) -> tuple[str, Options]:
        options: Options = {"preset": name}
        if refers:
            options["reference"] = text(asked.value)
        if asked.threshold is not None:
            options["threshold"] = asked.threshold
        return "judge_rubric", options

    return read


def _select_best(asked: Asked) -> tuple[str, Options]:
    return "judge_pairwise", {"criterion": text(asked.value)}


_CASELESS: Final = {"ignore_case": True}
READ: Final[Mapping[str, Callable[[Asked], tuple[str, Options]]]] = {
    "equals": _equals,
    "contains": _contains("any", many=False),
    "icontains": _contains("any", many=False, **_CASELESS),
    "contains-any": _contains("any", many=True),
    "contains-all": _contains("all", many=True),
    "icontains-any": _contains("any", many=True, **_CASELESS),
    "icontains-all": _contains("all", many=True, **_CASELESS),
    "starts-with": _contains("any", many=False, at="start"),
    "ends-with": _contains("any", many=False, at="end"),
    "regex": lambda asked: ("regex", {"pattern": text(asked.value)}),
    "is-json": _json({}),
    "contains-json": _json({"where": "anywhere"}),
    "is-xml": _markup("xml", "whole"),
    "contains-xml": _markup("xml", "anywhere"),
    "is-html": _markup("html", "whole"),
    "contains-html": _markup("html", "anywhere"),
    "levenshtein": _levenshtein,
    "rouge-n": _similar("rouge_recall", 0.75),
    "bleu": _similar("bleu", 0.5),
    "similar": _means("cosine"),
    "similar:cosine": _means("cosine"),
    "similar:dot": _means("dot"),
    "similar:euclidean": _means("euclidean"),
    "latency": _latency,
    "cost": _cost,
    "finish-reason": lambda asked: ("finish_reason", {"any": [text(asked.value)]}),
    "is-refusal": lambda _: ("refusal", {}),
    "word-count": _words,
    "tool-call-f1": _tool_f1,
    "is-valid-openai-tools-call": _tools_valid,
    "is-valid-openai-function-call": _tools_valid,
    "is-valid-function-call": _tools_valid,
    "llm-rubric": _rubric,
    "model-graded-closedqa": _rubric,
    "g-eval": lambda asked: _rubric(asked, 0.7),
    "factuality": _preset("correctness", refers=True),
    "model-graded-factuality": _preset("correctness", refers=True),
    "answer-relevance": _preset("relevance"),
    "context-faithfulness": _preset("faithfulness"),
    "context-recall": _preset("context_recall", refers=True),
    "context-relevance": _preset("context_relevance"),
    "select-best": _select_best,
}


def check_of(assertion: Mapping[str, Any], tools: list[Any] | None = None) -> Check:
    """The check that an assertion is, its templates filled in and its files read. Mistaken when it
    cannot be read; a check by `unsupported` where it cannot be made."""
    kind = assertion.get("type")
    if not isinstance(kind, str) or not kind:
        raise Mistaken("it needs a `type`")
    negated = kind.startswith(NOT)
    base = kind.removeprefix(NOT)
    weight = number(assertion, "weight", 1.0)
    metric = assertion.get("metric")
    why = _why_unsupported(base, assertion)
    if why is None:
        name, options = _read(base, assertion, tools)
    else:
        written = {key: value for key, value in assertion.items() if key not in COUNTING}
        name, options = "unsupported", {"type": base, "why": why, "written": written}
    return Check(
        name, raw(options), negated, weight, None, None if metric is None else text(metric)
    )


def _read(base: str, assertion: Mapping[str, Any], tools: list[Any] | None) -> tuple[str, Options]:
    threshold = None
    if assertion.get("threshold") is not None:
        threshold = number(assertion, "threshold", 0.0)
    if base == SET:
        return "group", _group(assertion, threshold, tools)
    return READ[base](Asked(assertion.get("value"), threshold, tools))


def _why_unsupported(base: str, assertion: Mapping[str, Any]) -> str | None:
    if base in UNSUPPORTED:
        return UNSUPPORTED[base]
    if base.startswith("promptfoo:"):
        return "it is one of promptfoo's own services"
    if base not in READ and base != SET:
        near = nearest(base, [*READ, *UNSUPPORTED, SET])
        raise Mistaken(f"there is no assertion of the type {quoted(base)}{near}")
    for member in ("transform", "contextTransform"):
        if assertion.get(member) is not None:
            return f"its `{member}` is code, which is not executed"
    if assertion.get("rubricPrompt") is not None:
        return "its judge has a prompt of its own"
    value = assertion.get("value")
    if isinstance(value, str) and value.startswith(("file://", "package:")):
        return "its `value` is code, which is not executed"
    if base == "regex" and isinstance(value, str):
        said: str | None = plugs.load("graders", "regex").wrong({"pattern": value})
        if said is not None:
            return said
    unknown = [name for name in assertion if name not in _KNOWN]
    if unknown:
        return f"its member {quoted(unknown[0])} is not known"
    return None


def _group(
    assertion: Mapping[str, Any], threshold: float | None, tools: list[Any] | None
) -> Options:
    members = assertion.get("assert")
    if not isinstance(members, list) or not members:
        raise Mistaken("an assert-set needs a list `assert`")
    checks = []
    for member in members:
        if not isinstance(member, Mapping):
            raise Mistaken("each of its `assert` is a mapping")
        check = check_of(member, tools)
        if check.grader == "group":
            raise Mistaken("an assert-set holds no other")
        checks.append(msgspec.json.decode(msgspec.json.encode(check)))
    # promptfoo takes a threshold of 0 for none.
    return {"checks": checks} | ({"threshold": threshold} if threshold else {})
