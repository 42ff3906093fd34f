"""Texts that tell a model to do something else than its application has it do.

A text is made plain first (invisible letters out, look-alikes and spaced-out words put right, what
is encoded read), then signs are counted: each pattern that is found adds its weight to the score.
Instructions stand in what users say and in what tools and documents bring along: all are looked at
alike. By patterns only what is said in known ways is found; a threshold of 1 wants a plain case.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from tidegate.core.guardrail import SIDES, Action, Detector, Guardrail, Span
from tidegate.guardrails._injection_patterns import SIGNS
from tidegate.guardrails._injection_plain import HIDDEN, plain_forms
from tidegate.text.hints import Hints

THRESHOLD: Final = 0.6
_TYPE: Final = "injection"
_SOURCES: Final = tuple(source for _, source in SIGNS)
# A long document is looked at in parts, so that its signs have to stand together.
_PART_CHARS: Final = 2000
_OVERLAP_CHARS: Final = 200


def score(text: str) -> float:
    """From 0 to 1: how much speaks for it."""
    most, may_have = 0.0, _any_sign()
    for form in plain_forms(text):
        step = _PART_CHARS - _OVERLAP_CHARS
        for at in range(0, max(len(form) - _OVERLAP_CHARS, 1), step):
            part = form[at : at + _PART_CHARS]
            if may_have(part):
                found = sum(weight for weight, source in SIGNS if Hints([source]).any(part))
                most = max(most, min(found, 1.0))
    return most


@lru_cache(maxsize=1)
def _any_sign() -> Callable[[str], bool]:
    """Put together once: that takes longer than to look through a short text."""
    return Hints(_SOURCES).any


class _Detector:
    judges_whole = True
    hints = (*_SOURCES, *HIDDEN)

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def find(self, text: str) -> Sequence[Span]:
        return ((0, len(text), _TYPE),) if score(text) >= self._threshold else ()

    def settled(self, text: str, since: int) -> int:
        del since
        return len(text)


class _Injection:
    reads = frozenset({"threshold"})
    needs: frozenset[str] = frozenset()
    actions: tuple[Action, ...] = ("block", "mark")
    types = (_TYPE,)
    sides = SIDES
    remote = False

    def complaint(self, guardrail: Guardrail) -> str | None:
        del guardrail
        return None

    def detector(self, guardrail: Guardrail) -> Detector:
        return _Detector(guardrail.threshold or THRESHOLD)


plug = _Injection()
