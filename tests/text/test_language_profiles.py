"""The profiles by which languages are told."""

import itertools

from tidegate.text.language_profiles import BY_SCRIPT, BY_WORDS, LETTERS, SCRIPTS, STOP_WORDS


def test_every_language_is_of_one_script_that_is_told() -> None:
    scripts = {name for _, _, name in SCRIPTS}
    assert set(BY_SCRIPT) | set(BY_WORDS) <= scripts
    listed = [language for languages in BY_WORDS.values() for language in languages]
    assert sorted(listed) == sorted(STOP_WORDS)
    assert set(LETTERS) <= set(STOP_WORDS)


def test_words_are_in_lower_case_and_enough_of_them_are_a_languages_own() -> None:
    for language, words in STOP_WORDS.items():
        others = frozenset().union(*(STOP_WORDS[it] for it in STOP_WORDS if it != language))
        assert all(word == word.lower() for word in words)
        assert len(words - others) >= 8, language


def test_scripts_do_not_overlap() -> None:
    spans = sorted((first, last) for first, last, _ in SCRIPTS)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
