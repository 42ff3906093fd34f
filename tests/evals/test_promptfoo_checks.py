"""Which check an assertion is."""

from typing import Any

import msgspec
import pytest

from tidegate.core import plugs
from tidegate.evals.promptfoo_checks import READ, check_of
from tidegate.evals.promptfoo_unsupported import UNSUPPORTED
from tidegate.evals.promptfoo_values import Mistaken

# Every type that is made here, with a value that it takes and the options that come of it.
MADE: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "equals": ({"value": {"a": 1}}, "exact", {"json": True, "value": '{"a":1}'}),
    "contains": ({"value": 0}, "contains", {"any": ["0"]}),
    "icontains": ({"value": "a"}, "contains", {"any": ["a"], "ignore_case": True}),
    "contains-any": ({"value": ["a", 1]}, "contains", {"any": ["a", "1"]}),
    "contains-all": ({"value": "a, b"}, "contains", {"all": ["a", "b"]}),
    "icontains-any": ({"value": ["a"]}, "contains", {"any": ["a"], "ignore_case": True}),
    "icontains-all": ({"value": ["a"]}, "contains", {"all": ["a"], "ignore_case": True}),
    "starts-with": ({"value": "a"}, "contains", {"any": ["a"], "at": "start"}),
    "ends-with": ({"value": "a"}, "contains", {"any": ["a"], "at": "end"}),
    "regex": ({"value": "a+"}, "regex", {"pattern": "a+"}),
    "is-json": ({"value": '{"type": "object"}'}, "json_schema", {"schema": {"type": "object"}}),
    "contains-json": ({}, "json_schema", {"where": "anywhere"}),
    "is-xml": (
        {"value": {"requiredElements": ["a.b"]}},
        "markup",
        {"kind": "xml", "elements": ["a.b"]},
    ),
    "contains-xml": ({}, "markup", {"kind": "xml", "where": "anywhere"}),
    "is-html": ({}, "markup", {"kind": "html"}),
    "contains-html": ({}, "markup", {"kind": "html", "where": "anywhere"}),
    "levenshtein": (
        {"value": "a"},
        "similarity",
        {"measure": "levenshtein", "ignore_case": False, "to": "a", "most_edits": 5},
    ),
    "rouge-n": (
        {"value": "a"},
        "similarity",
        {"measure": "rouge_recall", "to": "a", "threshold": 0.75},
    ),
    "bleu": (
        {"value": ["a", "b"], "threshold": 0.3},
        "similarity",
        {"measure": "bleu", "to": ["a", "b"], "threshold": 0.3},
    ),
    "similar": (
        {"value": "a", "threshold": 0.8},
        "semantic_similarity",
        {"to": "a", "threshold": 0.8},
    ),
    "similar:cosine": ({"value": "a"}, "semantic_similarity", {"to": "a", "threshold": 0.75}),
    "similar:dot": (
        {"value": ["a", "b"]},
        "semantic_similarity",
        {"measure": "dot", "to": ["a", "b"], "threshold": 0.75},
    ),
    "similar:euclidean": (
        {"value": "a", "threshold": 0.5},
        "semantic_similarity",
        {"measure": "euclidean", "to": "a", "threshold": 0.5},
    ),
    "latency": ({"threshold": 500}, "latency", {"most_s": 0.5}),
    "cost": ({"threshold": 0.01}, "cost", {"most_usd": 0.01}),
    "finish-reason": ({"value": "stop"}, "finish_reason", {"any": ["stop"]}),
    "is-refusal": ({}, "refusal", {}),
    "word-count": ({"value": {"min": 2}}, "length", {"least_words": 2}),
    "tool-call-f1": (
        {"value": "a, b"},
        "tool_call",
        {"by": "names", "calls": ["a", "b"], "threshold": 1.0},
    ),
    "is-valid-openai-tools-call": ({}, "tool_call", {"schemas": {"f": {"type": "object"}}}),
    "is-valid-openai-function-call": ({}, "tool_call", {"schemas": {"f": {"type": "object"}}}),
    "is-valid-function-call": ({}, "tool_call", {"schemas": {"f": {"type": "object"}}}),
    "llm-rubric": ({"value": "kind"}, "judge_rubric", {"rubric": "kind"}),
    "model-graded-closedqa": ({"value": "kind"}, "judge_rubric", {"rubric": "kind"}),
    "g-eval": ({"value": ["a", "b"]}, "judge_rubric", {"rubric": ["a", "b"], "threshold": 0.7}),
    "factuality": ({"value": "a"}, "judge_rubric", {"preset": "correctness", "reference": "a"}),
    "model-graded-factuality": (
        {"value": "a"},
        "judge_rubric",
        {"preset": "correctness", "reference": "a"},
    ),
    "answer-relevance": ({}, "judge_rubric", {"preset": "relevance"}),
    "context-faithfulness": ({}, "judge_rubric", {"preset": "faithfulness"}),
    "context-recall": (
        {"value": "a"},
        "judge_rubric",
        {"preset": "context_recall", "reference": "a"},
    ),
    "context-relevance": (
        {"threshold": 1},
        "judge_rubric",
        {"preset": "context_relevance", "threshold": 1},
    ),
    "select-best": ({"value": "shorter"}, "judge_pairwise", {"criterion": "shorter"}),
}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


