"""A plan as it is written: read again it is the same, and what was left is said above it."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.interpolate import fill
from tidegate.config.moving import Finding
from tidegate.config.written_plan import Draft, literal, written

_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


@given(st.dictionaries(_TEXTS, st.dictionaries(_TEXTS, _TEXTS | st.integers()), max_size=3))
def test_any_names_and_texts_come_back(routes: dict[str, dict[str, object]]) -> None:
    text = written(Draft(routes=routes), ["heading"], [Finding("left", "a\nb", "", "c\x1b")])
    found = yaml.safe_load(text)
    assert (found or {}).get("routes", {}) == routes
    head = text.splitlines()[:4]
    assert head == ["# heading", "#", "# Not carried:", "#   a?b: c?"]


@given(_TEXTS | st.sampled_from(["${A}", "$${A}", "a${B:-c}$"]))
def test_a_text_of_theirs_is_no_variable_of_ours(text: str) -> None:
    assert fill(literal(text), {}).text == text
