"""Texts that stay texts in YAML, and cases that have no place."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.tree import read_tree
from tidegate.core.grading import Case
from tidegate.evals.reading import Reader
from tidegate.evals.suite import Suite
from tidegate.evals.written_suite import NoPlace, dumped, rows_of

ODD = [
    "yes",
    "1e3",
    "0o17",
    "~",
    "null",
    "1_000",
    "12:30",
    "0x1F",
    ".5",
    "-",
    "a\nb",
    "\u2028",
    "#",
]


@given(st.text(max_size=20) | st.sampled_from(ODD))
def test_a_text_is_read_as_that_text_by_yaml_of_either_version(text: str) -> None:
    root, problems = read_tree(dumped({"it": text}).encode(), "f")
    assert root is not None
    assert problems == []
    assert Reader("f").value(root, ()) == {"it": text}


def test_a_case_that_has_no_place_is_told_of_and_the_others_go_on() -> None:
    def row(case: Case) -> str:
        if case.id == "b":
            raise NoPlace("it is odd")
        return case.id.upper()

    left = ["its owner"]
    assert rows_of(Suite("s", (Case("a"), Case("b"), Case("c"))), row, left) == ["A", "C"]
    assert left == ["its owner", "the case b: it is odd"]
