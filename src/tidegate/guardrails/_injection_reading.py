"""A text as a model of weights reads it: sentence by sentence, as words and what stands together.

Whoever learns weights (`bench/injection_weights.py`) and whoever uses them read alike. The time is
linear in the text, whatever the text is: words end after 32 letters, sentences after 64 words.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

Words = list[str]

# Scripts without spaces between words: a letter is a word.
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]{1,32}|[^\w\s]")
_END: Final = re.compile(r"(?<=[.!?;:])[\"')\]]{0,4}\s+|\n\s*|(?<=[\u3002\uff01\uff1f])")
MOST_WORDS: Final = 64
_STEP: Final = 48
LEAST_WORDS: Final = 3


def sentences(text: str) -> list[Words]:
    """A longer one comes in parts that overlap, so that nothing is torn in two."""
    found: list[Words] = []
    for sentence in _END.split(text.lower()):
        words: Words = _WORD.findall(sentence)
        if len(words) <= MOST_WORDS:
            if words:
                found.append(words)
            continue
        found += [words[at : at + MOST_WORDS] for at in range(0, len(words) - _STEP // 3, _STEP)]
    return found


def features(words: Sequence[str]) -> list[str]:
    """The words, each two that stand together, and how the sentence begins and ends."""
    first, last = words[0], words[-1]
    return [
        *words,
        *map(" ".join, pairwise(words)),
        f"^ {first}",
        f"^ {' '.join(words[:2])}",
        f"^ {' '.join(words[:3])}",
        f"{last} $",
    ]
