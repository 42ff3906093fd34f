from tidegate.core.words import nearest, quoted


def test_quotes_hold_nothing_that_a_terminal_obeys():
    assert quoted("a\x1b[31m\u202e") == '"a\\x1b[31m\\u202e"'
    assert quoted("\ud800") == '"\\ud800"'


def test_quotes_are_short():
    assert quoted("x" * 100) == '"' + "x" * 60 + '..."'


def test_the_nearest_word_or_nothing():
    assert nearest("lama", ["llama", "gpt"]) == '; did you mean "llama"?'
    assert nearest("zzz", ["llama", "gpt"]) == ""
