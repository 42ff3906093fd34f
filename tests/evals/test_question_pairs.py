"""Labelled pairs from files, with the line of whatever is wrong, and scored as gateways score."""

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from tidegate.core.encoding import Vector
from tidegate.evals.question_pairs import Pair, PairsRefused, halves, read_pairs, scored
from tidegate.stats.precision import Scored


class Letters:
    """Two directions: of texts with an x, and of others; none for an empty one."""

    name, version, dimensions, fast = "letters", "letters-1", 2, True

    def encode(self, texts: Sequence[str]) -> list[Vector | None]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Vector | None:
        if text == "none":
            return None
        return struct.pack("<2f", *((1, 0) if "x" in text else (0, 1)))


def write(path: Path, name: str, text: str) -> Path:
    file = path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_lines_and_tables_say_the_same(tmp_path: Path) -> None:
    lines = write(
        tmp_path,
        "a.jsonl",
        '{"text_a": "a, b", "text_b": "c", "label": 1, "id": 7}\n\n'
        '{"text_a": "d", "text_b": "é", "label": false}\n',
    )
    rows = write(tmp_path, "a.csv", '\ufefftext_b,label,text_a\nc,yes,"a, b"\né,0,d\n')
    wanted = [Pair("a, b", "c", True), Pair("d", "é", False)]
    assert read_pairs(lines) == wanted
    assert read_pairs(rows) == wanted


def test_what_comes_again_is_no_more_evidence(tmp_path: Path) -> None:
    """A threshold is borne out by pairs that were drawn by themselves."""
    rows = ["text_a,text_b,label", *["a,b,1", "b,a,1"] * 100, *["c,c,1"] * 100, "a,b,0"]
    file = write(tmp_path, "a.csv", "\n".join(rows))
    assert read_pairs(file) == [Pair("a", "b", True), Pair("a", "b", False)]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"text_a": "a", "text_b": "b", "label": 1}\n{', "a.jsonl:2: "),
        ("a.jsonl", '{"text_a": "a", "text_b": "b", "label": 2}', "a.jsonl:1: .*not 2"),
        ("a.jsonl", '{"text_a": "", "text_b": "b", "label": 1}', "a.jsonl:1: .*text_a"),
        ("a.jsonl", '{"text_a": "a", "label": 1}', "a.jsonl:1: .*text_b"),
        ("a.jsonl", "\n\n", "no pairs of two"),
        ("a.csv", "text_a,label\na,1\n", "a.csv:1: there is no column .text_b"),
        ("a.csv", "text_a,text_b,label\na,b,1\na,b,perhaps\n", "a.csv:3: .*perhaps"),
        ("a.csv", "text_a,text_b,label\na,,1\n", "a.csv:2: a question is empty"),
        ("a.csv", 'text_a,text_b,label\n"a,b,1\n', "a.csv: it is no table"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(PairsRefused, match=said):
        read_pairs(write(tmp_path, name, text))


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(PairsRefused, match="cannot be read"):
        read_pairs(tmp_path / "none.jsonl")
    (tmp_path / "b.csv").write_bytes(b"text_a,text_b,label\n\xff,b,1\n")
    with pytest.raises(PairsRefused, match="no table in UTF-8"):
        read_pairs(tmp_path / "b.csv")


def test_pairs_are_scored_and_vetoed() -> None:
    told: list[int] = []
    pairs = [
        Pair("is x red", "is x red?", True),
        Pair("is x red", "is y red", False),
        Pair("none", "is y red", True),
        Pair("what is the x of it", "was ist das x und der", False),
    ]
    found = scored(pairs, Letters(), told.append)
    assert found[0] == Scored(1.0, True)
    assert found[1] == Scored(0.0, False, "words")
    assert found[2].score is None
    assert found[3].veto is not None
    assert told == [6]


def test_languages_do_not_meet() -> None:
    [found] = scored([Pair("the x of the and", "the x y z", True)], Letters())
    assert found.veto in ("words", "language")
    [found] = scored([Pair("x", "which is the x?", True)], Letters())
    assert found.veto is not None


def test_halves_share_no_question_and_are_the_same_each_time() -> None:
    chain = [Pair(f"q{n}", f"q{n + 1}", True) for n in range(300) if n % 3]
    one, other = halves(chain)
    assert sorted(map(str, [*one, *other])) == sorted(map(str, chain))
    assert {it.text_a for it in one}.isdisjoint(it.text_b for it in other)
    assert {it.text_b for it in one}.isdisjoint(it.text_b for it in other)
    assert 60 < len(one) < 140
    assert halves(chain) == (one, other)
    assert halves([]) == ([], [])
