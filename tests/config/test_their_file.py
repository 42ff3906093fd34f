"""Files of others, read with bounds."""

from pathlib import Path

import pytest

from tidegate.config.moving import Findings
from tidegate.config.their_file import FileRefused, Their, read_json, read_yaml

LAUGHS = "a: &a0 [x]\n" + "\n".join(
    f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)
)


def file(folder: Path, text: str) -> Path:
    path = folder / "theirs"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]",
        "",
        "a: [",
        "!!python/object/apply:os.system [ls]",
        "a: &a {b: *a}",
        "\n".join(
            ["a: &a0 [x]"] + [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
        ),
        "a: " + "[" * 60 + "]" * 60,
        "x" * (4 * 1024 * 1024 + 1),
    ],
    ids=["list", "empty", "broken", "tag", "endless", "laughs", "deep", "long"],
)
def test_what_is_no_mapping_or_too_much_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileRefused):
        read_yaml(file(tmp_path, text))


def test_json_is_read_strictly(tmp_path: Path) -> None:
    assert read_json(file(tmp_path, '{"a": 1}')) == {"a": 1}
    for text in ("[]", "{a: 1}", "{" * 2000):
        with pytest.raises(FileRefused):
            read_json(file(tmp_path, text))
    with pytest.raises(FileRefused, match="cannot be read"):
        read_json(tmp_path / "none")


def test_what_nobody_takes_is_told_of() -> None:
    found = Findings()
    their = Their({"a": 1, "b": {"c": 2}, "d": None, "e": [1], "f": 5}, "top", found)
    assert their.carry("a", "ours") == 1
    assert their.mapping("b").take("c") == 2
    assert their.items("e") == []
    their.rest({"f": "do this"}.get, "nothing")
    told = {(it.fate, it.theirs, it.said) for it in found.all()}
    assert told == {
        ("carried", "top.a", ""),
        ("left", "top.e[]", "a mapping belongs here"),
        ("left", "top.f", "do this"),
    }


def test_pairs_that_are_merged_in_are_counted_before_they_are_written(tmp_path: Path) -> None:
    merges = "a0: &a0 {x: 1}\n" + "\n".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 40)
    )
    with pytest.raises(FileRefused, match="too many values"):
        read_yaml(file(tmp_path, merges))
    kept = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}"
    assert read_yaml(file(tmp_path, kept))["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    "text",
    [
        'a: "sk-hidden" b',
        "a: !vault sk-hidden",
        "a: !!int sk-hidden",
        "a: !!bool sk-hidden",
        "a: !!timestamp sk-hidden",
        "a: {sk-hidden",
    ],
)
def test_what_is_no_yaml_is_said_without_its_text(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_yaml(file(tmp_path, text))
    assert "hidden" not in str(refused.value)
