"""`tidegate demo`, as a newcomer runs it; and what it does where a part does not hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.boot.stages import stage

from tidegate.boot import tour
from tidegate.boot.child import EX_CONFIG
from tidegate.boot.tour_stage import Failed, Part, Stage
from tidegate.config.load import compile_file


def test_everything_holds_and_nothing_is_left(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tidegate.boot", "demo"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for number, part in enumerate(tour.PARTS, 1):
        assert f"\n{number}. {part.title}\n" in done.stdout
    assert "rolled back: output_tokens is worse" in done.stdout
    assert "Overshoot: $0.00." in done.stdout
    assert "0 twice." in done.stdout
    assert done.stdout.rstrip().endswith("seconds: everything held.")
    assert list(tmp_path.iterdir()) == []


def test_its_plan_compiles() -> None:
    budgets = "\n".join(f"  {part.budget}" for part in tour.PARTS if part.budget)
    plan = tour._PLAN.format(port=1, budgets=budgets)
    compiled = compile_file(plan.encode(), {}, 1, 1_795_000_000.0)
    assert [str(problem) for problem in compiled.problems] == []


def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *parts: Part) -> tuple[bool, str]:
    monkeypatch.setattr(Stage, "wait_until_serving", lambda self: None)
    lines: list[str] = []
    held = tour.show(stage(tmp_path, lines), parts)
    return held, "\n".join(lines)


def fails(_: Stage) -> bool:
    raise Failed("the ledger is gone")


def breaks(_: Stage) -> bool:
    raise ValueError("unforeseen")


def test_one_part_that_does_not_hold_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = Part("good", lambda _: True), Part("bad", lambda _: False)
    held, text = told(tmp_path, monkeypatch, good, bad)
    assert not held
    assert "something did not hold" in text
    assert told(tmp_path, monkeypatch, good) == (True, "\n1. good\n\n0 seconds: everything held.")


@pytest.mark.parametrize(("run", "why"), [(fails, "the ledger is gone"), (breaks, "ValueError")])
def test_a_part_that_fails_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: object, why: str
) -> None:
    assert callable(run)
    held, text = told(tmp_path, monkeypatch, Part("one", run), Part("two", lambda _: True))
    assert not held
    assert why in text
    assert "2. two" in text


def test_where_nothing_comes_up_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Stage) -> None:
        raise Failed("the gateway has no plan")

    monkeypatch.setattr(Stage, "wait_until_serving", never)
    lines: list[str] = []
    assert not tour.show(stage(tmp_path, lines), (Part("one", lambda _: True),))
    assert lines == ["It does not come up: the gateway has no plan"]


def test_a_process_that_refuses_to_run_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"

    async def refused(*_: object) -> tuple[int, bool]:
        (kept / "state" / "log" / "control.log").write_text("tidegate cannot start: no port\n")
        return EX_CONFIG, False

    monkeypatch.setattr(tour, "_supervised", refused)
    done = CliRunner().invoke(tour.demo, ["--keep", str(kept)])
    assert done.exit_code == EX_CONFIG
    assert "a process refuses to run:\n  tidegate cannot start: no port" in done.output
    assert (kept / "tidegate.yaml").is_file()


def test_a_directory_that_is_there_is_left_alone(tmp_path: Path) -> None:
    done = CliRunner().invoke(tour.demo, ["--keep", str(tmp_path)])
    assert done.exit_code == 1
    assert "name a new directory" in done.output
    assert list(tmp_path.iterdir()) == []
