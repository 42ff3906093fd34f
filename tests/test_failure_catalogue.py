"""The failure catalogue names tests that exist, and a row without one says why."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs/failure-catalogue.md"
_ROW = re.compile(r"^\| ([A-Z]\d+) \|.*\| (.*?) \|$", re.MULTILINE)
_TEST = re.compile(r"`(test_\w+)`")
ROWS = dict(_ROW.findall(PAGE.read_text()))
TESTS = {
    name
    for path in REPOSITORY.glob("tests/**/test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
}


def test_each_group_is_whole() -> None:
    sizes = {"A": 9, "B": 14, "C": 9, "V": 8, "E": 8, "F": 10, "G": 10, "R": 7, "M": 12, "K": 10}
    sizes |= {"D": 9, "H": 9, "L": 12}
    for group, size in sizes.items():
        assert {f"{group}{number}" for number in range(1, size + 1)} <= ROWS.keys()
    assert {f"W{number}" for number in range(15, 27)} <= ROWS.keys()


def test_every_test_that_the_page_names_exists() -> None:
    assert [name for name in _TEST.findall(PAGE.read_text()) if name not in TESTS] == []


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_tests_that_exist_or_says_why_there_is_none(row: str) -> None:
    named = _TEST.findall(ROWS[row])
    assert named or ROWS[row].startswith("none: ")
    assert [name for name in named if name not in TESTS] == []
