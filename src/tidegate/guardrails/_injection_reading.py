"""A text as a model of weights reads it: sentence by sentence, as words and what stands together.

Whoever learns weights (`bench/injection_weights.py`) and whoever uses them read alike. The time is
linear in the text, whatever the text is: words end after 32 letters, sentences after 64 words.
"""

import re
from itertools import pairwise
from typing import Final

Words = list[str]

# Scripts without spaces between words: a letter is a word.
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]{1,32}|[^\w\s]")
_END: Final = re.compile(r"[.!?;:][\"')\]]{0,4}(?=\s)|\n|[\u3002\uff01\uff1f]")
MOST_WORDS: Final = 64
_OVERLAP: Final = 16
_STEP: Final = MOST_WORDS - _OVERLAP
LEAST_WORDS: Final = 3


def sentences(text: str) -> list[Words]:
    """A longer one comes in parts that overlap, so that nothing is torn in two."""
    found: list[Words] = []
    lower, start = text.lower(), 0
    for end in (*(match.end() for match in _END.finditer(lower)), len(lower)):
        words: Words = _WORD.findall(lower, start, end)
        start = end
        if len(words) > MOST_WORDS:
            last = len(words) - _OVERLAP
            found += [words[at : at + MOST_WORDS] for at in range(0, last, _STEP)]
        elif words:
            found.append(words)
    return found


def features(words: Words) -> list[str]:
    """The words, each two that stand together, and how they begin and end."""
    return [*words, *map(" ".join, pairwise(words)), *ends_of(words)]


def ends_of(words: Words) -> tuple[str, str, str, str]:
    first, two = words[0], " ".join(words[:2])
    return f"^ {first}", f"^ {two}", f"^ {' '.join(words[:3])}", f"{words[-1]} $"


def count_of(words: Words) -> int:
    """How many features there are."""
    return 2 * len(words) + 3
