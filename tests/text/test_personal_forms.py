"""Every form's hint is found wherever the form is, and its pattern is bounded."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.forms import Form
from tidegate.text.hints import Hints
from tidegate.text.personal_forms import ALWAYS, FORMS
from tidegate.text.secret_forms import FORMS as SECRETS

LIKELY = "0123456789 -.:/@+()#=xABEGWKpasortnumbeis"


@given(st.text(alphabet=LIKELY, max_size=60))
def test_where_a_form_is_its_hint_is(text: str) -> None:
    for form in (*FORMS, *SECRETS):
        if any(form.spans(text)):
            assert Hints([form.hint]).any(text), form.kind


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.kind)
def test_no_pattern_of_personal_data_goes_on_without_a_bound(form: Form) -> None:
    """So that the work at each letter, and with it that for a text, is bounded."""
    assert not re.search(r"(?<!\\)[*+](?![+\]-])|,\}", _without_classes(form.pattern.pattern))


def _without_classes(pattern: str) -> str:
    return re.sub(r"\[(?:\\.|[^\]\\])*\]", "", pattern.replace(r"\(", "").replace(r"\)", ""))


def test_what_is_kept_has_forms() -> None:
    assert set(ALWAYS) < {form.kind for form in FORMS}
