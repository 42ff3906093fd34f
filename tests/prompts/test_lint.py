"""What is to be put right in a version."""

from pathlib import Path

import pytest
from tests.prompts.repositories import FILES, V1, written

from tidegate.prompts.folder import FolderSource
from tidegate.prompts.index import read_index
from tidegate.prompts.lint import Asked, Prices, lint_partials, lint_version

ASKED = Asked(lambda model: model == "known", lambda model: Prices(2.5, 1.25))
SECRET = "sk-" + "a1b2c3d4" * 4


def findings(tmp_path: Path, text: str, asked: Asked | None = ASKED) -> list[str]:
    source = FolderSource(written(tmp_path, {**FILES, "prompts/support/v1.jinja2": text}))
    index = read_index(source)
    found = lint_version(source, index, "support", "v1", asked)
    return [f"{it.level} {it.problem.mark.line}: {it.problem.message}" for it in found]


def test_a_good_version_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, V1) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  name: string\n", "  name: string\n  spare: string\n", "error 4: no message uses it"),
        ("You help", "You {{ naem }}", 'error 7: "naem" is no input of the prompt; did you mean'),
        ("house/v1", "house/v7", 'error 1: the partial house has no version "v7"'),
        ("You help", "You {% if %}", "error 7: syntax error"),
        ("You help", f"Use {SECRET}", "error 7: this line holds what looks like a secret"),
        ("inputs:", f"owner: {SECRET}\ninputs:", "error 2: this line holds what looks like"),
        ("inputs:", "models: [known, other]\ninputs:", "warning 2: no target and no price table"),
        ("You help", "You he\u0301lp", "warning 7: letters and their accents stand apart"),
    ],
)
def test_what_is_found(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = findings(tmp_path, V1.replace(old, new))
    assert any(it.startswith(told) for it in found), found
    assert SECRET not in " ".join(found)


def test_what_moving_a_variable_would_save(tmp_path: Path) -> None:
    text = V1.replace("models", "x").replace("You help", "You help {{ name }}. " + "word " * 1600)
    [found] = findings(tmp_path, text.replace("inputs:", "models: [known]\ninputs:"))
    assert found.startswith('warning 8: "name" varies after about 3 tokens, and about 2,0')
    assert "a provider keeps about 1,920 tokens more, $2400" in found
    assert findings(tmp_path, text, None) == []


def test_secrets_in_partials(tmp_path: Path) -> None:
    files = {**FILES, "prompts/_partials/house/v2.jinja2": f"Be kind.\n{SECRET}\n"}
    source = FolderSource(written(tmp_path, files))
    [found] = lint_partials(source, read_index(source))
    assert (found.level, found.problem.mark.line) == ("error", 2)
