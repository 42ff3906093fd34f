"""What may stand in a tag, and what is refused there."""

import pytest

from tidegate.prompts.expressions import bound_by
from tidegate.prompts.language import TemplateRefused, read_template


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ a ~ b }}", "write {{ a }}{{ b }}"),
        ("{{ a * 9 }}", "no `*`"),
        ("{{ 2 ** 9 }}", "no `**`"),
        ("{{ a + b }}", "adds a number"),
        ("{{ a.1 + b }}", "after a point"),
        ("{{ f(1) }}", "nothing is called"),
        ("{{ a.upper() }}", "nothing is called"),
        ("{{ 'x'.join(a) }}", "nothing is called"),
        ("{{ a['f'](1) }}", "nothing is called"),
        ("{{ a.__class__ }}", "begin with `_`"),
        ("{{ _a }}", "begin with `_`"),
        ("{{ a|attr('b') }}", "no filter `attr`"),
        ("{{ a|safe }}", "no filter `safe`"),
        ("{{ a is callable }}", "no test `callable`"),
        ("{{ a is not filter }}", "no test `filter`"),
        ("{% macro m() %}{% endmacro %}", "no `macro`"),
        ("{% import 'a/b' as c %}", "no `import`"),
        ("{% extends 'a/b' %}", "no `extends`"),
        ("{% set a %}x{% endset %}", "write {% set NAME = VALUE %}"),
        ("{% set a.b = 1 %}", "write {% set NAME = VALUE %}"),
        ("{% set a, b = c %}", "write {% set NAME = VALUE %}"),
        ("{% set a = [b, b] %}", "texts and numbers only"),
        ("{% set a = {'k': b} %}", "texts and numbers only"),
        ("{% set a = b, b %}", "one value"),
        ("{% set a = (b, b) %}", "one value"),
        ("{% set a = c|default([b]) %}", "texts and numbers only"),
        ("{% for a in [[b, b]] %}{% endfor %}", "texts and numbers only"),
        ("{% for a in b, c %}{% endfor %}", "one value"),
        ("{% for a in b recursive %}{% endfor %}", "calls itself"),
        ("{% for in b %}{% endfor %}", "write {% for NAME in VALUES %}"),
        ("{% include name %}", "NAME/VERSION"),
        ("{% include 'a' %}", "NAME/VERSION"),
        ("{% include '../b' ignore missing %}", "NAME/VERSION"),
    ],
)
def test_what_may_not_stand_in_a_tag(source: str, why: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        read_template(source)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{% set a = b %}", {"a"}),
        ("{% for a, b in c|items %}{% endfor %}", {"a", "b", "loop"}),
        ("{% if a %}{% endif %}", set()),
    ],
)
def test_what_a_block_gives_a_value(source: str, names: set[str]) -> None:
    block = read_template(source).pieces[0]
    assert set(bound_by(block.tokens)) == names
