"""The wordings are patterns of the linear engine, each anchored where a turn begins."""

import pytest

from tidegate.text import _correction_wording as wording
from tidegate.text.json_schema import Regex


@pytest.mark.parametrize("pattern", [wording.CORRECTIONS, wording.DENIALS, wording.THANKS])
def test_it_is_looked_for_at_the_beginning_alone(pattern: str) -> None:
    found_in = Regex(pattern).found_in
    for said in ("no, wrong", "nein danke", "non", "no thanks"):
        assert not found_in(f"x {said}")


def test_a_text_of_nothing_but_beginnings_takes_no_time() -> None:
    found_in = Regex(wording.CORRECTIONS).found_in
    assert not found_in("no, but, wait, " * 20_000)
