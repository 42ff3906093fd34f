"""Names that may be served from a path, and what a tag points at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.prompt import Prompt, Tagged, Turn, is_name


@pytest.mark.parametrize("name", ["support", "v1", "1", "a.b-c_d", "2026-11-22", "x" * 64])
def test_a_plain_name_is_one(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a..b", "../a", "a/b", "a\\b", "a\0", "%2e", "A", "\u0430bc", "con"),
        *("nul.txt", "-a", "a-", ".a", "a.", "x" * 65, "a b", "a\n"),
    ],
)
def test_nothing_that_a_path_reads_otherwise_is_a_name(name: str) -> None:
    assert not is_name(name)


@given(st.text(max_size=80))
def test_a_name_is_safe_in_a_path_and_a_url(name: str) -> None:
    if is_name(name):
        assert name.isascii()
        assert not set(name) & set("/\\%:?#&= \0\n")
        assert name not in (".", "..")
        assert name == name.lower()


def test_a_tag_points_at_one_version() -> None:
    prompt = Prompt("support", "v1", "d", (Turn("system", "x"),))
    known = Tagged("support", {"stable": "v1", "canary": "v2"}, {"v1": prompt})
    assert known.at("stable") is prompt
    assert known.at("canary") is None, "its version could not be read"
    assert known.at("beta") is None
