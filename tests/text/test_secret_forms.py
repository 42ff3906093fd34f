"""What looks random is told from words and from what stands for a secret."""

from tidegate.text.secret_forms import assigned, random_looking


def test_random_letters_and_digits_are_told_from_words() -> None:
    assert random_looking("aB3dE6gH9jK2mN5p")
    assert not random_looking("justwordsinarow") and not random_looking("aaaaaaaa1")


def test_an_example_is_none() -> None:
    assert assigned("hunter2Zx9!qLm4")
    for text in ("your_key_1234abcd", "${SECRET_9x8y7z}", "os.environ9x8y", "xxxx1234abcd5678"):
        assert not assigned(text)
