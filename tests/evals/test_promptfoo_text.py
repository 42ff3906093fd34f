"""Templates and products of variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.evals.promptfoo_text import (
    NotFilled,
    fill,
    fill_all,
    new_environment,
    product_count,
    products,
    quoted_text,
)

ENV = new_environment()


def test_values_are_filled_in_as_they_are() -> None:
    variables = {"a": "<b>", "c": {"d": ["x", 1]}, "n": 2}
    assert fill(ENV, "{{ a }} {{c.d[0]}} {{ n }}\n", variables) == "<b> x 2\n"
    assert fill(ENV, "{{ a | upper }} {{ c | dump }}", variables) == '<B> {"d":["x",1]}'
    assert fill(ENV, "{# note #}{% raw %}{{ a }}{% endraw %}", variables) == "{{ a }}"
    assert fill_all(ENV, {"x": ["{{a}}", 1]}, variables) == {"x": ["<b>", 1]}


@pytest.mark.parametrize(
    "text",
    [
        "{{ missing }}",
        "{{ a.b.c }}",
        "{{ env.HOME }}",
        "{{ a * 1000000000 }}",
        "{{ a | replace('x', 'yyyy') }}",
        "{% for i in range(9) %}x{% endfor %}",
        "{% include 'x' %}",
        "{{ a.__class__.mro() }}",
        "{{ 'x' | indent(10000000) }}",
        "{{",
        "{% raw %}",
    ],
)
def test_what_is_more_than_a_value_is_not_filled_in(text: str) -> None:
    with pytest.raises(NotFilled):
        fill(ENV, text, {"a": "x"})


@given(st.text("{}%#a raw-end", max_size=40))
def test_a_text_is_written_as_a_template_of_itself_or_not_at_all(text: str) -> None:
    written = quoted_text(text)
    if written is not None:
        assert fill(ENV, written, {}) == text


def test_lists_of_texts_multiply_and_other_lists_are_values() -> None:
    given_variables = {"a": ["x", "y"], "b": [1, 2], "c": ["p", "q"], "d": [], "e": "z"}
    found = list(products(given_variables))
    assert [(it["a"], it["c"]) for it in found] == [("x", "p"), ("y", "p"), ("x", "q"), ("y", "q")]
    assert all(it["b"] == [1, 2] and it["d"] == [] and it["e"] == "z" for it in found)
    assert product_count(given_variables) == 4
