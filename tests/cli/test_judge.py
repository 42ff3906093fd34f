"""`tidegate judge calibrate`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.cli.house import answering, lends_keys
from tests.cli.test_judge_told import SEAT, view

from tidegate.control.shapes_judges import NewCalibration
from tidegate.evals.calibration import may_decide, read_calibration

SUITE = "cases: [{id: a, checks: [{judge_rubric: {rubric: kind}}, {length: {most_chars: 9}}]}]\n"
Run = Callable[..., Result]


def deciding(data: bytes) -> set[str]:
    """The judge of a calibration that may decide."""
    found = read_calibration(data)
    return {found.judge} if may_decide(found) else set()


@pytest.fixture
def folder(tmp_path: Path, control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lends_keys(control)
    (tmp_path / "s.yaml").write_text(SUITE)
    anchors = [
        {"id": f"a{n}", "answer": f"{'kind' if n % 2 else 'rude'} {n}", "labels": [n % 2 == 1] * 2}
        for n in range(200)
    ]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, anchors)))
    return tmp_path


def calibrated(run: Run, say: Any, *words: str) -> Result:
    with answering(say) as url:
        return run("judge", "calibrate", "s.yaml", "--anchors", "a.jsonl", "--judge", "referee",
                   "--out", "c.json", "--gateway", url, *words)  # fmt: skip


def judge(body: dict[str, Any]) -> str:
    score = float("\nkind " in body["messages"][-1]["content"])
    return msgspec.json.encode({"reason": "", "score": score}).decode()


def test_a_judge_that_says_what_people_say_may_decide(
    run: Run, folder: Path, control: FakeControl
) -> None:
    result = calibrated(run, judge)
    assert result.exit_code == 0, result.output
    assert "it may decide in gates" in result.stdout
    assert "1.000 (1.000 to 1.000)" in result.stdout
    assert len(deciding((folder / "c.json").read_bytes())) == 1
    assert any(it.url.path.endswith("/revoke") for it in control.asked)


def test_one_that_does_not_only_informs(run: Run, folder: Path) -> None:
    result = calibrated(run, lambda _: '{"reason": "", "score": 1}')
    assert result.exit_code == 1
    assert "it may only inform" in result.stdout
    assert deciding((folder / "c.json").read_bytes()) == set()


def test_without_money_or_a_verdict_nothing_is_written(run: Run, folder: Path) -> None:
    result = calibrated(run, lambda _: (429, "insufficient_quota"))
    assert result.exit_code == 2
    assert "its money is spent" in result.stderr
    result = calibrated(run, lambda _: (400, "invalid_request"))
    assert result.exit_code == 1
    assert "nobody knows who judges at referee" in result.stderr
    assert not (folder / "c.json").exists()


def test_which_check_is_meant_has_to_be_clear(run: Run, folder: Path) -> None:
    result = calibrated(run, judge, "--metric", "x")
    assert result.exit_code == 2
    assert 'no check by a judge of the metric "x"' in result.stderr
    (folder / "a.jsonl").write_text("{")
    result = calibrated(run, judge)
    assert result.exit_code == 1
    assert "a.jsonl:1: " in result.stderr


def test_a_judge_with_other_parameters_is_another(run: Run, folder: Path) -> None:
    digests = set()
    for words in ((), ("--judge-parameter", "temperature=0")):
        bodies: list[dict[str, Any]] = []

        def say(body: dict[str, Any], bodies: list[dict[str, Any]] = bodies) -> str:
            bodies.append(body)
            return judge(body)

        assert calibrated(run, say, *words).exit_code == 0
        assert {it.get("temperature") for it in bodies} == {0 if words else None}
        digests |= deciding((folder / "c.json").read_bytes())
    assert len(digests) == 2


def test_control_keeps_it_for_whoever_asks_next(
    run: Run, folder: Path, control: FakeControl
) -> None:
    control.answers["POST /api/judges"] = view(judge="d" * 64)
    with answering(judge) as url:
        words = ("judge", "calibrate", "s.yaml", "--anchors", "a.jsonl", "--judge", "referee")
        assert run(*words, "--gateway", url).exit_code == 2
        result = run(*words, "--gateway", url, "--keep")
    assert result.exit_code == 0, result.output
    assert "kept by http://127.0.0.1:4999 until 2026-" in result.stdout
    [sent] = [it for it in control.asked if it.url.path == "/api/judges"]
    kept = msgspec.json.decode(sent.content, type=NewCalibration)
    assert (kept.route, kept.name, kept.model) == ("referee", "judge_rubric", "m-1")
    assert (kept.may_decide, kept.kappa, kept.known, kept.agreed) == (True, 1.0, 400, 400)
    assert deciding(msgspec.json.encode(kept.figures)) == {kept.judge}


def test_who_judges_is_shown(run: Run, control: FakeControl) -> None:
    control.answers["GET /api/judges"] = {"judges": [view()], "seats": [SEAT]}
    result = run("judge", "status")
    assert result.exit_code == 0, result.output
    assert "may decide" in result.stdout


def test_a_judge_of_a_group_and_its_strata_and_the_judge_before_it(run: Run, folder: Path) -> None:
    group = "{group: {checks: [{grader: exact}, {grader: judge_rubric, options: {rubric: kind}}]}}"
    assert calibrated(run, judge).exit_code == 0
    (folder / "c.json").rename(folder / "old.json")
    (folder / "s.yaml").write_text(f"cases: [{{id: a, checks: [{group}]}}]\n")
    result = calibrated(run, lambda _: '{"reason": "", "score": 1}', "--bridge", "old.json")
    assert result.exit_code == 1
    assert "it gives more by" in result.stdout
    assert "+50.0 points" in result.stdout
    assert "x2.000" in result.stdout
    lines = (folder / "a.jsonl").read_text().splitlines()
    kinds = (it[:-1] + ', "strata": {"tone": "any"}}' for it in lines)
    (folder / "a.jsonl").write_text("\n".join(kinds))
    result = calibrated(run, judge)
    assert "tone=any" in result.stdout
    assert "200 of them by two people" in result.stdout
    result = calibrated(run, judge, "--bridge", "old.json")
    assert result.exit_code == 1
    assert "it is of other anchors" in result.stderr
    assert "it is no calibration" in calibrated(run, judge, "--bridge", "s.yaml").stderr
