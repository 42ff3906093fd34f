"""What became of one prompt."""

from pathlib import Path

from tests.prompts.repositories import V2, made

from tidegate.prompts.history import Step, history_of
from tidegate.prompts.source import open_repository


def steps(path: Path, limit: int = 100, name: str = "support") -> list[Step]:
    source = open_repository(path, "main")
    try:
        return list(history_of(source, "prompts", name, limit))
    finally:
        source.close()


def test_versions_and_tags_by_commit(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    repository.commit({"README.md": "else"}, "not about it")
    repository.commit({"prompts/support/v3.jinja2": "Hi."}, "three")
    repository.commit({"prompts/support/tags.yaml": "stable: v3\nbeta: v1\n"}, "flip")
    repository.commit({"prompts/support/v1.jinja2": V2, "prompts/support/v2.jinja2": None}, "bad")
    found = steps(repository.path)
    assert [it.moment.message for it in found] == ["bad", "flip", "three", "more"]
    assert (found[0].changed, found[0].removed) == (("v1",), ("v2",))
    assert found[1].moved == (
        ("beta", None, "v1"),
        ("canary", "v2", None),
        ("stable", "v1", "v3"),
    )
    assert found[2].added == ("v3",)
    assert found[3].added == ("v1", "v2")


def test_a_prompt_that_came_back_and_one_that_never_was(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    gone = dict.fromkeys(["prompts/plain/v1.jinja2", "prompts/plain/tags.yaml"])
    repository.commit(gone, "away")
    repository.commit({"prompts/plain/v1.jinja2": "Say hello.\n"}, "back")
    found = steps(repository.path, name="plain")
    assert [(it.moment.message, it.added, it.removed) for it in found] == [
        ("back", ("v1",), ()),
        ("away", (), ("v1",)),
        ("more", ("v1",), ()),
    ]
    assert steps(repository.path, name="never") == []
    assert len(steps(repository.path, 2, "plain")) == 1
