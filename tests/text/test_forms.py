"""Forms are found from the left; what an earlier one has found no later one sees."""

import re

from tidegate.text.forms import Form, find, pieces


def test_the_earlier_row_goes_first_and_a_judge_may_take_a_part() -> None:
    long = Form("long", re.compile("[ab]+"), "a", lambda it: 2 if it.startswith("aa") else 0)
    short = Form("short", re.compile("b"), "b")
    assert find((long, short), "aab b") == [(0, 2, "long"), (2, 3, "short"), (4, 5, "short")]


def test_what_is_none_is_passed_over_by_the_part() -> None:
    digits = Form("ok", re.compile(r"\d+(?: \d+)*"), "0", lambda it: 3 if it == "2 3" else 0)
    assert find((digits,), "1 2 3") == [(2, 5, "ok")]


def test_only_the_thing_is_found_where_words_stand_before_it() -> None:
    named = Form("named", re.compile(r"no\. (?P<it>\d+)"), "no")
    assert find((named,), "no. 12, no. 3") == [(4, 6, "named"), (12, 13, "named")]


def test_pieces_are_the_text_and_end_where_nothing_goes_on() -> None:
    text = "One, two. three\nfour 1,000.5 five; six" * 20
    cut = list(pieces(text, 30))
    assert "".join(piece for _, piece in cut) == text
    assert all(text[at : at + len(piece)] == piece for at, piece in cut)
    assert all(piece[-1] in " \n" for _, piece in cut[:-1])
