"""Which language a text is in, by its script and by the words that every text is full of.

Honest of its bounds: a text of too few words, of two languages, or of one that it does not know is
unknown (None), and not the nearest guess.
"""

import re
from collections import Counter

from tidegate.text.language_profiles import BY_SCRIPT, BY_WORDS, LETTERS, SCRIPTS, STOP_WORDS

# So much of a text is looked at; code and addresses are not language.
MAX_CHARS = 20_000
_ASIDES = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<[^<>\n]{1,80}>", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}](?=[^\W\d_]))?", re.UNICODE)
_APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"
_LEAST_LETTERS = 3
# The best has to have so many points, and so many times those of the next.
_LEAST_POINTS = 1.5
_AHEAD = 1.15
_LETTER_POINTS = 0.5
# A Japanese text has kana in it, a Chinese one none: one in so many characters is enough.
_KANA_PART = 0.04


def language_of(text: str) -> str | None:
    """The language by ISO 639-1, one of `language_profiles.LANGUAGES`; None when it is not sure."""
    plain = _ASIDES.sub(" ", text[:MAX_CHARS])
    letters = Counter(script for char in plain if (script := _script(char)))
    total = letters.total()
    if total < _LEAST_LETTERS:
        return None
    if letters["kana"] + letters["han"] > total / 2:
        return "ja" if letters["kana"] >= _KANA_PART * total else "zh"
    script, count = letters.most_common(1)[0]
    if count <= total / 2:
        return None
    if script in BY_SCRIPT:
        return BY_SCRIPT[script]
    return _by_words(plain.lower(), BY_WORDS.get(script, ()))


def _script(char: str) -> str | None:
    if not char.isalpha():
        return None
    point = ord(char)
    return next((name for first, last, name in SCRIPTS if first <= point <= last), None)


def _by_words(text: str, languages: tuple[str, ...]) -> str | None:
    points = dict.fromkeys(languages, 0.0)
    counts = Counter(word.rstrip(_APOSTROPHES) for word in _WORD.findall(text))
    for word, count in counts.items():
        having = [it for it in languages if word in STOP_WORDS[it]]
        for language in having:
            points[language] += min(count, 5) / len(having) ** 0.5
    for language in languages:
        found = sum(text.count(letter) for letter in LETTERS.get(language, ""))
        points[language] += _LETTER_POINTS * min(found, 10)
    ordered = sorted(languages, key=lambda it: -points[it])
    if not ordered or points[ordered[0]] < _LEAST_POINTS:
        return None
    if len(ordered) > 1 and points[ordered[0]] < _AHEAD * points[ordered[1]]:
        return None
    return ordered[0]
