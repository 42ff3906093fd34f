"""`tidegate eval`: suites checked and carried, without asking anything."""

from pathlib import Path

from click.testing import CliRunner

from tidegate.cli import commands

GOOD = "cases: [{id: a, checks: [exact, {judge_rubric: {rubric: kind}}], expected: x}]\n"
SCRIPT = "tests: [{vars: {a: b}, assert: [{type: python, value: x}]}, {vars: {a: c}}]\n"


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(commands(), ["eval", *words])
    return result.exit_code, result.stdout, result.stderr


def test_check_says_what_a_suite_holds_and_what_is_not_executed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(SCRIPT)
    code, told, wrong = run("check", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    assert (code, wrong) == (0, "")
    ours, theirs = told.splitlines()
    assert "a, 1 case x 3, 2 checks, 1 by a judge; digest " in ours
    assert "not executed, an error in a run: python (1); 1 case without a check" in theirs


def test_check_tells_every_problem_by_line_and_refuses(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("cases:\n- id: a\n  checks: [exakt]\n- checks: [exact]\n")
    (tmp_path / "b.yaml").write_text(GOOD)
    code, told, wrong = run("check", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    assert code == 1
    assert "a.yaml:3:12: cases.0.checks.0: there is no grader" in wrong
    assert "a.yaml:4:3: cases.1: `id` is missing" in wrong
    assert "refused, 2 problems" in wrong
    assert "b.yaml" in told


def test_export_prints_what_promptfoo_reads_and_names_what_it_cannot(tmp_path: Path) -> None:
    text = GOOD.replace("exact,", "{exact: {value: x}}, {numeric: {value: 3}},")
    (tmp_path / "a.yaml").write_text(text)
    code, told, wrong = run("export", str(tmp_path / "a.yaml"))
    assert code == 0
    assert "type: equals" in told
    assert "left out: a check of the case a: numeric" in wrong
    (tmp_path / "b.yaml").write_text("cases: []\n")
    assert run("export", str(tmp_path / "b.yaml"))[0] == 1
