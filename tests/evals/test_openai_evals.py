"""Evals of OpenAI's registry."""

from pathlib import Path

import msgspec
import pytest
from msgspec import Raw
from tests.evals.written import loaded, told

from tidegate.evals.suite import Suite

REGISTRY = """
    sums:
      id: sums.dev.v0
      metrics: [accuracy]
    sums.dev.v0:
      class: evals.elsuite.basic.match:Match
      args: {samples_jsonl: sums/s.jsonl}
    fuzzy.dev.v0:
      class: evals.elsuite.basic.fuzzy_match:FuzzyMatch
      args: {samples_jsonl: sums/s.jsonl}
    has.dev.v0:
      class: evals.elsuite.basic.includes:Includes
      args: {samples_jsonl: sums/s.jsonl, ignore_case: true}
    json.dev.v0:
      class: evals.elsuite.basic.json_match:JsonMatch
      args: {samples_jsonl: sums/s.jsonl}
    qa.dev.v0:
      class: evals.elsuite.modelgraded.classify:ModelBasedClassify
      args:
        samples_jsonl: sums/s.jsonl
        modelgraded_spec: qa
        modelgraded_spec_args: {criteria: is right}
    best.dev.v0:
      class: evals.elsuite.modelgraded.classify:ModelBasedClassify
      args: {samples_jsonl: sums/s.jsonl, modelgraded_spec: qa, multicomp_n: 4}
"""
SPEC = """\
qa:
  prompt: "[Task]: {input} [Submission]: {completion} [Criterion]: {criteria}"
  choice_strings: 'YN'
  choice_scores: {"Y": 1.0, "N": 0.0}
"""
SAMPLES = (
    '{"input": [{"role": "system", "content": "Add."}, {"role": "user", "content": "2+2"}],'
    ' "ideal": ["4", "four"]}\n{"input": "3+3", "ideal": "6"}\n'
)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    (tmp_path / "data/sums").mkdir(parents=True)
    (tmp_path / "modelgraded").mkdir()
    (tmp_path / "data/sums/s.jsonl").write_text(SAMPLES)
    (tmp_path / "modelgraded/qa.yaml").write_text(SPEC)
    return tmp_path


def test_each_eval_is_a_suite_with_its_check(registry: Path) -> None:
    found = loaded(registry, REGISTRY, "evals/sums.yaml")
    assert found.problems == ()
    suites: dict[str, Suite] = {suite.name: suite for suite in found.suites}
    checks = {name: suite.cases[0].checks[0] for name, suite in suites.items()}
    assert {name: (it.grader, bytes(it.options)) for name, it in checks.items()} == {
        "sums.dev.v0": ("contains", b'{"at":"start"}'),
        "fuzzy.dev.v0": ("contains", b'{"either_way":true,"normalise":true}'),
        "has.dev.v0": ("contains", b'{"ignore_case":true}'),
        "json.dev.v0": ("exact", b'{"json":true}'),
        "qa.dev.v0": ("judge_rubric", bytes(checks["qa.dev.v0"].options)),
        "best.dev.v0": ("unsupported", bytes(checks["best.dev.v0"].options)),
    }
    one, two = suites["sums.dev.v0"].cases
    assert one.turns == (("system", "Add."), ("user", "2+2"))
    assert (one.expected, two.expected) == (Raw(b'["4","four"]'), Raw(b'"6"'))


def test_a_judges_prompt_is_a_rubric_with_its_choices(registry: Path) -> None:
    found = loaded(registry, REGISTRY, "evals/sums.yaml")
    [qa] = [suite for suite in found.suites if suite.name == "qa.dev.v0"]
    assert msgspec.json.decode(qa.cases[0].checks[0].options) == {
        "rubric": "[Task]: (QUESTION) [Submission]: (ANSWER) [Criterion]: is right",
        "choices": {"Y": 1.0, "N": 0.0},
    }


def test_what_is_wrong_is_told_where_it_is_and_others_are_read(registry: Path) -> None:
    (registry / "data/bad.jsonl").write_text('{"input": "a"}\n{"ideal": "b"}\n{"input": 3}\nx\n')
    text = """\
    a: {id: a.v1}
    m.v0: {class: "evals:MultipleChoice", args: {}}
    n.v0: {class: "evals:Match", args: {samples_jsonl: none.jsonl}}
    o.v0: {class: "evals:Match", args: {samples_jsonl: ../../../etc/passwd}}
    b.v0: {class: "evals:Match", args: {samples_jsonl: bad.jsonl}}
    s.v0: {class: "evals:Match", args: {samples_jsonl: sums/s.jsonl}}
    """
    found = loaded(registry, text, "evals/e.yaml")
    assert [suite.name for suite in found.suites] == ["s.v0"]
    told = [(Path(it.file).name, it.mark.line) for it in found.problems]
    assert told == [
        *(("e.yaml", line) for line in (1, 2, 3, 4)),
        *(("bad.jsonl", line) for line in (1, 2, 3, 4)),
    ]


def test_a_spec_alone_is_no_eval(tmp_path: Path) -> None:
    assert "no eval itself" in told(tmp_path, SPEC)[0]
