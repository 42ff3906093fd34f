"""Samples of Inspect's data sets in a suite."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from tests.evals.written import loaded, suite, told

from tidegate.evals.load import load_suites
from tidegate.evals.suite import Loaded

SUITE = "defaults: {checks: [contains]}\ncases_from: [samples.jsonl]\n"


def of(folder: Path, *rows: dict[str, Any]) -> Loaded:
    (folder / "samples.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    return loaded(folder, SUITE)


def test_samples_are_cases_with_the_checks_of_the_suite(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    found = of(
        tmp_path,
        {"input": "2 + 2?", "target": "4", "id": 7, "metadata": {"level": 1, "kind": "sum"}},
        {"input": [{"role": "system", "content": "Add."}, {"role": "user", "content": parts}],
         "target": ["6", "six"]},
        {"input": "Which?", "choices": ["red", "blue"], "target": "B", "sandbox": None},
    )  # fmt: skip
    assert found.problems == ()
    one, two, three = found.suites[0].cases
    assert (one.id, one.turns, one.expected) == ("7", (("user", "2 + 2?"),), Raw(b'"4"'))
    assert one.strata == {"level": "1", "kind": "sum"}
    assert (two.id, two.expected) == ("s2", Raw(b'["6","six"]'))
    assert two.turns == (("system", "Add."), ("user", "a\nb"))
    assert {name: bytes(it) for name, it in three.variables.items()} == {
        "input": b'"Which?"', "choices": b'["red","blue"]',
    }  # fmt: skip
    assert {it.checks[0].grader for it in found.suites[0].cases} == {"contains"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"input": "x", "sandbox": "docker"}, "run by Inspect alone"),
        ({"input": "x", "files": {"a": "b"}}, "run by Inspect alone"),
        ({"input": [{"role": "tool", "content": "x"}]}, "a message is a text"),
        ({"input": [{"role": "user", "content": [{"type": "image"}]}]}, "a message is a text"),
        ({"input": 3}, "a message is a text"),
        ({"input": []}, "it asks nothing"),
        ({"input": [{"role": "user", "content": "x"}], "choices": ["a"]}, "lay both out"),
    ],
)
def test_what_cannot_be_carried_is_told_at_its_line(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    [problem] = of(tmp_path, {"input": "fine"}, row).problems
    assert f"{tmp_path / 'samples.jsonl'}:2:" in str(problem)
    assert message in str(problem)


def test_what_inspect_itself_leaves_aside_is_told(tmp_path: Path) -> None:
    found = of(tmp_path, {"input": "x", "note": "y"})
    assert found.problems == ()
    [warning] = found.warnings
    assert "note" in str(warning)


def test_two_of_one_id_are_told_and_ours_are_still_ours(tmp_path: Path) -> None:
    [problem] = of(tmp_path, {"input": "x", "id": "a"}, {"input": "y", "id": "a"}).problems
    assert "already on line 1" in str(problem)
    mixed = of(tmp_path, {"input": "x"}, {"id": "ours", "turns": [{"user": "z"}]})
    assert [it.id for it in mixed.suites[0].cases] == ["s1", "ours"]


def test_a_data_set_alone_says_what_it_lacks(tmp_path: Path) -> None:
    of(tmp_path, {"input": "x", "target": "y"})
    [problem] = load_suites(tmp_path / "samples.jsonl").problems
    assert "nothing says how they are scored" in str(problem)
    assert "one sample a line" in told(tmp_path, '[{"input": "x"}]', "samples.json")[0]
    assert len(suite(tmp_path, SUITE).cases) == 1
