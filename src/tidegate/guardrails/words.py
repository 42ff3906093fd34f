"""Words and phrases that a plan names: whole words, in whichever case."""

import re
from collections.abc import Sequence
from typing import Final

from tidegate.core.guardrail import ACTIONS, SIDES, Action, Detector, Guardrail, Span
from tidegate.guardrails._spans import first_longest

_TYPE: Final = "word"


def _folded(text: str) -> str:
    """In lower case, as long as before: a few letters have no lower case of one letter."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join([it if len(it.lower()) != 1 else it.lower() for it in text])


class _Detector:
    judges_whole = False

    def __init__(self, words: Sequence[str]) -> None:
        self._words = sorted(
            {_folded(word.strip()) for word in words}, key=lambda it: (-len(it), it)
        )
        self.hints = tuple(f"(?i:{re.escape(word)})" for word in self._words)
        self._begins = frozenset(word[:n] for word in self._words for n in range(1, len(word) + 1))
        self._most = len(self._words[0])

    def find(self, text: str) -> Sequence[Span]:
        lower = _folded(text)
        found: list[Span] = []
        for word in self._words:
            at = lower.find(word)
            while at >= 0:
                end = at + len(word)
                if _is_apart(lower, at) and _is_apart(lower, end):
                    found.append((at, end, _TYPE))
                at = lower.find(word, at + 1)
        return first_longest(found)

    def settled(self, text: str, since: int) -> int:
        del since
        tail = _folded(text[-self._most :])
        for start in range(len(tail)):
            if tail[start:] in self._begins:
                return len(text) - len(tail) + start
        return len(text)


def _is_apart(text: str, at: int) -> bool:
    """Whether no word goes on across this place."""
    if not 0 < at < len(text):
        return True
    return not (text[at - 1].isalnum() and text[at].isalnum())


class _Words:
    reads = frozenset({"words"})
    needs = frozenset({"words"})
    actions: tuple[Action, ...] = ACTIONS
    types = (_TYPE,)
    sides = SIDES
    remote = False

    def complaint(self, guardrail: Guardrail) -> str | None:
        return None if all(map(str.strip, guardrail.words)) else "one of its words is empty"

    def detector(self, guardrail: Guardrail) -> Detector:
        return _Detector(guardrail.words)


plug = _Words()
