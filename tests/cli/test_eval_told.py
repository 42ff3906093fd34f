"""What a run came to, for people, files and exit codes."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from tests.evals.runs import same

from tidegate.cli._eval_run import Done
from tidegate.cli._eval_told import exit_code, not_run_apart, tell, write_reports
from tidegate.evals.finding import Finding, GateVerdict
from tidegate.evals.gate import judge, with_more
from tidegate.evals.report import Compared
from tidegate.evals.run import Ended
from tidegate.evals.suite import Suite


def done(verdict: GateVerdict = "pass") -> Done:
    pairs = same(100)
    gated = with_more(judge(pairs), [Finding("extra", verdict, "so it is", needs=7)])
    compared = Compared("facts", "v1", "v2")
    suite = Suite("facts", tuple(it.case for it in pairs))
    return Done("run-1", Path("run.jsonl"), suite, compared, Ended(), gated, pairs, ())


def test_codes_of_one_and_of_several() -> None:
    codes = [exit_code([done(it)]) for it in ("pass", "warn", "block", "inconclusive")]
    assert codes == [0, 0, 1, 2]
    assert exit_code([done("inconclusive"), done("block"), done()]) == 1
    assert exit_code([done("inconclusive"), done()]) == 2
    assert exit_code([]) == 2


def test_what_could_not_be_run_has_a_code_of_its_own() -> None:
    for error, code in ((click.ClickException("no"), 3), (click.UsageError("no"), 2)):

        @click.command()
        @not_run_apart
        def fails(error: click.ClickException = error) -> None:
            raise error

        assert CliRunner().invoke(fails).exit_code == code


def test_findings_and_why_it_stopped_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell(replace(done("inconclusive"), ended=Ended("money", "no more")))
    out, err = capsys.readouterr()
    assert "facts: v2 beside v1" in out
    assert "so it is; needs 7 cases" in out
    [regression] = [it for it in out.splitlines() if it.startswith("regression")]
    assert regression.split()[1:4] == ["pass", "2.5", "points"]
    assert "inconclusive; outcomes are in run.jsonl" in out
    assert "no more" in err
    tell(replace(done(), ended=Ended("worse", "surely worse")))
    assert "stopped early: surely worse" in capsys.readouterr().out


def test_files_of_several_suites_lie_beside_each_other(tmp_path: Path) -> None:
    given = {f"{it}_file": tmp_path / f"gate.{it}" for it in ("json", "markdown", "junit")}
    write_reports([done(), done("block")], given)
    assert "blocked" in (tmp_path / "gate-2.markdown").read_text()
    assert "passed" in (tmp_path / "gate.markdown").read_text()
    assert b"<failure" in (tmp_path / "gate-2.junit").read_bytes()
    assert b'"verdict": "block"' in (tmp_path / "gate-2.json").read_bytes()
