"""Words of a text."""

from tidegate.graders._words import folded, normalised, spaced, words


def test_forms_of_one_text_are_one() -> None:
    assert folded("E\N{COMBINING ACUTE ACCENT}t\u00e9") == folded("\u00c9T\u00c9")
    assert words("It's 3 o'clock, Ada!") == ["it", "s", "3", "o", "clock", "ada"]
    assert spaced(" a\n\tb ") == "a b"
    assert normalised("The cat,  a dog!") == "cat dog"
    assert normalised("theatre") == "theatre"
