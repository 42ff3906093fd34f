"""Prompts as plans are compiled with them: of now, of last time where now cannot be had."""

from pathlib import Path

import pytest
from dulwich import porcelain
from tests.e2e.prompted import VERSION, commit, versions

from tidegate.core import clock
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.prompts.reading import Known, Reading


@pytest.fixture
def declared(tmp_path: Path) -> DeclaredPrompts:
    commit(tmp_path / "repo", versions("v1", "v2", stable="v1"))
    return DeclaredPrompts(str(tmp_path / "repo"))


def test_a_repository_is_read_again_where_its_commit_is_another(declared: DeclaredPrompts) -> None:
    reading = Reading()
    first = reading.at(declared)
    assert reading.at(declared) is first
    assert first.tags("support") == {"stable": "v1"}
    commit(Path(declared.repository), versions("v3", stable="v3"))
    second = reading.at(declared)
    assert second is not first
    assert second.tags("support") == {"stable": "v3"}
    assert second.version("support", "v2").version == "v2"
    reading.close()


def test_a_folder_without_git_is_read_as_it_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = clock.wall_s()
    monkeypatch.setattr(clock, "wall_s", lambda: now_s)
    for name, text in versions("v1", stable="v1").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    reading = Reading()
    declared = DeclaredPrompts(str(tmp_path))
    assert reading.at(declared).tags("support") == {"stable": "v1"}
    (tmp_path / "prompts/support/v2.jinja2").write_text(VERSION % "v2")
    (tmp_path / "prompts/support/tags.yaml").write_text("stable: v2\n")
    now = reading.at(declared)
    assert now.tags("support") == {"stable": "v2"}
    assert reading.at(declared) is now


def test_what_is_away_serves_on_as_it_was(declared: DeclaredPrompts) -> None:
    reading = Reading()
    first = reading.at(declared)
    folder = Path(declared.repository)
    folder.rename(folder.with_name("away"))
    assert reading.at(declared) is first
    assert reading.failure is not None
    folder.with_name("away").rename(folder)
    reading.at(declared)
    assert reading.failure is None
    reading.close()


def test_what_was_pushed_by_half_serves_on_as_it_was(declared: DeclaredPrompts) -> None:
    """The branch is at a commit of which one object has not arrived, whichever it is."""
    objects = Path(declared.repository) / ".git/objects"

    def all_of_them() -> set[Path]:
        return {it for it in objects.rglob("*") if it.is_file()}

    there, readings = all_of_them(), [Reading() for _ in range(6)]
    old = [it.at(declared).version("support", "v1").digest for it in readings]
    commit(Path(declared.repository), versions("v3", stable="v3"))
    fresh = sorted(all_of_them() - there)
    assert len(fresh) == len(readings), "a commit, three folders, a version, its tags"
    for lost, reading in zip(fresh, readings, strict=True):
        missed = lost.read_bytes()
        lost.unlink()
        told = reading.at(declared)
        assert told.tags("support") == {"stable": "v1"}
        assert told.version("support", "v1").digest == old[0]
        assert reading.failure is not None or told.problems
        lost.write_bytes(missed)
        now = reading.at(declared)
        assert (now.tags("support"), now.problems) == ({"stable": "v3"}, ())
        assert reading.at(declared) is now
    for reading in readings:
        reading.close()


def test_another_past_that_was_forced_changes_no_version_that_was_tagged(
    declared: DeclaredPrompts,
) -> None:
    noted: dict[tuple[str, str], str] = {}
    reading = Reading(lambda: dict(noted), noted.update)
    first = reading.at(declared).version("support", "v1")
    folder = Path(declared.repository)
    forced = folder.with_name("forced")
    other = {"prompts/support/v1.jinja2": VERSION % "other", **versions("v2", stable="v1")}
    commit(forced, other)
    porcelain.push(forced, str(folder / ".git"), "+HEAD:refs/heads/master", force=True)
    now = reading.at(declared)
    assert now.tags("support") == {"stable": "v1"}
    assert now.version("support", "v1").digest == first.digest
    assert any("tagged before" in it.message for it in now.problems)
    reading.close()


def test_what_never_was_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        Reading().at(DeclaredPrompts(str(tmp_path / "nowhere")))


def test_tagged_versions_are_noted_and_rewritten_ones_refused(declared: DeclaredPrompts) -> None:
    noted: dict[tuple[str, str], str] = {}

    def note(fresh: Known) -> None:
        noted.update(fresh)

    reading = Reading(lambda: dict(noted), note)
    first = reading.at(declared).version("support", "v1")
    assert noted == {("support", "v1"): first.digest}
    rewritten = {"prompts/support/v1.jinja2": VERSION % "other", **versions("v3", stable="v3")}
    commit(Path(declared.repository), rewritten)
    now = reading.at(declared)
    assert now.tags("support") == {"stable": "v3"}
    with pytest.raises(ValueError, match="tagged before"):
        now.version("support", "v1")
    commit(Path(declared.repository), versions(stable="v1"))
    assert reading.at(declared).tags("support") == {"stable": "v3"}, "v1 is not what it was"
    reading.close()


def test_one_that_was_let_go_gives_only_what_was_read(declared: DeclaredPrompts) -> None:
    reading = Reading()
    first = reading.at(declared)
    commit(Path(declared.repository), versions("v3", stable="v3"))
    reading.at(declared)
    assert first.version("support", "v1").version == "v1"
    with pytest.raises(ValueError, match="moved on"):
        first.version("support", "v2")
    reading.close()


def test_a_bare_repository_at_a_branch(declared: DeclaredPrompts, tmp_path: Path) -> None:
    porcelain.clone(declared.repository, tmp_path / "bare.git", bare=True).close()
    bare = DeclaredPrompts(str(tmp_path / "bare.git"), ref="refs/heads/master")
    reading = Reading()
    assert reading.at(bare).tags("support") == {"stable": "v1"}
    reading.close()
