"""`tidegate prompt`."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from tests.prompts.repositories import FILES, made, written

from tidegate.cli import commands

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in a folder with prompts, as a checkout has them."""
    written(tmp_path)
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str, **given: str) -> Result:
        return CliRunner().invoke(commands(), ["prompt", *words], **given)  # type: ignore[arg-type]

    return invoke


def rows(result: Result) -> list[str]:
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_prompts_are_listed_with_their_tags(run: Run) -> None:
    result = run("list")
    assert result.exit_code == 0
    assert rows(result) == [
        "PROMPT VERSIONS NEWEST TAGS PROBLEMS",
        "plain 1 v1 stable v1 -",
        "support 2 v2 stable v1, canary v2 -",
        "_partials/house 1 v1 - -",
    ]
    told = msgspec.json.decode(run("list", "--json").stdout)
    assert told["prompts"][1]["tags"] == {"stable": "v1", "canary": "v2"}
    assert told["commit"] is None


def test_a_broken_one_is_told_and_exits_with_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prompts/plain/tags.yaml").write_text("stable: v9\n")
    result = run("list")
    assert result.exit_code == 1
    assert 'prompts/plain/tags.yaml:1:1: stable: there is no version "v9"' in result.stderr
    assert run("list", "--json").exit_code == 1


def test_a_version_a_tag_and_stable_without_either(run: Run) -> None:
    for words, version in ((["support"], "v1"), (["support", "canary"], "v2")):
        result = run("show", *words)
        assert result.stdout.startswith(f"support/{version}\ndigest ")
    assert "input    docs: array, default []" in result.stdout
    assert "partials house/v1" in result.stdout
    told = msgspec.json.decode(run("show", "support", "v1", "--json").stdout)
    assert told["turns"][1] == {"role": "user", "source": "{{ name }}?"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["suport"], 'no prompt "suport"; did you mean "support"?'),
        (["support", "v9"], 'no version or tag "v9": v1, v2, stable, canary'),
        (["support", "--ref", "main"], "cannot be opened"),
        (["support", "--folder", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_read_exits_with_2(run: Run, words: list[str], told: str) -> None:
    result = run("show", *words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_messages_are_shown_as_a_model_would_be_asked(run: Run, tmp_path: Path) -> None:
    result = run("render", "support", "--var", "name=Ada", "--var", 'docs=["a"]')
    assert result.exit_code == 0
    assert result.stdout.startswith("[system]\nYou help Ada.\nBe kind.\n- a\n")
    assert "tokens (estimated" in result.stderr
    (tmp_path / "v.json").write_text('{"name": "Bob"}')
    told = msgspec.json.decode(run("render", "support", "--variables", "v.json", "--json").stdout)
    assert told["messages"][1] == {"role": "user", "text": "Bob?"}
    assert told["exact"] is False
    assert told["input_tokens"] > 8


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 1, 'support/v1: the variable "name" is missing'),
        (["--var", "name=x", "--var", "docs=x"], 1, 'the variable "docs" is not JSON'),
        (["--var", "name"], 2, "is not NAME=VALUE"),
        (["--variables", "prompts/plain/v1.jinja2"], 2, "no JSON object"),
    ],
)
def test_variables_that_do_not_fit(run: Run, words: list[str], code: int, told: str) -> None:
    result = run("render", "support", *words)
    assert result.exit_code == code
    assert told in result.stderr


def test_the_history_of_a_repository(run: Run, tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    repository.commit({"prompts/support/tags.yaml": "stable: v2\n"}, "flip\x1b[31m it")
    where = ["--repository", str(repository.path)]
    result = run("history", "support", *where, "--ref", "main")
    lines = rows(result)
    assert lines[0] == "COMMIT WHEN WHO WHAT MESSAGE"
    assert "Ada canary: v2 -> -; stable: v1 -> v2 flip?[31m it" in lines[1]
    assert "new v1, v2; canary: - -> v2; stable: - -> v1 more" in lines[2]
    told = msgspec.json.decode(run("history", "support", *where, "--ref", "main", "--json").stdout)
    assert [it["moment"]["author"] for it in told] == ["Ada <ada@example.com>"] * 2
    assert run("history", "gone", *where, "--ref", "main").exit_code == 2
    assert "has no history" in run("history", "support").stderr


def test_one_moment_of_a_repository_is_read_and_not_its_files(run: Run, tmp_path: Path) -> None:
    made(tmp_path / "a.git", {**FILES, "prompts/plain/v1.jinja2": "Say it.\n"})
    result = run("show", "plain", "--repository", "a.git", "--ref", "main")
    assert result.stdout.endswith("[system]\nSay it.\n")
