"""Anchors of a plan are read where its prompts lie, within bounds."""

from pathlib import Path

import pytest
from tests.evals.test_anchors import GOOD
from tests.prompts.repositories import LINK, Made

from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.evals import anchor_files
from tidegate.evals.anchor_files import Place, read_plan_anchors
from tidegate.evals.anchors import AnchorsRefused

PATH = "evals/a.jsonl"


def in_repository(folder: Path, text: str, mode: int | None = None) -> Place:
    made = Made(folder / "prompts.git")
    if mode is not None:
        made.modes[PATH] = mode
    made.commit({PATH: text, "README.md": "ours\n"})
    return Place(DeclaredPrompts(str(made.path), ref="main"), folder)


def in_folder(folder: Path, text: str) -> Place:
    (folder / "evals").mkdir(exist_ok=True)
    (folder / PATH).write_text(text)
    return Place(None, folder)


@pytest.mark.parametrize("place", [in_repository, in_folder])
def test_they_lie_beside_prompts_or_the_plan_file(tmp_path: Path, place: type[Place]) -> None:
    long = GOOD.replace('"x"', '"' + "x" * 300_000 + '"')  # longer than a prompt may be
    [found] = read_plan_anchors(place(tmp_path, long), PATH)  # type: ignore[arg-type]
    assert found.id == "a"


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../a.jsonl", "evals/../../a", "evals//a.jsonl", "./a", "x" * 501]
)
def test_no_path_leads_outside(tmp_path: Path, path: str) -> None:
    with pytest.raises(AnchorsRefused, match="below the repository's root"):
        read_plan_anchors(in_folder(tmp_path, GOOD), path)


def test_what_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = in_folder(tmp_path, GOOD + "{")
    with pytest.raises(AnchorsRefused, match=r"evals/a\.jsonl:2: "):
        read_plan_anchors(place, PATH)
    with pytest.raises(AnchorsRefused, match="nowhere: there is no such file"):
        read_plan_anchors(place, "nowhere")
    with pytest.raises(AnchorsRefused, match="evals: that is no plain file"):
        read_plan_anchors(place, "evals")
    (tmp_path / "evals" / "link").symlink_to(tmp_path / PATH)
    with pytest.raises(AnchorsRefused, match="link: that is no plain file"):
        read_plan_anchors(place, "evals/link")
    with pytest.raises(AnchorsRefused, match="no such folder"):
        read_plan_anchors(Place(DeclaredPrompts(str(tmp_path / "gone")), tmp_path), PATH)
    monkeypatch.setattr(anchor_files, "MAX_ANCHORS", 1)
    with pytest.raises(AnchorsRefused, match="2 anchors, where there may be 1"):
        read_plan_anchors(in_folder(tmp_path, GOOD + GOOD.replace('"a"', '"b"')), PATH)
    monkeypatch.setattr(anchor_files, "MAX_PLAN_BYTES", 5)
    with pytest.raises(AnchorsRefused, match="has more than 5 bytes"):
        read_plan_anchors(place, PATH)


def test_a_link_of_a_repository_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(AnchorsRefused, match="that is no plain file"):
        read_plan_anchors(in_repository(tmp_path, "/etc/passwd", LINK), PATH)
