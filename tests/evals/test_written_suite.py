"""Texts that stay texts in YAML."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.tree import read_tree
from tidegate.evals.reading import Reader
from tidegate.evals.written_suite import dumped

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
