"""What hides a text is taken off, and what hides none is left."""

from tidegate.guardrails._injection_plain import plain_forms


def test_ordinary_text_is_itself() -> None:
    for text in ("Plain words.", "\u041f\u0440\u0438\u0432\u0435\u0442", "na\u00efve caf\u00e9"):
        assert plain_forms(text) == [text]


def test_what_is_encoded_stands_beside_its_form() -> None:
    assert plain_forms("aGVsbG8gdGhlcmUsIHdvcmxkIQ==")[1] == "hello there, world"
    assert len(plain_forms("x" * 40 + "\xff")) == 1
