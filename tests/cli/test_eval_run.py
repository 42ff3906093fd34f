"""`tidegate eval run`, against a gateway and a control that answer from tables."""

import os
import pty
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.cli.house import answering, is_candidate, lends_keys, written
from tests.cli.test_judge_told import view

from tidegate.cli._eval_run import _Bar
from tidegate.core.grading import judge_digest
from tidegate.graders import judge_rubric

SIDES = ("--baseline", "v1", "--candidate", "v2")


@pytest.fixture
def suite(tmp_path: Path, control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lends_keys(control)
    return written(tmp_path)


def went(run: Callable[..., Result], suite: Path, url: str, *words: str) -> Result:
    where = ("--repository", str(suite.parent.parent), "--gateway", url)
    return run("eval", "run", str(suite), *where, *words)


def test_two_versions_that_answer_alike_pass(run: Callable[..., Result], suite: Path) -> None:
    with answering(lambda _: "good") as url:
        result = went(run, suite, url, *SIDES)
    assert result.exit_code == 0, result.output
    assert "facts: support@v2 at chat beside support@v1 at chat" in result.stdout
    assert "0 cases lost, 0 won, of 100" in result.stdout


@pytest.mark.parametrize("stops", [False, True], ids=["to its end", "broken off"])
def test_on_a_terminal_a_bar_counts_answers_and_its_line_is_ended(
    monkeypatch: pytest.MonkeyPatch, stops: bool
) -> None:
    watcher, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as shown:
        monkeypatch.setattr(sys, "stderr", shown)
        with suppress(KeyboardInterrupt), _Bar("facts") as bar:
            bar.begin(4)
            for _ in range(2):
                bar.step()
            if stops:
                raise KeyboardInterrupt
            for _ in range(2):
                bar.step()
        said = seen_until(watcher, "\x1b[?25h\r\n")  # the cursor is shown again
    os.close(watcher)
    assert "facts" in said
    assert "  0%" in said and " 50%" in said
    assert ("100%" in said) is not stops


def seen_until(terminal: int, end: str) -> str:
    said = b""
    while not said.endswith(end.encode()):
        readable, _, _ = select.select([terminal], [], [], 10)
        assert readable, said
        said += os.read(terminal, 4096)
    return said.decode()


def test_where_nobody_looks_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with _Bar("facts") as bar:
        bar.begin(1)
        bar.step()
    assert capsys.readouterr() == ("", "")


def test_a_candidate_alone_has_to_pass_often_enough(
    run: Callable[..., Result], suite: Path
) -> None:
    with answering(lambda body: "good" if "7" in body["messages"][-1]["content"] else "bad") as url:
        result = went(run, suite, url, "--candidate", "v2", "--pass-rate", "0.1")
        assert result.exit_code == 0, result.output
        assert "baseline" in result.stdout
        assert went(run, suite, url, "--candidate", "v2").exit_code == 1


def test_two_parameters_of_one_version_are_two_sides(
    run: Callable[..., Result], suite: Path
) -> None:
    with answering(lambda body: "good" if body["temperature"] == 0 else "bad") as url:
        words = ("--baseline", "v1", "--candidate", "v1", "--parameter", "temperature=0")
        result = went(run, suite, url, *words, "--candidate-parameter", "temperature=1")
    assert result.exit_code == 1
    assert "stopped early: surely worse after" in result.stdout


def test_a_run_whose_money_is_spent_is_incomplete_and_goes_on_later(
    run: Callable[..., Result], suite: Path, tmp_path: Path, control: FakeControl
) -> None:
    left = 50

    def say(_: dict[str, Any]) -> Any:
        nonlocal left
        left -= 1
        return "good" if left > 0 else (429, "insufficient_quota")

    file = tmp_path / "deep" / "run.jsonl"
    with answering(say) as url:
        result = went(run, suite, url, *SIDES, "--run-file", str(file))
        assert result.exit_code == 2
        assert "the run's money is spent" in result.stderr
        left = 1000
        result = went(run, suite, url, *SIDES, "--run-file", str(file))
        assert result.exit_code == 0, result.output
        assert 1000 - left <= 200 - 40
        other = went(run, suite, url, "--baseline", "none", "--candidate", "v2",
                     "--run-file", str(file))  # fmt: skip
        dear = {"id": "r", "started_at_s": 1.0, "gateway": "g", "endpoint": "chat",
                "session_id": "of a judge", "cost_nanousd": 5 * 10**9}  # fmt: skip
        control.answers["GET /api/receipts"] = {"receipts": [dear], "cursor": 9}
        spent = went(run, suite, url, *SIDES, "--run-file", str(file))
    assert other.exit_code == 3
    assert "another run: not the same the baseline" in other.stderr
    assert (spent.exit_code, "the run has cost $5 already" in spent.stderr) == (3, True)


def test_a_judge_that_is_not_calibrated_only_informs(
    run: Callable[..., Result], suite: Path
) -> None:
    suite.write_text(suite.read_text().replace(
        "[contains]", "[contains, {judge_rubric: {rubric: kind}}]"))  # fmt: skip
    verdict = '{"reason": "", "score": 1}'

    def say(body: dict[str, Any]) -> str:
        return "good" if body["model"] == "chat" else verdict

    with answering(say) as url:
        result = went(run, suite, url, *SIDES, "--judge", "referee")
    assert result.exit_code == 2
    assert "checks by a judge that is not calibrated only inform" in result.stdout
    assert "0 cases lost, 0 won, of 100" in result.stdout


def test_a_judge_that_control_keeps_decides_where_no_file_is_named(
    run: Callable[..., Result], suite: Path, control: FakeControl
) -> None:
    rubric = {"rubric": "kind"}
    suite.write_text(suite.read_text().replace(
        "[contains]", "[contains, {judge_rubric: {rubric: kind}}]"))  # fmt: skip
    digest = judge_digest(judge_rubric.plug.prompt(rubric), "m-1", {})
    control.answers["GET /api/judges"] = {"judges": [view(digest)], "seats": []}

    def say(body: dict[str, Any]) -> str:
        return "good" if body["model"] == "chat" else '{"reason": "", "score": 1}'

    with answering(say) as url:
        result = went(run, suite, url, *SIDES, "--judge", "referee")
    assert result.exit_code == 0, result.output
    assert f"calibrated: {digest[:12]}" in result.stdout


def test_a_worse_candidate_is_blocked_whatever_order_answers_come_in(
    run: Callable[..., Result], suite: Path
) -> None:
    with answering(lambda body: "bad" if is_candidate(body) else "good") as url:
        result = went(run, suite, url, *SIDES, "--no-early-stop")
    assert result.exit_code == 1
    assert "100 cases lost, 0 won, of 100" in result.stdout


def test_a_judge_compares_the_two_versions_and_a_resumed_run_asks_it_no_more(
    run: Callable[..., Result], suite: Path, tmp_path: Path
) -> None:
    text = suite.read_text()
    suite.write_text(text.replace("checks: [contains]", "checks: [contains, judge_pairwise]"))
    judged = 0

    def say(body: dict[str, Any]) -> Any:
        nonlocal judged
        if body["model"] == "referee":
            judged += 1
            return '{"reason": "", "better": "A"}'
        return "good, so it is" if is_candidate(body) else "good"

    file = tmp_path / "run.jsonl"
    with answering(say) as url:
        words = (*SIDES, "--judge", "referee", "--run-file", str(file))
        result = went(run, suite, url, *words)
        assert result.exit_code == 2, result.output
        assert "50.0%" in result.stdout
        assert "only informs" in result.stdout
        assert "100.0% (98.2% to 100.0%) of 200 verdicts" in result.stdout
        assert "the judge m-1 is of the candidate's own family" in result.stdout
        assert judged == 200
        assert went(run, suite, url, *words).exit_code == 2
        assert judged == 200


def test_embeddings_are_asked_of_the_route_that_is_named(
    run: Callable[..., Result], suite: Path, control: FakeControl
) -> None:
    check = "checks: [{semantic_similarity: {to: fine}}]"
    suite.write_text(suite.read_text().replace("checks: [contains]", check))

    def say(body: dict[str, Any]) -> Any:
        if "input" not in body:
            return "good"
        rows = [{"index": n, "embedding": [1.0, 0.1 * n]} for n in range(len(body["input"]))]
        return {"data": rows} if body["model"] == "vectors" else (404, "model_not_found")

    with answering(say) as url:
        result = went(run, suite, url, *SIDES, "--embeddings", "vectors")
        assert result.exit_code == 0, result.output
        assert b"vectors" in b"".join(it.content for it in control.asked)
        assert went(run, suite, url, *SIDES).exit_code == 2
