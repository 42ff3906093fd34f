"""`tidegate eval export`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tidegate.evals.load import load_suites

Run = Callable[..., Result]
SUITE = """
name: facts
cases:
- {id: a, turns: [{user: hi}], expected: x, checks: [contains]}
- {id: b, turns: [{user: ho}], expected: y, checks: [contains]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "facts.yaml"
    path.write_text(SUITE)
    return path


@pytest.mark.parametrize(("tool", "at"), [("openai", "evals/facts.yaml"), ("pydantic", "")])
def test_what_is_written_for_another_tool_is_read_as_the_same(
    run: Run, file: Path, tmp_path: Path, tool: str, at: str
) -> None:
    if tool == "pydantic":
        file.write_text(SUITE.replace("[contains]", "[exact]"))
    to = tmp_path / "deep" / (tool if at else f"{tool}.yaml")
    result = run("eval", "export", str(file), "--as", tool, "--output", str(to))
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    [before] = load_suites(file).suites
    [after] = load_suites(to / at if at else to).suites
    assert after.digest() == before.digest()


def test_a_registry_needs_a_folder_and_what_cannot_be_said_is_told(
    run: Run, file: Path, tmp_path: Path
) -> None:
    assert run("eval", "export", str(file), "--as", "openai").exit_code == 2
    file.write_text("cases: [{id: a, checks: [exact]}]\n")
    result = run("eval", "export", str(file), "--as", "openai", "-o", str(tmp_path / "x"))
    assert result.exit_code == 1
    assert "nothing of it can be said there" in result.stderr
    (tmp_path / "file").write_text("")
    file.write_text(SUITE)
    result = run("eval", "export", str(file), "--as", "openai", "-o", str(tmp_path / "file"))
    assert result.exit_code == 1
    assert "file" in result.stderr