def test_every_type_that_is_made_is_tried() -> None:
    assert set(MADE) == set(READ)
    assert not set(READ) & set(UNSUPPORTED)


@pytest.mark.parametrize("kind", sorted(MADE))
def test_an_assertion_is_a_check_that_its_grader_takes(kind: str) -> None:
    members, grader, options = MADE[kind]
    check = check_of({"type": kind, **members}, TOOLS)
    assert (check.grader, msgspec.json.decode(check.options)) == (grader, options)
    assert plugs.load("graders", grader).wrong(options) is None
    negated = check_of({"type": f"not-{kind}", **members, "weight": 2, "metric": "m"}, TOOLS)
    assert (negated.negated, negated.weight, negated.metric) == (True, 2, "m")


@pytest.mark.parametrize("kind", [*UNSUPPORTED, "promptfoo:redteam:pii"])
def test_what_cannot_be_made_is_an_error_to_be_also_negated(kind: str) -> None:
    for prefix in ("", "not-"):
        check = check_of({"type": prefix + kind, "value": "x", "threshold": 0.1})
        assert check.grader == "unsupported"
        assert msgspec.json.decode(check.options)["type"] == kind


@pytest.mark.parametrize(
    "members",
    [
        {"type": "contains", "value": "file://x.py"},
        {"type": "contains", "value": "package:x:y"},
        {"type": "contains", "value": "x", "transform": "output.trim()"},
        {"type": "context-recall", "value": "x", "contextTransform": "output"},
        {"type": "llm-rubric", "value": "x", "rubricPrompt": "file://p.txt"},
        {"type": "contains", "value": "x", "assertionTime": 3},
        {"type": "is-valid-openai-tools-call"},
    ],
)
def test_code_and_what_is_not_known_within_an_assertion_is_never_left_out(
    members: dict[str, Any],
) -> None:
    assert check_of(members).grader == "unsupported"


def test_a_set_is_a_group_of_its_checks() -> None:
    members = [
        {"type": "contains", "value": "a", "weight": 3},
        {"type": "not-python", "value": "x"},
    ]
    check = check_of({"type": "assert-set", "threshold": 0.5, "weight": 2, "assert": members})
    options = msgspec.json.decode(check.options)
    assert (check.grader, check.weight, options["threshold"]) == ("group", 2, 0.5)
    assert [it["grader"] for it in options["checks"]] == ["contains", "unsupported"]
    assert plugs.load("graders", "group").wrong(options) is None


@pytest.mark.parametrize(
    "members",
    [
        {"type": 3},
        {"type": "latency"},
        {"type": "word-count", "value": {"least": 1}},
        {"type": "word-count", "value": "many"},
        {"type": "is-xml", "value": "a.b"},
        {"type": "is-json", "value": "{"},
        {"type": "equals"},
        {"type": "contains", "value": ["a"]},
        {"type": "contains", "value": "a", "weight": -1},
        {"type": "bleu", "value": "a", "threshold": True},
        {"type": "assert-set"},
        {"type": "assert-set", "assert": [{"type": "assert-set", "assert": [{"type": "is-json"}]}]},
        {"type": "assert-set", "assert": ["is-json"]},
    ],
)
def test_an_assertion_that_cannot_be_read_is_mistaken(members: dict[str, Any]) -> None:
    with pytest.raises(Mistaken):
        check_of(members)
