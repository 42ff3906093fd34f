"""`tidegate prompt import` and `export`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.prompts.repositories import written

from tidegate.cli import commands
from tidegate.prompts.folder import FolderSource
from tidegate.prompts.index import read_index
from tidegate.prompts.registry import read_prompt


def run(*words: str) -> Result:
    return CliRunner().invoke(commands(), ["prompt", *words])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return written(tmp_path)


def digests(folder: Path) -> dict[str, str]:
    source = FolderSource(folder)
    index = read_index(source, ".")
    held = (
        read_prompt(source, index, name, version).held
        for name, listed in index.prompts.items()
        for version in listed.versions
    )
    return {f"{it.prompt.name}/{it.prompt.version}": it.prompt.digest for it in held if it}


def test_out_to_langfuse_and_in_again(here: Path) -> None:
    assert run("export", "--to", "langfuse", "-o", "out.json").exit_code == 0
    result = run("import", "out.json", "--from", "langfuse", "--into", "again")
    assert (result.exit_code, result.stdout) == (
        0,
        "6 files written below again, 0 there already\n",
    )
    assert digests(here / "again") == digests(here / "prompts")
    assert read_index(FolderSource(here / "again"), ".").prompts["support"].tags == {
        "stable": "v1",
        "canary": "v2",
    }
    result = run("import", "out.json", "--from", "langfuse", "--into", "again")
    assert result.stdout == "0 files written below again, 6 there already\n"
    assert '"name": "plain"' in run("export", "plain", "--to", "langfuse").stdout
    assert run("export", "gone", "--to", "langfuse").exit_code == 2


def test_all_or_nothing(here: Path) -> None:
    Path("p.yaml").write_text("prompts:\n  - Hi {{name}}\n  - make.py:f\n")
    result = run("import", "p.yaml", "--from", "promptfoo", "--into", "new")
    assert result.exit_code == 1
    assert "p.yaml:3:5" in result.stderr
    assert not (here / "new").exists()
    Path("p.yaml").write_text("prompts:\n  - {label: Say Hi, raw: 'Hi {{name}}'}\n")
    result = run("import", "p.yaml", "--from", "promptfoo", "--into", "new")
    assert result.exit_code == 0
    assert 'note: say-hi/v1: "Say Hi" is called say-hi here' in result.stderr
    assert list(digests(here / "new")) == ["say-hi/v1"]
    Path("p.yaml").write_text("prompts:\n  - {label: Say Hi, raw: 'Hello {{name}}'}\n")
    result = run("import", "p.yaml", "--from", "promptfoo", "--into", "new")
    assert result.exit_code == 1
    assert "a version never changes" in result.stderr
