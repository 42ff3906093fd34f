"""Texts that tell a model to do something else, by a small linear model over words and their order.

Of what a user asks each sentence, and each two together, is scored as an attack upon a model's
instructions (`injection`). In what tools and documents bring along each sentence is scored as
something that is said to a model at all (`planted`): there nobody has to ask for anything. The
highest score counts. It finds other things than the patterns of `injection` do: name both.
"""

from collections.abc import Sequence
from typing import Final

from tidegate.core.guardrail import Action, Detector, Guardrail, Judged, Side, Source, Span
from tidegate.guardrails._injection_plain import plain_forms
from tidegate.guardrails._injection_reading import sentences
from tidegate.guardrails._injection_weights import learnt

THRESHOLD: Final = 0.5
_INJECTION: Final = "injection"
_PLANTED: Final = "planted"
_TYPES: Final = (_INJECTION, _PLANTED)


def score(text: str, source: Source) -> float:
    """From 0 to 1: of its parts the one that most speaks for it."""
    asked, brought = learnt()
    most = asked.of_pairs if source == "asked" else brought.of_sentences
    return max(most(sentences(form)) for form in plain_forms(text))


class _Detector:
    judges_whole = True
    hints: Sequence[str] = ()

    def __init__(self, types: Sequence[str], threshold: float) -> None:
        self._types = types
        self._threshold = threshold
        learnt()

    def judge(self, text: str, source: Source) -> Judged | None:
        kind = _INJECTION if source == "asked" else _PLANTED
        if kind not in self._types:
            return None
        found = score(text, source)
        return Judged(kind, found) if found >= self._threshold else None

    def find(self, text: str) -> Sequence[Span]:
        del text
        return ()

    def settled(self, text: str, since: int) -> int:
        del since
        return len(text)


class _InjectionModel:
    reads = frozenset({"types", "threshold"})
    needs: frozenset[str] = frozenset()
    actions: tuple[Action, ...] = ("block", "mark")
    types = _TYPES
    sides: tuple[Side, ...] = ("input",)
    remote = False

    def complaint(self, guardrail: Guardrail) -> str | None:
        del guardrail
        return None

    def detector(self, guardrail: Guardrail) -> Detector:
        return _Detector(guardrail.types or _TYPES, guardrail.threshold or THRESHOLD)


plug = _InjectionModel()
