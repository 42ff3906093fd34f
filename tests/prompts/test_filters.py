"""The filters of templates."""

import pytest
from tests.prompts.making import rendered

from tidegate.prompts.filters import FILTERS, FilterRefused, Spent, counted
from tidegate.prompts.rendered import RenderRefused


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("-3|abs", "3"),
        ("'abc'|capitalize", "Abc"),
        ("v.list|count", "3"),
        ("v.nothing|default('x')", "x"),
        ("''|default('x', true)", "x"),
        ("v.list|first", "3"),
        ("'1.5'|float", "1.5"),
        ("'a\nb'|indent(2)", "a\n  b"),
        ("'a\n\nb'|indent(2, true)", "  a\n\n  b"),
        ("'7'|int", "7"),
        ("v.object|items", '[["k",1]]'),
        ("v.list|join(', ')", "3, 1, 1"),
        ("v.list|last", "1"),
        ("'äb'|length", "2"),
        ("'a\nb'|lines", '["a","b"]'),
        ("v.object|list", '["k"]'),
        ("'AB'|lower", "ab"),
        ("v.rows|map(attribute='n')|join", "21"),
        ("'aba'|replace('a', 'x')", "xbx"),
        ("v.list|reverse", "[1,1,3]"),
        ("'ab'|reverse", "ba"),
        ("2.567|round(2)", "2.57"),
        ("v.list|sort", "[1,1,3]"),
        ("v.rows|sort(attribute='n')", '[{"n":1},{"n":2}]'),
        ("v.list|sort(reverse=true)", "[3,1,1]"),
        ("1.5|string", "1.5"),
        ("'ab cd'|title", "Ab Cd"),
        ("v.rows|tojson", '[{"n":2},{"n":1}]'),
        ("' a '|trim", "a"),
        ("'abcdef'|truncate(5)", "ab..."),
        ("v.list|unique", "[3,1]"),
        ("'ab'|upper", "AB"),
    ],
)
def test_what_each_makes(expression: str, text: str) -> None:
    value = {"list": [3, 1, 1], "object": {"k": 1}, "rows": [{"n": 2}, {"n": 1}]}
    assert rendered(f"{{{{ {expression} }}}}", v=value) == text


def test_each_is_shown_above() -> None:
    [cases] = [mark.args[1] for mark in test_what_each_makes.pytestmark]  # type: ignore[attr-defined]
    used = {part.partition("(")[0] for case in cases for part in case[0].split("|")[1:]}
    assert used == set(FILTERS)


@pytest.mark.parametrize(
    "expression",
    [
        *("v|upper", "3|join", "3|first", "'x'|items", "'a'|round", "v.z|upper", "'x'|int"),
        *("'a'|replace('', 'b')", "'a'|indent(-1)", "'a'|truncate(-1)", "[1, 'a']|sort"),
        *("[1]|map(attribute='x')", "'a'|upper(1)"),
    ],
)
def test_what_each_does_not_take(expression: str) -> None:
    with pytest.raises(RenderRefused) as no:
        rendered(f"{{{{ {expression} }}}}", v={})
    assert "filter `" in str(no.value) or "is not there" in str(no.value)


def test_what_they_go_over_is_counted() -> None:
    spent = Spent()
    upper = counted("upper", spent)
    upper("x" * 1000)
    assert spent.work == 2000
    with pytest.raises(FilterRefused, match="go over too much"):
        for _ in range(100):
            upper("x" * 1_000_000)


def test_what_lies_in_the_items_of_a_list_is_counted_where_they_are_compared() -> None:
    spent = Spent()
    unique = counted("unique", spent)
    for value in ([["x" * 1_000_000]], [{}] * 10_000):
        spent.work = 0
        with pytest.raises(FilterRefused, match="go over too much"):
            for _ in range(40):
                unique(value)
