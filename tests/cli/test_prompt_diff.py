"""`tidegate prompt diff`."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from tests.prompts.repositories import FILES, V1, written

from tidegate.cli import commands

CASES = '{"id": "a", "variables": {"name": "Ada"}}\n\n{"variables": {"name": "Bob"}}\n'


def diff(*words: str) -> Result:
    return CliRunner().invoke(commands(), ["prompt", "diff", "support", *words])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    same = V1.replace("inputs:", "# why\nowner: ada\ninputs:")
    long = V1.replace("You help", "You help " + "and help " * 40)
    more = {"prompts/support/v3.jinja2": same, "prompts/support/v4.jinja2": long}
    written(tmp_path, {**FILES, **more, "cases.jsonl": CASES, "bad.jsonl": "{}\n"})
    return tmp_path


def test_lines_that_differ_and_what_they_cost() -> None:
    result = diff("stable", "canary", "--cases", "cases.jsonl", "--tokenizer", "o200k")
    assert result.exit_code == 1
    assert "-You help {{ name }}." in result.stdout
    assert "+You gladly help {{ name }}." in result.stdout
    assert "input tokens over 2 of 2 cases: 34 -> 36 (+5.9 %), pass; counted by o200k" in (
        result.stdout
    )


def test_what_is_asked_the_same_exits_with_0() -> None:
    result = diff("v1", "v3")
    assert result.exit_code == 0
    assert "+owner: " in result.stdout
    assert "asked the same" in result.stderr


def test_what_costs_half_as_much_again_exits_with_3() -> None:
    result = diff("v1", "v4", "--cases", "cases.jsonl", "--json")
    assert result.exit_code == 3
    told = msgspec.json.decode(result.stdout)
    assert told["tokens"]["verdict"] == "block"
    assert [it["id"] for it in told["tokens"]["cases"]] == ["a", "3"]


def test_cases_that_are_none() -> None:
    result = diff("v1", "v2", "--cases", "bad.jsonl")
    assert result.exit_code == 2
    assert "line 1: Object missing required field `variables`" in result.stderr
    assert diff("v1", "v9").exit_code == 2
