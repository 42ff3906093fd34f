"""How much of a prompt stays the same from its beginning on."""

import pytest
from msgspec.structs import replace
from tests.prompts.making import prompt

from tidegate.core.prompt import Prompt
from tidegate.prompts.counting import Counter
from tidegate.prompts.prefix import Prefix, prefix_of

LONG = "word " * 1600  # 2,000 tokens as estimated


@pytest.mark.parametrize(
    ("source", "first", "before", "behind"),
    [
        (LONG, None, 2000, 0),
        ("{{ a }}" + LONG, "a", 0, 2000),
        (LONG + "{{ a }}", "a", 2000, 0),
        ("{% if a %}x{% endif %}" + LONG, "a", 0, 2001),
        ("{% for x in b %}{{ x }}{% endfor %}" + LONG, "b", 0, 2000),
        ("{% set c = a|upper %}" + LONG, "a", 0, 2000),
        ("{{ 'x'|upper }}{% set c = 'x' %}" + LONG + "{{ a.b }}", "a", 2000, 0),
        ("{# a #}{% raw %}{{ a }}{% endraw %}" + LONG + "{{ a }}", "a", 2002, 0),
        ("{% include 'p/v1' %}" + LONG, "a", 500, 2000),
    ],
)
def test_what_varies_first(source: str, first: str | None, before: int, behind: int) -> None:
    asked = prompt(source, partials={"p/v1": "x" * 2000 + "{{ a }}"}, a="object", b="array")
    found = prefix_of(asked, Counter())
    assert found.first == first
    assert (found.before, found.behind) == pytest.approx((before, behind), abs=2)


def test_partials_that_come_up_without_number_are_looked_at_once() -> None:
    partials = {f"f{n}/v1": f"{{% include 'f{n + 1}/v1' %}}" * 60 for n in range(8)}
    asked = prompt("{% include 'f0/v1' %}", partials={**partials, "f8/v1": "{{ a }}"}, a="string")
    found = prefix_of(asked, Counter())
    assert (found.first, found.before, found.behind) == ("a", 0, 0)


def test_a_partial_between_texts_and_what_stands_behind_it_there() -> None:
    source = "x" * 400 + "{% include 'p/v1' %}" + "{% include 'p/v1' %}"
    asked = prompt(source, partials={"p/v1": "y" * 40 + "{{ a }}" + "z" * 400}, a="string")
    found = prefix_of(asked, Counter())
    assert (found.before, found.behind) == (110, 210)


def test_later_messages_stand_behind_and_tools_ahead() -> None:
    asked: Prompt = replace(prompt("{{ a }}", LONG, a="string"), tools="x" * 400)
    found = prefix_of(asked, Counter())
    assert (found.before, found.behind, found.turn, found.line) == (100, 2000, 0, 1)


@pytest.mark.parametrize(
    ("before", "behind", "saved"),
    [(0, 2000, 1920), (0, 1000, 0), (500, 600, 1024), (1100, 100, 128), (2000, 0, 0)],
)
def test_what_moving_it_would_save(before: int, behind: int, saved: int) -> None:
    found = Prefix(before, behind, "a")
    assert found.saved == saved
    assert found.saved_nanousd(2.5, 1.25) == saved * 1250
    assert found.saved_nanousd(1.0, 2.0) == 0
