"""`tidegate prompt lint`."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from tests.prompts.repositories import FILES, V1, written

from tidegate.cli import commands

LONG = V1.replace("You help {{ name }}.", "{{ name }}" + "word " * 1600)


def lint(*words: str) -> Result:
    return CliRunner().invoke(commands(), ["prompt", "lint", *words])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_good_prompts(here: Path) -> None:
    written(here)
    result = lint()
    assert (result.exit_code, result.stdout) == (0, "3 versions, 0 errors, 0 warnings\n")


def test_errors_by_place_and_only_those_that_are_asked_for(here: Path) -> None:
    bad = {"prompts/plain/v2.jinja2": "{{ a }}", "prompts/plain/v3.jinja2": "{{ b + c }}"}
    written(here, {**FILES, **bad})
    result = lint()
    assert result.exit_code == 1
    assert 'error: prompts/plain/v2.jinja2:1:1: "a" is no input of the prompt' in result.stderr
    assert result.stdout == "5 versions, 2 errors, 0 warnings\n"
    assert lint("support").exit_code == 0
    assert lint("--tagged").exit_code == 0
    told = msgspec.json.decode(lint("plain", "--json").stdout)
    assert (told["versions"], told["errors"]) == (3, 2)
    assert lint("gone").exit_code == 2


def test_models_and_what_is_saved_by_the_published_price_or_a_given_one(here: Path) -> None:
    pins = "models: [gpt-4o-2024-08-06, nonesuch-9]\ninputs:"
    written(here, {**FILES, "prompts/support/v1.jinja2": LONG.replace("inputs:", pins)})
    result = lint("support")
    assert result.exit_code == 0
    assert 'models.1: no target and no price table knows "nonesuch-9"' in result.stderr
    assert "a provider keeps 1,5" in result.stderr
    assert ", $1" in result.stderr
    given = lint("support", "--price", "10", "1", "--tokenizer", "cl100k")
    assert ", $13824.00 less for a million requests" in given.stderr
    (here / "tidegate.yaml").write_text(
        "providers: {own: {dialect: vllm, base_url: 'http://127.0.0.1:8000/v1'}}\n"
        "targets: {t: {provider: own, model: nonesuch-9}}\nroutes: {chat: {target: t}}\n"
    )
    assert "nonesuch" not in lint("support").stderr
