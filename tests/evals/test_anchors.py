"""Anchors: read by line, refused by line."""

from pathlib import Path

import pytest

from tidegate.evals.anchors import AnchorsRefused, anchors_of, read_anchors

GOOD = '{"id": "a", "answer": "x", "labels": [true, false], "variables": {"q": 1}}\n'
PAIR = '{"id": "a", "answer": "x", "against": "y", "labels": ["first"]}\n'


def test_anchors_are_cases_with_an_answer_and_what_people_say(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(GOOD + "\n")
    [found] = read_anchors(file, pairwise=False)
    assert (found.answer, found.labels) == ("x", (True, False))
    assert bytes(found.case().variables["q"]) == b"1"
    file.write_text(PAIR)
    assert read_anchors(file, pairwise=True)[0].labels == ("first",)


@pytest.mark.parametrize(
    ("text", "pairwise", "where"),
    [
        ("", False, "no anchors"),
        (GOOD + "{", False, ":2: "),
        (GOOD + GOOD, False, ":2: the id 'a' is there twice"),
        (GOOD, True, ":1: this judge compares"),
        (PAIR, False, ":1: this judge looks at one answer"),
        ('{"id": "a", "answer": "x", "labels": []}', False, ":1: "),
        ('{"id": "a", "answer": "x", "labels": [1]}', False, ":1: "),
        ('{"id": "a", "answer": "x", "labels": [true], "extra": 1}', False, ":1: .*extra"),
    ],
)
def test_what_is_no_anchor_is_told_by_line(
    tmp_path: Path, text: str, pairwise: bool, where: str
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(text)
    with pytest.raises(AnchorsRefused, match=where):
        read_anchors(file, pairwise=pairwise)


def test_an_anchor_is_known_again_by_what_it_asks() -> None:
    [one] = anchors_of(GOOD.encode(), "f", pairwise=False)
    named = GOOD.replace('"id": "a"', '"id": "b"').replace("[true, false]", "[false]")
    [other] = anchors_of(named.encode(), "f", pairwise=False)
    [else_] = anchors_of(GOOD.replace('"x"', '"z"').encode(), "f", pairwise=False)
    assert one.key == other.key != else_.key
