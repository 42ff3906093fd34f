"""Data sets of pydantic-evals."""

from pathlib import Path

import pytest
from tests.evals.written import suite, told


def test_cases_and_evaluators_are_carried(tmp_path: Path) -> None:
    text = """
    cases:
    - name: one
      inputs: {q: a}
      expected_output: {b: 1}
      metadata: {kind: easy, level: 3}
      evaluators:
      - EqualsExpected
      - Contains: {value: x, case_sensitive: false}
    - inputs: plain
      expected_output: text
      evaluators:
      - IsInstance: str
      - Equals: 3
    evaluators:
    - LLMJudge: is kind
    - MaxDuration: {seconds: 2}
    - EqualsExpected
    """
    one, two = suite(tmp_path, text).cases
    assert [(check.grader, bytes(check.options)) for check in one.checks] == [
        ("exact", b'{"json":true}'),
        ("contains", b'{"any":["x"],"ignore_case":true}'),
        ("judge_rubric", b'{"rubric":"is kind"}'),
        ("latency", b'{"most_s":2.0}'),
        ("exact", b'{"json":true}'),
    ]
    assert one.strata == {"kind": "easy", "level": "3"}
    assert (two.id, bytes(two.variables["input"])) == ("c2", b'"plain"')
    assert [check.grader for check in two.checks][:2] == ["unsupported", "exact"]
    assert bytes(two.checks[1].options) == b'{"json":true,"value":"3"}'
    assert bytes(two.checks[4].options) == b"{}"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("{name: a}", "`inputs` is missing"),
        ("{inputs: {}, evaluators: [{A: 1, B: 2}]}", "an evaluator is one name"),
        ("{inputs: {}, evaluators: [{MaxDuration: {s: 1}}]}", "MaxDuration is not written"),
        ("{inputs: {}, evaluator: []}", "unknown key"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, case: str, message: str) -> None:
    text = f"cases: [{case}]\nevaluators: []\n"
    assert message in told(tmp_path, text)[0]


def test_a_name_twice_is_told(tmp_path: Path) -> None:
    text = "cases: [{name: a, inputs: {}}, {name: a, inputs: {}}]\nevaluators: []\n"
    assert "twice" in told(tmp_path, text)[0]
