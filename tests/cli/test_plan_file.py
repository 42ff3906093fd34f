"""Every command that reads a plan file is told which in the same way."""

import pytest
from click.testing import CliRunner

from tidegate.cli import commands

PLAN = """\
providers: {sim: {}}
routes: {chat: sim/x}
"""
COMMANDS = (["check"], ["plan", "show"], ["plan", "explain", "chat"])


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tidegate.yaml").write_text(PLAN)
    (tmp_path / "other.yaml").write_text("routs: {}\n")
    return lambda *words: CliRunner().invoke(commands(), words)


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("given", [["other.yaml"], ["-f", "other.yaml"], ["--file", "other.yaml"]])
def test_the_file_is_an_argument_and_an_option_says_the_same(run, words, given):
    result = run(*words, *given)
    assert result.exit_code in (1, 2)
    assert "other.yaml:1:1: routs: unknown key" in result.stderr


@pytest.mark.parametrize("words", COMMANDS)
def test_without_one_it_is_the_file_of_this_folder(run, words):
    result = run(*words)
    assert result.exit_code == 0, result.output


def test_two_files_are_a_mistake_of_the_caller(run):
    result = run("check", "tidegate.yaml", "-f", "tidegate.yaml")
    assert result.exit_code == 2
    assert "given twice" in result.stderr
