"""Text in which only {{name}} means something."""

from hypothesis import given
from hypothesis import strategies as st
from tests.prompts.making import rendered

from tidegate.prompts.mustache import names_in, to_mustache, to_template
from tidegate.prompts.rendered import RenderRefused

PARTS = [
    "{{x}}",
    "{{ x }}",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "\n",
    "1",
    "é",
    '"',
    "\\",
]
PARTS += ["{# role: user #}", "{{ x.y }}", "{% if x %}", "\x01", "\r", " ", "-", "%", "#"]


def test_names() -> None:
    assert names_in("{{ a }}{{b}}{{a}}{{ c.d }}{{ e-f }}{d}") == ("a", "b")


@given(st.lists(st.sampled_from(PARTS), max_size=10))
def test_it_renders_as_it_was_meant_and_comes_back(parts: list[str]) -> None:
    text = "".join(parts)
    source = to_template(text)
    assert to_mustache(source) == text.replace("{{ x }}", "{{x}}")
    meant = text.replace("{{ x }}", "{{x}}").replace("{{x}}", "VALUE")
    try:
        found = rendered(source, x="VALUE") if "{{" in source else rendered(source)
    except RenderRefused:
        found = ""
    assert found == (meant if meant.strip() else "")


def test_space_around_a_name_is_none_of_it() -> None:
    assert to_template("{{\n a}}{{b\t}}") == "{{ a }}{{ b }}"
    assert to_mustache("{{ a }}{{ b }}") == "{{a}}{{b}}"


def test_what_says_more_has_no_such_text() -> None:
    for source in ("{{ x|upper }}", "{% if x %}a{% endif %}", "{{x}}", "{{ x ~ x }}", "{{ 1 }}"):
        assert to_mustache(source) is None
    assert to_template("") == '{{ "" }}'
