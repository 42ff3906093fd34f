"""What is served and what the file says, and the patch between them."""

from pathlib import Path

import pytest
from msgspec import Raw
from tests.stores.changed import revision

from tidegate.config.load import load
from tidegate.control.drift import Drift, drift, write_back
from tidegate.core.added import Added

TEXT = """\
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
targets:
  small: {provider: mine, model: small, price: free}
  large: {provider: mine, model: large, price: free}
routes:
  chat: small  # cheap
  base: &base {target: small}
  same: *base
"""
TO_LARGE = {"members": {"target": Raw(b'"large"')}, "base": {"target": Raw(b'"small"')}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "tidegate.yaml"
    file.write_text(TEXT)
    return file


def found(file: Path, *routes: str) -> Drift:
    declared = load(file, {}).declared
    assert declared is not None
    moves = [revision(f"r{n}", seq=n, route=name, **TO_LARGE) for n, name in enumerate(routes)]
    return drift(declared, Added(revisions=tuple(moves)))


def test_without_revisions_there_is_none(file: Path) -> None:
    assert found(file).moved == []
    assert write_back(file, {}, {}).patch == ""


def test_a_member_that_was_moved_is_told_with_who_and_why(file: Path) -> None:
    (one,) = found(file, "chat").moved
    assert (one.route, one.member, one.file, one.served) == ("chat", "target", '"small"', '"large"')
    assert one.revision.reason == "cheaper"


def test_the_patch_has_the_file_say_it_and_then_there_is_no_drift(file: Path) -> None:
    done = write_back(file, {}, found(file, "chat").wanted)
    assert done.by_hand == []
    assert "-  chat: small  # cheap\n+  chat: large  # cheap\n" in done.patch
    file.write_text(TEXT.replace("chat: small", "chat: large"))
    assert found(file, "chat").moved == []


def test_what_cannot_be_written_is_named_and_the_rest_is_written(file: Path) -> None:
    done = write_back(file, {}, found(file, "same", "chat").wanted)
    assert done.by_hand == ["routes.same.target"]
    assert "+  chat: large  # cheap\n" in done.patch
    assert done.patch.count("\n+") == 2, "the head of the patch, and one line"


def test_a_file_that_was_edited_since_speaks_again(file: Path) -> None:
    file.write_text(TEXT.replace("chat: small", "chat: {target: small, balance: sticky}"))
    assert [one.member for one in found(file, "chat").moved] == ["target"]
    file.write_text(TEXT.replace("chat: small", "chat: mine/other"))
    after = found(file, "chat")
    assert after.moved == []
    assert "something else" in after.superseded[0].why


def test_a_last_line_without_its_end_is_told_as_patches_do(file: Path) -> None:
    file.write_text(TEXT.replace("  base: &base {target: small}\n  same: *base\n", "").rstrip("\n"))
    patch = write_back(file, {}, found(file, "chat").wanted).patch
    assert patch.count("\\ No newline at end of file") == 2
