"""Values as YAML 1.2 has them, each where it stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.problem import Mark
from tidegate.config.tree import read_tree
from tidegate.evals.reading import Reader, Unreadable, node_of, raw

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def value_of(text: str) -> Any:
    root, problems = read_tree(text.encode(), "f")
    assert root is not None
    assert problems == []
    return Reader("f").value(root, ())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-31", "2026-01-31"),
        ('"1"', "1"),
        ("{a: [1, x]}", {"a": [1, "x"]}),
    ],
)
def test_scalars_are_those_of_the_core_of_yaml_1_2(text: str, value: Any) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize("text", [".nan", "-.inf", "9" * 25, "1e9999", "18446744073709551616"])
def test_a_number_without_a_form_in_json_is_said(text: str) -> None:
    root, _ = read_tree(f"a: {text}".encode(), "f")
    reader = Reader("f")
    assert root is not None
    with pytest.raises(Unreadable):
        reader.value(root, ())
    assert str(reader.problems[0]).startswith("f:1:4: a: this number")


@given(JSON)
def test_a_value_is_the_same_as_a_tree_and_back(value: Any) -> None:
    assert raw(Reader("f").value(node_of(value, Mark(1, 1)), ())) == raw(value)


def test_an_unknown_key_is_said_with_the_one_that_was_meant() -> None:
    reader = Reader("f")
    reader.members(node_of({"ownr": 1}, Mark(3, 2)), ("x",), ("owner", "name"))
    assert [str(it) for it in reader.problems] == [
        'f:3:2: x.ownr: unknown key; did you mean "owner"?'
    ]
