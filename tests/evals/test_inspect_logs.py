"""Logs of Inspect's runs as suites."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from tidegate.evals.load import load_suites
from tidegate.evals.suite import Loaded, Suite

ANSWER = {"role": "assistant", "content": "Yes"}


def sample(name: Any = 1, **members: Any) -> dict[str, Any]:
    asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is it?"}]
    known = {"id": name, "epoch": 1, "input": "Is it?", "target": "Yes", "choices": None}
    beside = {"messages": [*asked, ANSWER], "output": {"model": "m"}, "events": [], "metadata": {}}
    return {**known, **beside, **members}


def of(folder: Path, *samples: dict[str, Any], scorers: Any = ({"name": "match"},)) -> Loaded:
    path = folder / "log.json"
    told = {"task": "t", "model": "m", "scorers": list(scorers)}
    log = {"version": 2, "status": "success", "eval": told, "samples": list(samples)}
    path.write_bytes(msgspec.json.encode(log))
    return load_suites(path)


def only(found: Loaded) -> Suite:
    assert found.problems == (), [str(it) for it in found.problems]
    [suite] = found.suites
    return suite


def test_a_sample_is_asked_as_it_was_and_as_often(tmp_path: Path) -> None:
    again = sample(epoch=2)
    suite = only(of(tmp_path, sample(metadata={"kind": "x"}), again, sample("b")))
    assert (suite.name, suite.repeats) == ("log", 2)
    one, two = suite.cases
    assert (one.id, two.id) == ("1", "b")
    assert one.turns == (("system", "Be brief."), ("user", "Is it?"))
    assert (one.expected, one.strata) == (Raw(b'"Yes"'), {"kind": "x"})


@pytest.mark.parametrize(
    ("scorer", "grader", "options"),
    [
        ({"name": "includes"}, "contains", {"ignore_case": True}),
        ({"name": "includes", "options": {"ignore_case": False}}, "contains",
         {"ignore_case": False}),
        ({"name": "match", "options": {}}, "contains", {"normalise": True, "at": "end"}),
        ({"name": "match", "options": {"location": "any"}}, "contains", {"normalise": True}),
        ({"name": "match", "options": {"numeric": True}}, "numeric", {"which": "last"}),
        ({"name": "match", "options": {"location": "exact"}}, "exact", {"normalise": True}),
        ({"name": "inspect_ai/exact"}, "exact", {"normalise": True}),
        ({"name": "model_graded_fact"}, "judge_rubric", {"preset": "correctness"}),
    ],
)  # fmt: skip
def test_scorers_of_its_own_are_checks(
    tmp_path: Path, scorer: dict[str, Any], grader: str, options: dict[str, Any]
) -> None:
    [case] = only(of(tmp_path, sample(), scorers=[scorer])).cases
    [check] = case.checks
    assert (check.grader, msgspec.json.decode(check.options)) == (grader, options)


@pytest.mark.parametrize(
    "scorer",
    [
        {"name": "my/scorer"},
        {"name": "choice"},
        {"name": "match", "options": {"ignore_case": False}},
        {"name": "match", "options": {"numeric": True, "location": "any"}},
        {"name": "model_graded_qa", "options": {"template": "x"}},
    ],
)
def test_what_is_not_made_here_is_an_error_in_a_run(tmp_path: Path, scorer: dict[str, Any]) -> None:
    [case] = only(of(tmp_path, sample(target="Yes, No"), scorers=[scorer])).cases
    assert [it.grader for it in case.checks] == ["unsupported"]


def test_a_choice_is_looked_for_by_its_letter(tmp_path: Path) -> None:
    [case] = only(of(tmp_path, sample(target="B", choices=["x", "y"]),
                     scorers=[{"name": "choice"}])).cases  # fmt: skip
    assert case.turns[-1] == ("user", "Is it?")
    assert msgspec.json.decode(case.checks[0].options)["pattern"].endswith("B\\b")


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (sample(messages=[ANSWER, {"role": "user", "content": "x"}, ANSWER]), "several turns"),
        (sample(messages=[{"role": "tool", "content": "x"}]), "of tools"),
        (sample(sandbox={"type": "docker"}), "run by Inspect alone"),
    ],
)
def test_what_cannot_be_asked_again_is_told(
    tmp_path: Path, odd: dict[str, Any], message: str
) -> None:
    [problem] = of(tmp_path, sample("fine"), odd).problems
    assert message in str(problem)
    assert "log.json:1:" in str(problem)


def test_a_log_without_scorers_or_samples_is_refused(tmp_path: Path) -> None:
    assert "names no scorer" in str(of(tmp_path, sample(), scorers=[]).problems[0])
    assert "there is no sample" in str(of(tmp_path).problems[0])
    (tmp_path / "log.json").write_text('{"eval": 3, "samples": 4, "status": "x"}')
    assert load_suites(tmp_path / "log.json").problems
