"""What hides a text is taken off, and what hides none is left."""

from tests.cpu import cpu_s

from tidegate.guardrails._injection_plain import plain_forms


def test_ordinary_text_is_itself() -> None:
    for text in ("Plain words.", "\u041f\u0440\u0438\u0432\u0435\u0442", "na\u00efve caf\u00e9"):
        assert plain_forms(text) == [text]


def test_what_is_encoded_stands_beside_its_form() -> None:
    assert plain_forms("aGVsbG8gdGhlcmUsIHdvcmxkIQ==")[1] == "hello there, world"
    assert len(plain_forms("x" * 40 + "\xff")) == 1


def test_neither_marks_nor_signs_for_sentences_take_long() -> None:
    text = "\u200b" + "\u0301\u0316" * 32_000 + "\ufdfa" * 100_000
    (plain,) = plain_forms(text)
    assert len(plain) < 200_000
    assert cpu_s(lambda: plain_forms(text)) < 1  # the square of the marks: three seconds
