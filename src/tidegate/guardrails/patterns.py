"""Patterns that a plan writes out, by RE2: their time is linear in the text, whoever wrote them."""

import re
from collections.abc import Sequence
from typing import Any, Final

from tidegate.core.guardrail import ACTIONS, SIDES, Action, Detector, Guardrail, Span
from tidegate.guardrails._spans import first_longest
from tidegate.text import held

try:
    import re2
except ImportError:  # it comes with an extra
    re2 = None

# Where a pattern may match a space, a match as long as this is found however a stream is cut.
REACH_CHARS: Final = 128
_MEMORY_BYTES: Final = 8 * 1024 * 1024
_MISSING: Final = "patterns need google-re2: install tidegate[guardrails]"
# Without any of these a pattern finds nothing that has a space in it.
_SPACE: Final = re.compile(r"[\0- .]|\\[sSWDPCxnrtvfQpa0-9]|\[\^|\[\[:|\(\?[a-zA-Z-]*s")


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    options.never_capture = True
    return options


def _has_no_space(source: str) -> bool:
    """Nothing that the pattern finds has a space in it, nor a letter beyond ASCII."""
    return source.isascii() and _SPACE.search(source.replace("\\.", "")) is None


class _Detector:
    judges_whole = False
    hints: Sequence[str] = ()  # another automaton than RE2 may read a pattern otherwise

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        self._patterns = [(kind, re2.compile(source, _options())) for kind, source in patterns]
        self._is_short = all(_has_no_space(source) for _, source in patterns)

    def find(self, text: str) -> Sequence[Span]:
        found: list[Span] = []
        for kind, pattern in self._patterns:
            for match in pattern.finditer(text):
                start, end = match.span()
                if end > start:
                    found.append((start, end, kind))
        return first_longest(found)

    def settled(self, text: str, since: int) -> int:
        if self._is_short:
            return held.settled(text, since)
        return max(len(text) - REACH_CHARS - 1, 0)


class _Patterns:
    reads = frozenset({"patterns"})
    needs = frozenset({"patterns"})
    actions: tuple[Action, ...] = ACTIONS
    types: tuple[str, ...] = ()
    sides = SIDES
    remote = False

    def complaint(self, guardrail: Guardrail) -> str | None:
        if re2 is None:
            return _MISSING
        for kind, source in guardrail.patterns:
            try:
                made = re2.compile(source, _options())
            except re2.error as error:
                return f"the pattern of {kind!r} is none: {_said(error)}"
            if made.match("") is not None:
                return f"the pattern of {kind!r} matches nothing at all, and so everywhere"
        return None

    def detector(self, guardrail: Guardrail) -> Detector:
        if re2 is None:
            raise ValueError(_MISSING)
        return _Detector(guardrail.patterns)


def _said(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)


plug = _Patterns()
