"""What templates may say, and what is refused before anything runs."""

import contextlib
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.prompts.making import prompt, sent

from tidegate.prompts.language import MAX_ELIFS, MAX_TAGS, TemplateRefused, read_template
from tidegate.prompts.render import Renderer
from tidegate.prompts.rendered import RenderRefused


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ }}", "empty"),
        ("{{ a", "not closed by }}"),
        ("{% if a", "not closed by %}"),
        ("{# a", "not closed by #}"),
        ("{% raw %}{{", "not closed by {% endraw %}"),
        ("{{ a ; b }}", "cannot stand in a tag"),
        ("{{ ä }}", "cannot stand in a tag"),
        ("{{ 0x10 }}", "cannot stand in a tag"),
        ("a\x01{", "control character"),
        ("{{ " + "[" * 20 + " }}", "too long or too deep"),
        ("{{ " + " and ".join("a" * 300) + " }}", "too long or too deep"),
        ("{% if a %}" * 30, "deeper than"),
        ("{{ a }}" * (MAX_TAGS + 1), "more than"),
        ("{% if a %}" + "{% elif a %}" * (MAX_ELIFS + 1), "more than 100 `elif`"),
    ],
)
def test_what_a_template_may_not_say(source: str, why: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        read_template(source)
    assert why in str(refused.value)


def test_the_line_is_told() -> None:
    with pytest.raises(TemplateRefused) as refused:
        read_template("a\nb {{ c }}\n\n{% do x %}")
    assert refused.value.line == 4


@pytest.mark.parametrize(
    "source",
    [
        "{% set a = b|replace('x', 'y') %}{{ a }}",
        "{% set a = ['x', 'y'] if b else [] %}",
        "{% for a in b if a is not none %}{{ loop.index0 + 1 }}{% else %}-{% endfor %}",
        "{% for k, v in b|items %}{{ k }}{% endfor %}",
        "{% for a in b[1:] %}{% endfor %}",
        "{{ {'a': {'b': 1}}['a'] }}",
        "{{ (a and b) or not (c is defined) }}",
        '{{ \'}}\' }}{{ "%} \\" {{" }}',
        "{%- if a == -1 -%} x {%- elif a // 2 >= b %} y {%+ endif %}",
        "{% raw %}{{ a }} {% if {# {% endraw %}",
        "{# {{ a.__class__ }} #}",
    ],
)
def test_what_it_may_say(source: str) -> None:
    names = dict.fromkeys("abc", "array")
    try:
        Renderer(prompt(source, "x", **names))  # type: ignore[arg-type]
    except RenderRefused as no:
        raise AssertionError(source) from no


DEEP = """
import threading
from tests.prompts.making import rendered

def go():
    rendered("{% if a == 'x' %}" + "{% elif a == 'y' %}b" * 100 + "{% endif %}z", a="a")
    for tag in ("a" + " and a" * 98, "not " * 190 + "a", "- " * 190 + "1", "a" + "|upper" * 98):
        rendered("{{ " + tag + " }}", a="a")
    rendered("{% for x in a %}" * 24 + "{{ " + "(" * 8 + "x and " * 90 + "x" + ")" * 8 + " }}"
             + "{% endfor %}" * 24, a=[1])
    print("whole")

threading.stack_size(512 * 1024)
thread = threading.Thread(target=go)
thread.start()
thread.join()
"""


def test_at_its_limits_no_template_overflows_a_small_stack() -> None:
    told = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, check=True)
    assert told.stdout == "whole\n"


def test_comments_are_emptied_and_nothing_else() -> None:
    template = read_template("a {# one\ntwo #} b {#- three -#} {{ c }}")
    assert template.canonical == "a {##} b {#--#} {{ c }}"


def test_what_it_includes_and_binds() -> None:
    template = read_template(
        '{% include "a/v1" %}{% for k, v in b %}{% set c = 1 %}{% include "a/v1" %}{% endfor %}'
    )
    assert template.partials == ("a/v1",)
    assert template.bound == {"k", "v", "c", "loop"}
    assert [it.loops for it in template.pieces if it.partial] == [0, 1]


PARTS = ["{{", "}}", "{%", "%}", "{#", "#}", "'", '"', "\\", "if", "for", "in", "endif", "endfor"]
PARTS += ["raw", "endraw", "set", "a", "b", "|", "upper", "(", ")", "[", "]", "{", "}", "-", "+"]
PARTS += ["=", ".", ",", ":", " ", "\n", "1", "is", "not", "defined", "else", "and", "é"]


@given(st.lists(st.sampled_from(PARTS), max_size=30))
def test_whatever_is_written_is_refused_or_reaches_the_engine_as_it_was_checked(
    parts: list[str],
) -> None:
    source = "".join(parts)
    try:
        template = read_template(source)
    except TemplateRefused:
        return
    # Every delimiter of the engine's is one that we wrote around something we looked at.
    tags = sum(it.kind != "text" for it in template.pieces)
    raws = template.engine.count("\x01% raw") + template.engine.count("\x01%- raw")
    raws += template.engine.count("\x01%+ raw")
    comments = template.engine.count("\x01#")
    assert template.engine.count("\x01") == tags + 2 * raws + comments
    with contextlib.suppress(RenderRefused):
        Renderer(prompt(source, "x", a="string", b="array"))


def test_random_templates_end_within_bounds() -> None:
    rng = random.Random(20261)
    tags = ["{{ a }}", "{{ b }}", "{% for x in b %}", "{% endfor %}", "{% if a in b %}"]
    tags += ["{% endif %}", "text", "{% set a = a|tojson %}", "{% set c = b|join(a) %}"]
    tags += ["{{ a|replace('x', a) }}", "{{ b|sort|tojson }}", "{% for y in a|lines %}"]
    for _ in range(150):
        source = "".join(rng.choice(tags) for _ in range(rng.randrange(1, 14)))
        try:
            made = Renderer(prompt(source, a="string", b="array"))
            found = made.render(sent(a="x\n" * 2000, b=["x" * 100] * 300))
        except RenderRefused:
            continue
        assert sum(len(it.text) for it in found) <= 1024 * 1024
