import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.interpolate import MAX_VALUE_CHARS, Filled, fill, read_secret
from tidegate.core.secret import SecretRef

ENVIRON = {"A": "1", "EMPTY": "", "B": "${A}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", Filled("plain")),
        ("$A {A} $", Filled("$A {A} $")),
        ("${A}", Filled("1", ("$A",))),
        ("x${A}y${A}", Filled("x1y1", ("$A", "$A"))),
        ("${A:-9}", Filled("1", ("$A",))),
        ("${EMPTY}", Filled("", ("$EMPTY",))),
        ("${EMPTY:-9}", Filled("9", ("default of $EMPTY",))),
        ("${NONE:-9}", Filled("9", ("default of $NONE",))),
        ("${NONE:-}", Filled("", ("default of $NONE",))),
        ("${NONE:-http://h:1/v1}", Filled("http://h:1/v1", ("default of $NONE",))),
        ("${B}", Filled("${A}", ("$B",))),
        ("os.environ/A", Filled("1", ("$A",))),
        ("see os.environ/A", Filled("see os.environ/A")),
        ("$${A}", Filled("${A}")),
        ("$${${A}", Filled("${1", ("$A",))),
    ],
)
def test_filling(text, expected):
    assert fill(text, ENVIRON) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${NONE}", "NONE is not set"),
        ("os.environ/NONE", "NONE is not set"),
        ("os.environ/", "not the name"),
        ("os.environ/A B", "not the name"),
        ("${", "starts no variable"),
        ("${}", "starts no variable"),
        ("${1A}", "starts no variable"),
        ("${A", "starts no variable"),
        ("${A-b}", "starts no variable"),
        ("${A:-${B}}", "starts no variable"),
    ],
)
def test_what_cannot_be_filled(text, said):
    with pytest.raises(ValueError, match=said):
        fill(text, ENVIRON)


def test_a_filled_value_is_bounded():
    with pytest.raises(ValueError, match="characters"):
        fill("${A}${A}", {"A": "x" * MAX_VALUE_CHARS})


@given(st.text(), st.dictionaries(st.just("A"), st.text()))
def test_text_without_variables_stays_as_it_is_and_escapes_come_back(text, environ):
    if "${" not in text and not text.startswith("os.environ/"):
        assert fill(text, environ) == Filled(text)
        assert fill("a$${" + text, environ).text == "a${" + text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${KEY}", SecretRef(env="KEY")),
        ("os.environ/KEY", SecretRef(env="KEY")),
        ("file:/run/secrets/key", SecretRef(file="/run/secrets/key")),
        ("none", SecretRef()),
    ],
)
def test_a_reference_to_a_secret(text, expected):
    assert read_secret(text) == expected


@pytest.mark.parametrize(
    "text",
    ["sk-1", "", "${KEY:-sk-1}", "x${KEY}", "${KEY}x", "file:", "file:a\nb", "os.environ/", "None"],
)
def test_a_secret_itself_is_refused_and_not_repeated(text):
    with pytest.raises(ValueError, match="expected a reference") as refused:
        read_secret(text)
    assert not text or text not in str(refused.value).replace("os.environ/", "").replace(
        "file:", ""
    )
