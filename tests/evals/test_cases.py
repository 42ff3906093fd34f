"""What a single case may say."""

from pathlib import Path

import pytest
from tests.evals.written import suite, told


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("{id: '', checks: [exact]}", "an id is 1 to 200 characters"),
        ("{id: a, checks: [exact], turns: [{user: a, system: b}]}", "a turn is `{user: text}`"),
        ("{id: a, checks: [exact], turns: [{user: a}], variables: {q: 1}}", "not both"),
        ("{id: a, checks: [{exact: 3}]}", "the options of a grader are a mapping"),
        ("{id: a, checks: [{not: true}]}", "a check is one grader's name with its options"),
        ("{id: a, checks: [{exact: {}, weight: -1}]}", "it must be from 0"),
        ("{id: a, checks: [{exact: {}, threshold: 2}]}", "it must be from 0 to 1"),
        ("{id: a, checks: [{exact: {}, threshold: 0}]}", "with a threshold of 0"),
        ("{id: a, checks: [exact], threshold: 0}", "with a threshold of 0"),
        ("{id: a, checks: exact}", "expected a list"),
        ("{id: a, checks: [exact], threshold: high}", "expected a number"),
        ("{id: a, checks: [exact], context: {a: b}}", "expected a list"),
        ("{id: a, checks: [exact], strata: [a]}", "expected a mapping"),
        ("[id]", "expected a mapping"),
    ],
)
def test_what_is_wrong_with_a_case_is_said(tmp_path: Path, case: str, message: str) -> None:
    assert message in told(tmp_path, f"cases: [{case}]")[0]


def test_values_stay_what_they_are(tmp_path: Path) -> None:
    text = 'cases: [{id: a, variables: {a: ["x", {b: 1}], c: null, d: "${HOME}"}, checks: [exact]}]'
    variables = suite(tmp_path, text).cases[0].variables
    assert {name: bytes(it) for name, it in variables.items()} == {
        "a": b'["x",{"b":1}]',
        "c": b"null",
        "d": b'"${HOME}"',
    }
