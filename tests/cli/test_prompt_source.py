"""Which prompts a command is about."""

from pathlib import Path

import pytest
from tests.prompts.repositories import made, written

from tidegate.cli._prompt_source import Where, in_order, open_past, open_prompts, open_source
from tidegate.prompts.source import SourceError

PLAN = """
prompts: {repository: store.git, ref: main, folder: prompts}
"""


def where(**given: object) -> Where:
    members = dict.fromkeys(Where.__struct_fields__)
    return Where(**{**members, **given})  # type: ignore[arg-type]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "store.git").repo.refs.set_symbolic_ref(
        b"HEAD",  # type: ignore[arg-type]
        b"refs/heads/main",  # type: ignore[arg-type]
    )
    return tmp_path


def opened(it: Where) -> tuple[str, str | None]:
    prompts = open_prompts(it)
    prompts.source.close()
    return prompts.index.source, prompts.index.commit


def test_working_files_a_ref_a_bare_repository_and_the_plan(here: Path) -> None:
    written(here)
    assert opened(where()) == (".", None)
    assert opened(where(repository=Path("store.git"), ref="main"))[0] == "store.git@main"
    assert opened(where(repository=Path("store.git")))[0] == "store.git@HEAD"
    (here / "tidegate.yaml").write_text(PLAN)
    assert opened(where())[0] == "store.git@main"
    assert opened(where(ref="refs/heads/main"))[0] == "store.git@refs/heads/main"
    assert opened(where(repository=Path()))[0] == "."
    other = here / "other.yaml"
    other.write_text("{}")
    assert opened(where(plan=other)) == (".", None)


def test_the_plan_may_name_a_plain_folder(here: Path) -> None:
    (here / "plain" / "prompts").mkdir(parents=True)
    (here / "tidegate.yaml").write_text("prompts: {repository: plain}\n")
    assert opened(where()) == ("plain", None)


def test_a_plan_that_cannot_be_read_stops_with_its_problems(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "tidegate.yaml").write_text("prompts: {ref: main}\n")
    with pytest.raises(SystemExit) as ended:
        open_source(where())
    assert ended.value.code == 2
    assert "`repository` is missing" in capsys.readouterr().err


def test_only_a_repository_has_a_past(here: Path) -> None:
    source, folder = open_past(where(repository=Path("store.git")))
    assert (source.name, folder) == ("store.git@HEAD", "prompts")
    source.close()
    with pytest.raises(SourceError, match="has no history"):
        open_past(where())


def test_versions_are_in_the_order_that_people_count() -> None:
    assert in_order(["v10", "v9", "v1", "2025-01", "a"]) == ["2025-01", "a", "v1", "v9", "v10"]
