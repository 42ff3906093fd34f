"""Lint, the owner and the error budgets before a version becomes stable."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.cli.conftest import FakeControl
from tests.cli.house import answering, lends_keys, written
from tests.cli.test_slo import objective, route

Run = Callable[..., Result]


@pytest.fixture
def house(tmp_path: Path, control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lends_keys(control)
    written(tmp_path)
    return tmp_path


def gated(run: Run, *words: str) -> Result:
    with answering(lambda _: "good") as url:
        given = ("--repository", ".", "--gateway", url, "--candidate", "v2")
        return run("gate", "support", *given, *words)


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize(
    ("state", "words", "told"),
    [
        ("normal", (), (0, "names no owner")),
        ("frozen", ("--label", "fix"), (1, "is spent")),
        ("frozen", ("--label", "security"), (0, "labelled security")),
        ("restricted", (), (1, "only what is labelled fix goes")),
        ("restricted", ("--label", "fix", "--approved-by", "a"), (1, "2 people have to approve")),
        ("restricted", ("--label", "fix", "--approved-by", "a", "--approved-by", "b"), (0, "a, b")),
    ],
)
def test_the_worst_error_budget_of_its_routes_decides(
    run: Run, control: FakeControl, state: str, words: tuple[str, ...], told: tuple[int, str]
) -> None:
    found: list[dict[str, Any]] = [
        route("chat", objective("availability"), state=state),
        route("elsewhere", objective("availability"), state="frozen"),
    ]
    control.answers["GET /api/slo"] = {"routes": found}
    result = gated(run, *words, "--no-certificate")
    code, said = told
    assert result.exit_code == code, result.output
    assert said in result.stdout


def test_an_incident_that_is_not_reviewed_lets_only_fixes_go(
    run: Run, house: Path, control: FakeControl
) -> None:
    one = route("chat", objective("availability"), state="caution", review_wanted="it was dear")
    control.answers["GET /api/slo"] = {"routes": [one]}
    assert "a review is due" in gated(run).stdout


def test_a_version_that_lint_refuses_is_blocked_whatever_it_answers(run: Run, house: Path) -> None:
    file = house / "prompts" / "support" / "v2.jinja2"
    key = "sk-" + "proj-" + "a1B2c3D4" * 6
    file.write_text(file.read_text().replace("You know facts!", f"You know facts! {key}"))
    result = gated(run)
    assert result.exit_code == 1, result.output
    assert "lint" in result.stdout
    assert key not in result.output
